#ifndef CAFFE_ENGINE_PACKED_WEIGHTS_HPP_
#define CAFFE_ENGINE_PACKED_WEIGHTS_HPP_

#include <cstddef>
#include <cstring>
#include <functional>
#include <memory>
#include <vector>

#include "caffe/blob.hpp"
#include "engine/bfloat16.hpp"
#include "oneapi/dnnl/dnnl.hpp"

namespace caffe {
namespace engine {

/**
 * @brief Weights in the layout that a primitive or kernel wants them in, held once.
 *
 * Until the first asks for them they are the net's own. Programs of other shapes
 * mostly want the same layout and share the memory; where a primitive wants
 * another, it gets a copy made from what there is.
 */
class PackedWeights {
 public:
  /// @brief Plain values; group is the first dimension where it is over 1.
  PackedWeights(const shared_ptr<Blob<float> >& values,
                const dnnl::memory::dims& dims);

  /// @brief Multiplies the weights of each output by its factor.
  void Scale(const std::vector<double>& factors);
  /// @brief The values in Caffe's order, as long as no layout was asked for.
  std::vector<float> Plain() const;

  dnnl::memory In(const dnnl::memory::desc& layout);
  /// @brief In the only layout of a kernel of ours, which `pack` makes of the plain
  ///        values. As AllocatePages aligns them.
  const float* InOwn(const std::function<
      std::vector<float>(const std::vector<float>&)>& pack);

  const dnnl::memory::dims dims;
  const size_t count;

 private:
  shared_ptr<Blob<float> > source_;  // until they are packed
  std::vector<double> factors_;      // empty: 1
  std::vector<dnnl::memory> packed_;
  std::vector<std::shared_ptr<char> > pages_;  // of these
  std::shared_ptr<char> own_;
};

/// @brief What `pack` returns: floats, or bf16, two in each.
inline std::vector<float> AsFloats(std::vector<float> numbers) { return numbers; }
inline std::vector<float> AsFloats(const std::vector<BFloat16>& numbers) {
  std::vector<float> floats(numbers.size() / 2);
  std::memcpy(floats.data(), numbers.data(), floats.size() * sizeof(float));
  return floats;
}

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_PACKED_WEIGHTS_HPP_
