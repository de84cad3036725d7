#ifdef USE_ONEDNN
#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "caffe/common.hpp"
#include "caffe/util/onednn_convolution.hpp"
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

memory::desc Strided(const Dims& dims, const Dims& strides) {
  return memory::desc(dims, memory::data_type::f32, strides);
}

memory::desc Plain(const Dims& dims) {
  Dims strides(dims.size(), 1);
  for (size_t i = dims.size() - 1; i > 0; --i) {
    strides[i - 1] = strides[i] * dims[i];
  }
  return Strided(dims, strides);
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

// A blob as a pass sees it: whole, or some of its rows and columns as images of
// their own, one part after the other along the batch.
struct View {
  struct Part {
    memory::desc desc;
    size_t offset;  // in numbers, from the blob's first
  };

  // Every step-th row and column, from each of the first ones, or from the very
  // first alone. Images with fewer rows or columns than others end in zeros.
  View(int num, int channels, const int* size, const int* step, bool all) {
    const int starts[] = {all ? step[0] : 1, all ? step[1] : 1};
    const memory::dim area = static_cast<memory::dim>(size[0]) * size[1];
    const Dims strides = {channels * area, area, step[0] * size[1], step[1]};
    const auto length = [&](int axis, int start) {
      return (size[axis] - start + step[axis] - 1) / step[axis];
    };
    num_ = num;
    dims = {num * starts[0] * starts[1], channels, length(0, 0), length(1, 0)};
    for (int y = 0; y < starts[0]; ++y) {
      for (int x = 0; x < starts[1]; ++x) {
        if (length(0, y) > 0 && length(1, x) > 0) {
          parts.push_back({Strided({num, channels, length(0, y), length(1, x)},
              strides), static_cast<size_t>(y) * size[1] + x});
        }
      }
    }
    padded = all && (size[0] % step[0] || size[1] % step[1]);
    partial = !all && (step[0] > 1 || step[1] > 1);
    count = num * channels * area;
  }

  // All of an array.
  explicit View(const Dims& dims)
      : dims(dims), parts({{Plain(dims), 0}}), padded(false), partial(false),
        count(Plain(dims).get_size() / sizeof(float)), num_(dims[0]) {}

  // Where part i is in an array of dims.
  memory::desc Place(const memory::desc& array, size_t i) const {
    if (parts.size() == 1) {
      return array;
    }
    Dims offset(dims.size(), 0);
    offset[0] = i * num_;
    return array.submemory_desc(parts[i].desc.get_dims(), offset);
  }

  Dims dims;
  std::vector<Part> parts;
  bool padded;   // the parts leave something of the array to zeros
  bool partial;  // and something of the blob
  size_t count;  // the blob's

 private:
  int num_;
};

// Copies between a blob and an array in a pass's own layout.
class Transfer {
 public:
  enum Direction { TO_PASS, TO_BLOB, ADD_TO_BLOB };

  Transfer(const View& view, const memory::desc& array, Direction direction)
      : view_(view), array_(array), in_place_(direction != ADD_TO_BLOB &&
            view.parts.size() == 1 && view.parts[0].desc == array) {
    dnnl::primitive_attr attributes;
    if (direction == ADD_TO_BLOB) {
      dnnl::post_ops sum;
      sum.append_sum(1);
      attributes.set_post_ops(sum);
    }
    for (size_t i = 0; i < view.parts.size() && !in_place_; ++i) {
      const memory::desc& blob = view.parts[i].desc;
      const memory::desc place = view.Place(array, i);
      places_.push_back(place);
      copies_.push_back(dnnl::reorder(direction == TO_PASS ?
          dnnl::reorder::primitive_desc(Cpu(), blob, Cpu(), place, attributes) :
          dnnl::reorder::primitive_desc(Cpu(), place, Cpu(), blob, attributes)));
    }
  }

  size_t Need() const { return in_place_ ? 0 : Workspace::Need(array_); }

  // The array, filled.
  memory Read(const float* blob, Workspace* space) {
    memory array = Room(blob, space);
    if (!in_place_ && view_.padded) {
      std::memset(array.get_data_handle(), 0, array_.get_size());
    }
    for (size_t i = 0; i < copies_.size(); ++i) {
      memory from = At(view_.parts[i].desc, blob + view_.parts[i].offset);
      memory to(places_[i], Cpu(), array.get_data_handle());
      copies_[i].execute(Stream(), from, to);
    }
    return array;
  }

  // The array, to be filled and handed to Write.
  memory Room(const float* blob, Workspace* space) const {
    return in_place_ ? At(array_, blob) : space->Take(array_);
  }

  void Write(const memory& array, float* blob) {
    if (view_.partial) {
      std::memset(blob, 0, view_.count * sizeof(float));
    }
    for (size_t i = 0; i < copies_.size(); ++i) {
      memory from(places_[i], Cpu(), array.get_data_handle());
      memory to = At(view_.parts[i].desc, blob + view_.parts[i].offset);
      copies_[i].execute(Stream(), from, to);
    }
  }

 private:
  View view_;
  memory::desc array_;
  bool in_place_;
  std::vector<memory::desc> places_;
  std::vector<dnnl::reorder> copies_;
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

// A convolution without dilation that does what the one with it does.
struct Undilated {
  explicit Undilated(const ConvolutionShape& s) {
    bool possible = true;
    for (int i = 0; i < 2; ++i) {
      const int d = s.dilation[i];
      possible = possible && s.pad[i] % d == 0
          && (s.stride[i] == 1 || s.stride[i] == d);
    }
    // Each stride's own rows meet in the output, which is whole then.
    const bool whole_target = s.stride[0] == s.dilation[0]
        && s.stride[1] == s.dilation[1];
    const bool parts = s.stride[0] == 1 && s.stride[1] == 1;
    possible = possible && (whole_target || parts);
    const int one[] = {1, 1};
    const int* step = possible ? s.dilation : one;
    source.reset(new View(s.num, s.channels, s.input, step,
        !(possible && whole_target)));
    target.reset(new View(s.num, s.outputs, s.output,
        possible && whole_target ? one : step, true));
    for (int i = 0; i < 2; ++i) {
      strides.push_back(possible && whole_target ? 1 : s.stride[i]);
      dilates.push_back(possible ? 0 : s.dilation[i] - 1);
      pad.push_back(s.pad[i] / step[i]);
      // Rows of padding at the end that reach the output: not always as many.
      const int extent = (dilates[i] + 1) * (s.kernel[i] - 1) + 1;
      end_pad.push_back((target->dims[i + 2] - 1) * strides[i] + extent
          - source->dims[i + 2] - pad[i]);
    }
  }

  std::unique_ptr<View> source, target;
  Dims strides, dilates, pad, end_pad;
};

class Convolution : public OneDNNConvolution {
 public:
  Convolution(const ConvolutionShape& s, bool bias)
      : groups_(s), geometry_(s), bias_(bias), outputs_(s.outputs),
        described_(Describe()) {
    forward_.reset(new Pass(described_, described_.src_desc(), Transfer::TO_PASS,
        described_.weights_desc(), Transfer::TO_PASS, described_.dst_desc(),
        Transfer::TO_BLOB, *this));
  }

  std::string Implementation() const { return described_.impl_info_str(); }

  virtual void Forward(const float* x, const float* w, const float* b,
      float* y) {
    WithErrors([&] {
      Pass& pass = *forward_;
      Workspace space(pass.need);
      const memory target = pass.target.Room(y, &space);
      std::unordered_map<int, memory> arguments = {
          {DNNL_ARG_SRC, pass.source.Read(x, &space)},
          {DNNL_ARG_WEIGHTS,
           pass.weights.Read(groups_.Merge(w, &space), &space)},
          {DNNL_ARG_DST, target},
          {DNNL_ARG_SCRATCHPAD, space.Take(pass.scratchpad)}};
      if (bias_) {
        arguments[DNNL_ARG_BIAS] = At(BiasLayout(), b);
      }
      pass.primitive.execute(Stream(), arguments);
      pass.target.Write(target, y);
    });
  }

  virtual void BackwardData(const float* dy, const float* w, float* dx) {
    WithErrors([&] {
      if (!backward_data_) {
        const dnnl::convolution_backward_data::primitive_desc chosen(Cpu(),
            dnnl::algorithm::convolution_direct, Any(geometry_.source->dims),
            Any(groups_.dims()), Any(geometry_.target->dims), geometry_.strides,
            geometry_.dilates, geometry_.pad, geometry_.end_pad, described_,
            Attributes());
        backward_data_.reset(new Pass(chosen, chosen.diff_src_desc(),
            Transfer::TO_BLOB, chosen.weights_desc(), Transfer::TO_PASS,
            chosen.diff_dst_desc(), Transfer::TO_PASS, *this));
      }
      Pass& pass = *backward_data_;
      Workspace space(pass.need);
      const memory source = pass.source.Room(dx, &space);
      pass.primitive.execute(Stream(), {
          {DNNL_ARG_DIFF_DST, pass.target.Read(dy, &space)},
          {DNNL_ARG_WEIGHTS,
           pass.weights.Read(groups_.Merge(w, &space), &space)},
          {DNNL_ARG_DIFF_SRC, source},
          {DNNL_ARG_SCRATCHPAD, space.Take(pass.scratchpad)}});
      pass.source.Write(source, dx);
    });
  }

  virtual void BackwardWeights(const float* x, const float* dy, float* dw,
      float* db) {
    WithErrors([&] {
      if (!backward_weights_) {
        const dnnl::convolution_backward_weights::primitive_desc chosen(Cpu(),
            dnnl::algorithm::convolution_direct, Any(geometry_.source->dims),
            Any(groups_.dims()), bias_ ? BiasLayout() : memory::desc(),
            Any(geometry_.target->dims), geometry_.strides, geometry_.dilates,
            geometry_.pad, geometry_.end_pad, described_, Attributes());
        backward_weights_.reset(new Pass(chosen, chosen.src_desc(),
            Transfer::TO_PASS, chosen.diff_weights_desc(), Transfer::ADD_TO_BLOB,
            chosen.diff_dst_desc(), Transfer::TO_PASS, *this));
      }
      Pass& pass = *backward_weights_;
      Workspace space(pass.need);
      float* sum = groups_.Sum(dw, &space);
      const memory weights = pass.weights.Room(sum, &space);
      std::unordered_map<int, memory> arguments = {
          {DNNL_ARG_SRC, pass.source.Read(x, &space)},
          {DNNL_ARG_DIFF_DST, pass.target.Read(dy, &space)},
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
        Transfer::Direction source_direction, const memory::desc& weights_layout,
        Transfer::Direction weights_direction, const memory::desc& target_layout,
        Transfer::Direction target_direction, const Convolution& of)
        : primitive(chosen.get()), scratchpad(chosen.scratchpad_desc()),
          source(*of.geometry_.source, source_layout, source_direction),
          weights(View(of.groups_.dims()), weights_layout, weights_direction),
          target(*of.geometry_.target, target_layout, target_direction),
          need(source.Need() + weights.Need() + target.Need()
              + of.groups_.Need() + Workspace::Need(scratchpad)
              + Workspace::Need(of.BiasLayout())) {}

    dnnl::primitive primitive;
    memory::desc scratchpad;
    Transfer source, weights, target;
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
        Any(geometry_.source->dims), Any(groups_.dims()),
        bias_ ? BiasLayout() : memory::desc(), Any(geometry_.target->dims),
        geometry_.strides, geometry_.dilates, geometry_.pad, geometry_.end_pad,
        Attributes());
  }

  const MergedGroups groups_;
  const Undilated geometry_;
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
