#ifndef CAFFE_ENGINE_PACKED_WEIGHTS_HPP_
#define CAFFE_ENGINE_PACKED_WEIGHTS_HPP_

#include <cstddef>
#include <functional>
#include <vector>

#include "oneapi/dnnl/dnnl.hpp"

namespace caffe {
namespace engine {

dnnl::engine& Cpu();

/**
 * @brief Weights in the layout that a primitive wants them in, held once.
 *
 * Programs of other shapes mostly want the same layout and share the memory;
 * where one wants another, it gets a copy made from what there is.
 */
class PackedWeights {
 public:
  /// @brief Plain values; group is the first dimension where it is over 1.
  PackedWeights(const std::vector<float>& values,
                const dnnl::memory::dims& dims);

  dnnl::memory In(const dnnl::memory::desc& layout);
  /// @brief In the only layout of a kernel of ours, which `pack` makes of the plain
  ///        values; those go. At a multiple of 64 bytes.
  const float* InOwn(const std::function<
      std::vector<float>(const std::vector<float>&)>& pack);
  /// @brief The values in Caffe's order.
  std::vector<float> Plain() const;
  void Set(const std::vector<float>& values);

  const dnnl::memory::dims dims;
  const size_t count;

 private:
  dnnl::memory::desc PlainLayout() const;

  std::vector<dnnl::memory> packed_;
  dnnl::memory own_;
};

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_PACKED_WEIGHTS_HPP_
