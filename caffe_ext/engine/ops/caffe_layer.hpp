#ifndef CAFFE_ENGINE_OPS_CAFFE_LAYER_HPP_
#define CAFFE_ENGINE_OPS_CAFFE_LAYER_HPP_

#include <memory>
#include <string>
#include <vector>

#include "caffe/layer.hpp"
#include "engine/graph.hpp"
#include "engine/step.hpp"

namespace caffe {
namespace engine {

/// @brief Whatever the compiler does not know: Caffe's own layer.
struct CaffeLayer : public Op {
  /// @brief A layer of its own, with copies of the other's weights.
  explicit CaffeLayer(Layer<float>* layer);
  /// @brief A layer without bottoms itself, and its tops: what it reads from may
  ///        not be open twice, and some fill their tops but once.
  CaffeLayer(const shared_ptr<Layer<float> >& source,
             const std::vector<shared_ptr<Blob<float> > >& tops);
  virtual const char* kind() const { return "CaffeLayer"; }
  virtual void InferShapes();
  virtual bool ChannelsLast() const { return false; }
  virtual std::unique_ptr<Step> MakeStep();

 private:
  friend class CaffeLayerStep;

  shared_ptr<Layer<float> > layer_;
  std::vector<shared_ptr<Blob<float> > > weights_, bottom_, top_;
  std::vector<Blob<float>*> bottoms_, tops_;
  const bool source_;
  bool set_up_;
};

/// @brief Copies values to and from the layer's blobs, and has it do the rest.
class CaffeLayerStep : public Step {
 public:
  explicit CaffeLayerStep(CaffeLayer* op);
  virtual void Run(const Buffers& buffers);
  virtual bool Shares() const { return false; }
  virtual std::string Implementation() const;

 protected:
  virtual void Copy(const float* from, Blob<float>* to) const;
  virtual void Copy(const Blob<float>& from, float* to) const;

 private:
  CaffeLayer* const op_;
  std::vector<std::vector<int> > in_, out_;
};

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_OPS_CAFFE_LAYER_HPP_
