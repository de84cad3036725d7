#ifdef USE_ONEDNN
#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "caffe/common.hpp"
#include "caffe/util/onednn_convolution.hpp"
#include "caffe/util/parallel_for.hpp"
#include "oneapi/dnnl/dnnl.hpp"

namespace caffe {

namespace {

using dnnl::memory;
typedef memory::dims Dims;

dnnl::engine& Cpu() {
  static dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

dnnl::stream& Stream() {
  static thread_local dnnl::stream stream(Cpu());
  return stream;
}

// oneDNN's errors as Caffe's.
template <typename F>
void WithErrors(const F& f) {
  try {
    f();
  } catch (const dnnl::error& error) {
    LOG(FATAL) << "oneDNN: " << error.what() << " (status " << error.status
        << ")";
  }
}

memory::desc Plain(const Dims& dims) {
  Dims strides(dims.size(), 1);
  for (size_t i = dims.size() - 1; i > 0; --i) {
    strides[i - 1] = strides[i] * dims[i];
  }
  return memory::desc(dims, memory::data_type::f32, strides);
}

memory::desc Any(const Dims& dims) {
  return memory::desc(dims, memory::data_type::f32, memory::format_tag::any);
}

memory At(const memory::desc& desc, const float* data) {
  return memory(desc, Cpu(), const_cast<float*>(data));
}

// What lives during one pass, in memory that all of a thread's passes share.
class Workspace {
 public:
  explicit Workspace(size_t bytes) : used_(0) {
    if (bytes > size_) {
      memory_ = memory();  // first, or there would be both
      size_ = 0;
      memory_ = memory(memory::desc({static_cast<memory::dim>(bytes)},
          memory::data_type::u8, memory::format_tag::a), Cpu());
      size_ = bytes;
    }
  }

  static size_t Need(const memory::desc& desc) {
    const size_t kLine = 64;
    return (desc.get_size() + kLine - 1) / kLine * kLine;
  }

  memory Take(const memory::desc& desc) {
    char* data = static_cast<char*>(memory_.get_data_handle()) + used_;
    used_ += Need(desc);
    return memory(desc, Cpu(), data);
  }

 private:
  static thread_local memory memory_;
  static thread_local size_t size_;
  size_t used_;
};

thread_local memory Workspace::memory_;
thread_local size_t Workspace::size_ = 0;

// Copies between an array in Caffe's order and one in a pass's own.
class Reordering {
 public:
  enum Direction { TO_PASS, FROM_PASS, ADD_FROM_PASS };

  Reordering(const Dims& dims, const memory::desc& array, Direction direction)
      : plain_(Plain(dims)), array_(array),
        same_(direction != ADD_FROM_PASS && plain_ == array) {
    if (same_) {
      return;
    }
    dnnl::primitive_attr attributes;
    if (direction == ADD_FROM_PASS) {
      dnnl::post_ops sum;
      sum.append_sum(1);
      attributes.set_post_ops(sum);
    }
    const bool to_pass = direction == TO_PASS;
    copy_ = dnnl::reorder(dnnl::reorder::primitive_desc(
        Cpu(), to_pass ? plain_ : array_, Cpu(), to_pass ? array_ : plain_,
        attributes));
  }

  size_t Need() const { return same_ ? 0 : Workspace::Need(array_); }

  // The pass's array, filled.
  memory Read(const float* plain, Workspace* space) {
    memory array = Room(plain, space);
    if (!same_) {
      memory from = At(plain_, plain);
      copy_.execute(Stream(), from, array);
    }
    return array;
  }

  // The pass's array, to be filled and handed to Write.
  memory Room(const float* plain, Workspace* space) const {
    return same_ ? At(array_, plain) : space->Take(array_);
  }

  void Write(memory array, float* plain) {
    if (!same_) {
      memory to = At(plain_, plain);
      copy_.execute(Stream(), array, to);
    }
  }

 private:
  memory::desc plain_, array_;
  bool same_;
  dnnl::reorder copy_;
};

// A blob's images as a pass gets them: as they are, or every step-th row and
// column as an image of its own, from each of the first ones or from the very first
// alone. Such images are equally large, some with zeros in the end.
class Images {
 public:
  Images(int num, int channels, const int* size, const int* step, bool all)
      : num_(num), channels_(channels), height_(size[0]), width_(size[1]),
        step_h_(step[0]), step_w_(step[1]), parts_h_(all ? step[0] : 1),
        parts_w_(all ? step[1] : 1),
        dims_({num * parts_h_ * parts_w_, channels,
               (size[0] - 1) / step[0] + 1, (size[1] - 1) / step[1] + 1}) {}

  const Dims& dims() const { return dims_; }
  size_t Need() const { return same() ? 0 : Workspace::Need(Plain(dims_)); }

  const float* Gather(const float* blob, Workspace* space) const {
    if (same()) {
      return blob;
    }
    float* images = Room(NULL, space);
    const int columns = dims_[3], step = step_w_;
    ForEachRow([=](size_t from, size_t to, int count) {
      for (int i = 0; i < count; ++i) { images[to + i] = blob[from + i * step]; }
      std::fill(images + to + count, images + to + columns, 0.f);
    });
    return images;
  }

  // Where the pass's images go: to what Scatter reads, or into the blob itself.
  float* Room(float* blob, Workspace* space) const {
    return same() ? blob : static_cast<float*>(
        space->Take(Plain(dims_)).get_data_handle());
  }

  void Scatter(const float* images, float* blob) const {
    if (same()) {
      return;
    }
    if (parts_h_ < step_h_ || parts_w_ < step_w_) {
      std::fill_n(blob, static_cast<size_t>(num_) * channels_ * height_ * width_,
                  0.f);
    }
    const int step = step_w_;
    ForEachRow([=](size_t to, size_t from, int count) {
      for (int i = 0; i < count; ++i) { blob[to + i * step] = images[from + i]; }
    });
  }

 private:
  bool same() const { return step_h_ == 1 && step_w_ == 1; }

  // f(begin in the blob, begin in the images, numbers in the blob) for each row of
  // the images.
  template <typename F>
  void ForEachRow(const F& f) const {
    const int rows = dims_[2], columns = dims_[3];
    ParallelFor(num_ * channels_, height_ * width_, [&](int plane) {
      for (int y = 0; y < parts_h_; ++y) {
        for (int x = 0; x < parts_w_; ++x) {
          const size_t image = static_cast<size_t>(y * parts_w_ + x) * num_
              * channels_ + plane;
          for (int row = 0; row < rows; ++row) {
            const int h = y + row * step_h_;
            f((static_cast<size_t>(plane) * height_ + h) * width_ + x,
              (image * rows + row) * columns,
              h < height_ ? (width_ - x + step_w_ - 1) / step_w_ : 0);
          }
        }
      }
    });
  }

  int num_, channels_, height_, width_, step_h_, step_w_, parts_h_, parts_w_;
  Dims dims_;
};

// Groups of few channels, several as one: its weights are theirs along the
// diagonal, and zeros elsewhere.
class MergedGroups {
 public:
  explicit MergedGroups(const ConvolutionShape& s) : merged_(1),
      groups_(s.groups), outputs_(s.outputs / s.groups),
      channels_(s.channels / s.groups), area_(s.kernel[0] * s.kernel[1]) {
    const int kVector = 8;  // numbers, with AVX2
    const bool depthwise = outputs_ == 1 && channels_ == 1;
    while (groups_ > 1 && !depthwise && merged_ < 4 &&
           groups_ % (2 * merged_) == 0 && (merged_ * channels_ % kVector ||
                                            merged_ * outputs_ % kVector)) {
      merged_ *= 2;
    }
    if (merged_ * channels_ % kVector || merged_ * outputs_ % kVector) {
      merged_ = 1;
    }
    dims_ = {merged_ * outputs_, merged_ * channels_, s.kernel[0], s.kernel[1]};
    if (groups_ > 1) {
      dims_.insert(dims_.begin(), groups_ / merged_);
    }
  }

  // Of the weights, as oneDNN gets them.
  const Dims& dims() const { return dims_; }
  size_t Need() const {
    return merged_ > 1 ? Workspace::Need(Plain(dims_)) : 0;
  }

  const float* Merge(const float* weights, Workspace* space) const {
    if (merged_ == 1) {
      return weights;
    }
    float* merged = Zeros(space);
    ForEachRow([=](size_t from, size_t to, size_t length) {
      std::copy_n(weights + from, length, merged + to);
    });
    return merged;
  }

  // Where gradients are to be added: to what Split adds to dw, or to dw itself.
  float* Sum(float* dw, Workspace* space) const {
    return merged_ == 1 ? dw : Zeros(space);
  }

  void Split(const float* sum, float* dw) const {
    if (merged_ > 1) {
      ForEachRow([=](size_t to, size_t from, size_t length) {
        for (size_t i = 0; i < length; ++i) { dw[to + i] += sum[from + i]; }
      });
    }
  }

 private:
  float* Zeros(Workspace* space) const {
    memory zeros = space->Take(Plain(dims_));
    std::memset(zeros.get_data_handle(), 0, zeros.get_desc().get_size());
    return static_cast<float*>(zeros.get_data_handle());
  }

  // f(begin in the weights, begin in the merged ones, length) for each output.
  template <typename F>
  void ForEachRow(const F& f) const {
    const size_t length = static_cast<size_t>(channels_) * area_;
    for (int o = 0; o < groups_ * outputs_; ++o) {
      f(o * length, (o * merged_ + o / outputs_ % merged_) * length, length);
    }
  }

  int merged_, groups_, outputs_, channels_, area_;
  Dims dims_;
};

// A convolution as a pass computes it: without dilation, where images of every
// d-th row and column can do that.
struct Geometry {
  explicit Geometry(const ConvolutionShape& s) : Geometry(s, Divide(s)) {}

  Images source, target;
  Dims strides, dilates, pad, end_pad;

 private:
  enum Division {
    NONE,
    ALL,    // stride 1: each image's outputs are an image of their own
    FIRST,  // stride d: the first image alone is looked at
  };

  static Division Divide(const ConvolutionShape& s) {
    const int* d = s.dilation;
    if ((d[0] == 1 && d[1] == 1) || s.pad[0] % d[0] || s.pad[1] % d[1]) {
      return NONE;
    }
    return s.stride[0] == 1 && s.stride[1] == 1 ? ALL :
        s.stride[0] == d[0] && s.stride[1] == d[1] ? FIRST : NONE;
  }

  Geometry(const ConvolutionShape& s, Division division)
      : source(s.num, s.channels, s.input, Step(s, division != NONE),
               division == ALL),
        target(s.num, s.outputs, s.output, Step(s, division == ALL), true) {
    for (int i = 0; i < 2; ++i) {
      strides.push_back(division == NONE ? s.stride[i] : 1);
      dilates.push_back(division == NONE ? s.dilation[i] - 1 : 0);
      pad.push_back(s.pad[i] / Step(s, division != NONE)[i]);
      // What the last output reaches of it; less than nothing, if not all rows.
      const int extent = (dilates[i] + 1) * (s.kernel[i] - 1) + 1;
      end_pad.push_back((target.dims()[i + 2] - 1) * strides[i] + extent
          - source.dims()[i + 2] - pad[i]);
    }
  }

  static const int* Step(const ConvolutionShape& s, bool dilation) {
    static const int kOne[] = {1, 1};
    return dilation ? s.dilation : kOne;
  }
};

class Convolution : public OneDNNConvolution {
 public:
  Convolution(const ConvolutionShape& s, bool bias)
      : groups_(s), geometry_(s), bias_(bias), outputs_(s.outputs),
        described_(Describe()) {
    forward_.reset(new Pass(described_, described_.src_desc(), Reordering::TO_PASS,
        described_.weights_desc(), Reordering::TO_PASS, described_.dst_desc(),
        Reordering::FROM_PASS, *this));
  }

  std::string Implementation() const { return described_.impl_info_str(); }

  virtual void Forward(const float* x, const float* w, const float* b,
      float* y) {
    WithErrors([&] {
      Pass& pass = *forward_;
      Workspace space(pass.need);
      float* images = geometry_.target.Room(y, &space);
      const memory target = pass.target.Room(images, &space);
      std::unordered_map<int, memory> arguments = {
          {DNNL_ARG_SRC, pass.source.Read(geometry_.source.Gather(x, &space), &space)},
          {DNNL_ARG_WEIGHTS,
           pass.weights.Read(groups_.Merge(w, &space), &space)},
          {DNNL_ARG_DST, target},
          {DNNL_ARG_SCRATCHPAD, space.Take(pass.scratchpad)}};
      if (bias_) {
        arguments[DNNL_ARG_BIAS] = At(BiasLayout(), b);
      }
      pass.primitive.execute(Stream(), arguments);
      pass.target.Write(target, images);
      geometry_.target.Scatter(images, y);
    });
  }

  virtual void BackwardData(const float* dy, const float* w, float* dx) {
    WithErrors([&] {
      if (!backward_data_) {
        const dnnl::convolution_backward_data::primitive_desc chosen(Cpu(),
            dnnl::algorithm::convolution_direct, Any(geometry_.source.dims()),
            Any(groups_.dims()), Any(geometry_.target.dims()), geometry_.strides,
            geometry_.dilates, geometry_.pad, geometry_.end_pad, described_,
            Attributes());
        backward_data_.reset(new Pass(chosen, chosen.diff_src_desc(),
            Reordering::FROM_PASS, chosen.weights_desc(), Reordering::TO_PASS,
            chosen.diff_dst_desc(), Reordering::TO_PASS, *this));
      }
      Pass& pass = *backward_data_;
      Workspace space(pass.need);
      float* images = geometry_.source.Room(dx, &space);
      const memory source = pass.source.Room(images, &space);
      pass.primitive.execute(Stream(), {
          {DNNL_ARG_DIFF_DST, pass.target.Read(geometry_.target.Gather(dy, &space), &space)},
          {DNNL_ARG_WEIGHTS,
           pass.weights.Read(groups_.Merge(w, &space), &space)},
          {DNNL_ARG_DIFF_SRC, source},
          {DNNL_ARG_SCRATCHPAD, space.Take(pass.scratchpad)}});
      pass.source.Write(source, images);
      geometry_.source.Scatter(images, dx);
    });
  }

  virtual void BackwardWeights(const float* x, const float* dy, float* dw,
      float* db) {
    WithErrors([&] {
      if (!backward_weights_) {
        const dnnl::convolution_backward_weights::primitive_desc chosen(Cpu(),
            dnnl::algorithm::convolution_direct, Any(geometry_.source.dims()),
            Any(groups_.dims()), bias_ ? BiasLayout() : memory::desc(),
            Any(geometry_.target.dims()), geometry_.strides, geometry_.dilates,
            geometry_.pad, geometry_.end_pad, described_, Attributes());
        backward_weights_.reset(new Pass(chosen, chosen.src_desc(),
            Reordering::TO_PASS, chosen.diff_weights_desc(), Reordering::ADD_FROM_PASS,
            chosen.diff_dst_desc(), Reordering::TO_PASS, *this));
      }
      Pass& pass = *backward_weights_;
      Workspace space(pass.need);
      float* sum = groups_.Sum(dw, &space);
      const memory weights = pass.weights.Room(sum, &space);
      std::unordered_map<int, memory> arguments = {
          {DNNL_ARG_SRC, pass.source.Read(geometry_.source.Gather(x, &space), &space)},
          {DNNL_ARG_DIFF_DST, pass.target.Read(geometry_.target.Gather(dy, &space), &space)},
          {DNNL_ARG_DIFF_WEIGHTS, weights},
          {DNNL_ARG_SCRATCHPAD, space.Take(pass.scratchpad)}};
      if (bias_) {
        arguments[DNNL_ARG_DIFF_BIAS] = space.Take(BiasLayout());
      }
      pass.primitive.execute(Stream(), arguments);
      pass.weights.Write(weights, sum);
      groups_.Split(sum, dw);
      if (bias_ && db) {
        const float* gradient = static_cast<const float*>(
            arguments[DNNL_ARG_DIFF_BIAS].get_data_handle());
        for (int o = 0; o < outputs_; ++o) { db[o] += gradient[o]; }
      }
    });
  }

 private:
  // Forward, or the gradient of one operand.
  struct Pass {
    template <typename Chosen>
    Pass(const Chosen& chosen, const memory::desc& source_layout,
        Reordering::Direction source_direction, const memory::desc& weights_layout,
        Reordering::Direction weights_direction, const memory::desc& target_layout,
        Reordering::Direction target_direction, const Convolution& of)
        : primitive(chosen.get()), scratchpad(chosen.scratchpad_desc()),
          source(of.geometry_.source.dims(), source_layout, source_direction),
          weights(of.groups_.dims(), weights_layout, weights_direction),
          target(of.geometry_.target.dims(), target_layout, target_direction),
          need(source.Need() + weights.Need() + target.Need()
              + of.geometry_.source.Need() + of.geometry_.target.Need()
              + of.groups_.Need() + Workspace::Need(scratchpad)
              + Workspace::Need(of.BiasLayout())) {}

    dnnl::primitive primitive;
    memory::desc scratchpad;
    Reordering source, weights, target;
    size_t need;
  };

  memory::desc BiasLayout() const { return Plain({outputs_}); }

  static dnnl::primitive_attr Attributes() {
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    return attributes;
  }

  dnnl::convolution_forward::primitive_desc Describe() const {
    return dnnl::convolution_forward::primitive_desc(Cpu(),
        dnnl::prop_kind::forward_training, dnnl::algorithm::convolution_direct,
        Any(geometry_.source.dims()), Any(groups_.dims()),
        bias_ ? BiasLayout() : memory::desc(), Any(geometry_.target.dims()),
        geometry_.strides, geometry_.dilates, geometry_.pad, geometry_.end_pad,
        Attributes());
  }

  const MergedGroups groups_;
  const Geometry geometry_;
  const bool bias_;
  const int outputs_;
  const dnnl::convolution_forward::primitive_desc described_;
  std::unique_ptr<Pass> forward_, backward_data_, backward_weights_;
};

}  // namespace

bool ConvolutionShape::operator==(const ConvolutionShape& other) const {
  static_assert(sizeof(ConvolutionShape) == 16 * sizeof(int), "no gaps");
  return std::memcmp(this, &other, sizeof(other)) == 0;
}

std::unique_ptr<OneDNNConvolution> OneDNNConvolution::Make(
    const ConvolutionShape& shape, bool bias) {
  try {
    std::unique_ptr<Convolution> made(new Convolution(shape, bias));
    if (made->Implementation().find("ref") != 0) {
      return std::move(made);
    }
  } catch (const dnnl::error&) {
    // not supported
  }
  return NULL;
}

}  // namespace caffe
#endif  // USE_ONEDNN
