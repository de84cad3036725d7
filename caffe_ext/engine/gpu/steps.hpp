#ifndef CAFFE_ENGINE_GPU_STEPS_HPP_
#define CAFFE_ENGINE_GPU_STEPS_HPP_

#include <memory>

#include "engine/step.hpp"

namespace caffe {
namespace engine {

class Gpu;
struct Affine;
struct Branches;
struct CaffeLayer;
struct ChannelPooling;
struct Concat;
struct Convert;
struct Convolution;
struct Excitation;
struct Gate;
struct InnerProduct;
struct Interleave;
struct Interp;
struct MeanOfSum;
struct Pooling;
struct Reorder;
struct Select;
struct Sigmoid;
struct Slice;
struct Softmax;
struct Sum;

// The steps of a GPU, each in the file of gpu/ops that is named like the op's. The
// Gpu, and the op where a step says so, outlive the step. Inputs and outputs are in
// the GPU's memory, of their values' types and layouts.
std::unique_ptr<Step> MakeGpuStep(const Affine& op, Gpu* gpu);
std::unique_ptr<Step> MakeGpuStep(const Branches& op, Gpu* gpu);
std::unique_ptr<Step> MakeGpuStep(CaffeLayer& op, Gpu* gpu);  // NOLINT
std::unique_ptr<Step> MakeGpuStep(const ChannelPooling& op, Gpu* gpu);
std::unique_ptr<Step> MakeGpuStep(const Concat& op, Gpu* gpu);
std::unique_ptr<Step> MakeGpuStep(const Convert& op, Gpu* gpu);
std::unique_ptr<Step> MakeGpuStep(const Convolution& op, Gpu* gpu);
std::unique_ptr<Step> MakeGpuStep(const Excitation& op, Gpu* gpu);
std::unique_ptr<Step> MakeGpuStep(const Gate& op, Gpu* gpu);
std::unique_ptr<Step> MakeGpuStep(const InnerProduct& op, Gpu* gpu);
std::unique_ptr<Step> MakeGpuStep(const Interleave& op, Gpu* gpu);
std::unique_ptr<Step> MakeGpuStep(const Interp& op, Gpu* gpu);
std::unique_ptr<Step> MakeGpuStep(const MeanOfSum& op, Gpu* gpu);
std::unique_ptr<Step> MakeGpuStep(const Pooling& op, Gpu* gpu);
std::unique_ptr<Step> MakeGpuStep(const Reorder& op, Gpu* gpu);
std::unique_ptr<Step> MakeGpuStep(const Select& op, Gpu* gpu);
std::unique_ptr<Step> MakeGpuStep(const Sigmoid& op, Gpu* gpu);
std::unique_ptr<Step> MakeGpuStep(const Slice& op, Gpu* gpu);
std::unique_ptr<Step> MakeGpuStep(const Softmax& op, Gpu* gpu);
std::unique_ptr<Step> MakeGpuStep(const Sum& op, Gpu* gpu);

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_GPU_STEPS_HPP_
