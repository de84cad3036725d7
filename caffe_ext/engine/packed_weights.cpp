#include "engine/packed_weights.hpp"

#include <algorithm>

#include "engine/onednn.hpp"
#include "engine/pages.hpp"

namespace caffe {
namespace engine {

using dnnl::memory;

namespace {

std::shared_ptr<char> Pages(size_t bytes) {
  const std::shared_ptr<char> pages = AllocatePages(bytes);
  CHECK(pages) << "no memory for a layer's packed weights";
  return pages;
}

}  // namespace

PackedWeights::PackedWeights(const shared_ptr<Blob<float> >& values,
    const memory::dims& dims)
    : dims(dims), count(values->count()), source_(values) {}

void PackedWeights::Scale(const std::vector<double>& factors) {
  factors_.resize(factors.size(), 1);
  for (size_t i = 0; i < factors.size(); ++i) { factors_[i] *= factors[i]; }
}

std::vector<float> PackedWeights::Plain() const {
  CHECK(source_) << "weights that are packed already";
  std::vector<float> values(source_->cpu_data(), source_->cpu_data() + count);
  for (size_t i = 0; i < factors_.size(); ++i) {
    const size_t row = count / factors_.size();
    for (size_t j = 0; j < row; ++j) { values[i * row + j] *= factors_[i]; }
  }
  return values;
}

const float* PackedWeights::InOwn(const std::function<
    std::vector<float>(const std::vector<float>&)>& pack) {
  if (!own_) {
    const std::vector<float> values = pack(Plain());
    own_ = Pages(values.size() * sizeof(float));
    std::copy(values.begin(), values.end(), reinterpret_cast<float*>(own_.get()));
    source_.reset();
  }
  return reinterpret_cast<const float*>(own_.get());
}

memory PackedWeights::In(const memory::desc& layout) {
  for (const memory& there : packed_) {
    if (there.get_desc() == layout) {
      return there;
    }
  }
  pages_.push_back(Pages(layout.get_size()));
  memory packed(layout, Cpu(), pages_.back().get());
  dnnl::stream stream(Cpu());
  if (packed_.empty()) {
    std::vector<float> values = Plain();
    memory plain(onednn::Plain(dims), Cpu(), values.data());
    dnnl::reorder(plain, packed).execute(stream, plain, packed);
    stream.wait();
    source_.reset();
  } else {
    dnnl::reorder(packed_[0], packed).execute(stream, packed_[0], packed);
    stream.wait();
  }
  packed_.push_back(packed);
  return packed;
}

}  // namespace engine
}  // namespace caffe
