#ifdef USE_ONEDNN
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "caffe/common.hpp"
#include "caffe/util/onednn_convolution.hpp"
#include "caffe/util/onednn_groups.hpp"
#include "caffe/util/onednn_images.hpp"
#include "caffe/util/onednn_workspace.hpp"

namespace caffe {

namespace {

using namespace onednn;  // NOLINT
using dnnl::memory;

typedef memory::dims Dims;

memory::desc Any(const Dims& dims) {
  return memory::desc(dims, memory::data_type::f32, memory::format_tag::any);
}

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
