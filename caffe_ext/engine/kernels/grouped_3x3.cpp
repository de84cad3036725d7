#include "engine/kernels/grouped_3x3.hpp"

#include <omp.h>

#include <algorithm>
#include <cstring>

#include "engine/parallel.hpp"

#ifdef __AVX2__
#include <immintrin.h>

#define ALWAYS_INLINE inline __attribute__((always_inline))

namespace caffe {
namespace engine {

namespace {

const int kLanes = 8;

struct Branch {
  const float* weights;  // [C / 8][ky][channel of the group][kx][8]
  std::vector<float> bias;
  float slope;  // of negative results; 1 leaves them as they are
  int dilation, pad;
};

struct Shape {
  int batch, channels, group_width;
  int height, width, out_height, out_width, stride;
  int pad;   // the branches' largest
  int unit;  // channels that one thread takes at a time

  int padded_height() const { return height + 2 * pad; }
  int padded_width() const { return width + 2 * pad; }
  size_t padded_floats() const {
    return static_cast<size_t>(padded_height()) * padded_width() * unit;
  }
};

// The i-th channel of each lane's group.
template <int I>
ALWAYS_INLINE __m256 GroupsOf4(const float* pixel) {
  return _mm256_permute_ps(_mm256_loadu_ps(pixel), I * 0x55);
}
ALWAYS_INLINE __m256 GroupOf8OrMore(const float* channel) {
  return _mm256_broadcast_ss(channel);
}

// One row of the kernel, one channel of the groups, T pixels of 8 outputs.
template <int T, int S, int D, int I>
ALWAYS_INLINE void Row(const float* in, const int step, const float* weights,
                       __m256* sum) {
  const __m256 w0 = _mm256_loadu_ps(weights);
  const __m256 w1 = _mm256_loadu_ps(weights + kLanes);
  const __m256 w2 = _mm256_loadu_ps(weights + 2 * kLanes);
#pragma GCC unroll 32
  for (int p = 0; p <= (T - 1) * S + 2 * D; ++p) {
    const bool in0 = p % S == 0 && p / S < T;
    const bool in1 = p >= D && (p - D) % S == 0 && (p - D) / S < T;
    const bool in2 = p >= 2 * D && (p - 2 * D) % S == 0;
    if (!in0 && !in1 && !in2) {
      continue;
    }
    const float* at = in + p * step;
    const __m256 x = I >= 0 ? GroupsOf4<I & 3>(at) : GroupOf8OrMore(at);
    if (in0) { sum[p / S] = _mm256_fmadd_ps(x, w0, sum[p / S]); }
    if (in1) { sum[(p - D) / S] = _mm256_fmadd_ps(x, w1, sum[(p - D) / S]); }
    if (in2) {
      sum[(p - 2 * D) / S] = _mm256_fmadd_ps(x, w2, sum[(p - 2 * D) / S]);
    }
  }
}

template <int T, int S, int D>
ALWAYS_INLINE void Tile(const float* in, const int step, const int row,
    const int width, const float* weights, const __m256 bias,
    const __m256 slope, float* out, const int out_step, __m256* total) {
  __m256 sum[T];
#pragma GCC unroll 8
  for (int t = 0; t < T; ++t) {
    sum[t] = bias;
  }
  for (int ky = 0; ky < 3; ++ky, in += D * row) {
    if (width == 4) {
      Row<T, S, D, 0>(in, step, weights, sum);
      Row<T, S, D, 1>(in, step, weights + 3 * kLanes, sum);
      Row<T, S, D, 2>(in, step, weights + 6 * kLanes, sum);
      Row<T, S, D, 3>(in, step, weights + 9 * kLanes, sum);
      weights += 12 * kLanes;
    } else {
      for (int i = 0; i < width; ++i, weights += 3 * kLanes) {
        Row<T, S, D, -1>(in + i, step, weights, sum);
      }
    }
  }
#pragma GCC unroll 8
  for (int t = 0; t < T; ++t) {
    // NaN is not above 0, and stays NaN.
    const __m256 positive =
        _mm256_cmp_ps(sum[t], _mm256_setzero_ps(), _CMP_GT_OQ);
    const __m256 y = _mm256_blendv_ps(_mm256_mul_ps(sum[t], slope), sum[t],
                                      positive);
    _mm256_storeu_ps(out + t * out_step, y);
    *total = _mm256_add_ps(*total, y);
  }
}

// All pixels of a branch's 8 outputs; adds their sum up in total.
template <int S, int D>
void Plane(const Shape& shape, const float* padded, const float* weights,
           const float* bias, float slope, float* out, float* total) {
  const int row = shape.padded_width() * shape.unit;
  const int step = shape.unit, out_step = shape.channels;
  const __m256 b = _mm256_loadu_ps(bias), s = _mm256_set1_ps(slope);
  __m256 plane = _mm256_loadu_ps(total);
  for (int y = 0; y < shape.out_height; ++y) {
    const float* in = padded + static_cast<size_t>(y) * S * row;
    __m256 line = _mm256_setzero_ps();
    int x = 0;
    // 7 divides the widths of ImageNet's nets: 56, 28, 14, 7.
#define TILES(T)                                                            \
    for (; x + T <= shape.out_width; x += T, in += T * S * step) {          \
      Tile<T, S, D>(in, step, row, shape.group_width, weights, b, s,        \
                    out + static_cast<size_t>(x) * out_step, out_step,      \
                    &line);                                                 \
    }
    TILES(7) TILES(4) TILES(2) TILES(1)
#undef TILES
    out += static_cast<size_t>(shape.out_width) * out_step;
    plane = _mm256_add_ps(plane, line);
  }
  _mm256_storeu_ps(total, plane);
}

typedef void (*PlaneFunction)(const Shape&, const float*, const float*,
    const float*, float, float*, float*);

PlaneFunction Find(int stride, int dilation) {
  if (stride == 1) {
    return dilation == 1 ? Plane<1, 1> : dilation == 2 ? Plane<1, 2> :
        dilation == 3 ? Plane<1, 3> : NULL;
  }
  return stride != 2 ? NULL : dilation == 1 ? Plane<2, 1> :
      dilation == 2 ? Plane<2, 2> : dilation == 3 ? Plane<2, 3> : NULL;
}

// A unit's channels of one image, with zeros around.
void Pad(const Shape& shape, const float* image, float* padded) {
  const int unit = shape.unit, pad = shape.pad;
  const size_t side = static_cast<size_t>(pad) * unit;
  const size_t edge = side * shape.padded_width();
  std::memset(padded, 0, edge * sizeof(float));
  padded += edge;
  for (int y = 0; y < shape.height; ++y) {
    std::memset(padded, 0, side * sizeof(float));
    padded += side;
    for (int x = 0; x < shape.width; ++x) {
      for (int i = 0; i < unit; i += kLanes) {
        _mm256_storeu_ps(padded + i, _mm256_loadu_ps(image + i));
      }
      padded += unit;
      image += shape.channels;
    }
    std::memset(padded, 0, side * sizeof(float));
    padded += side;
  }
  std::memset(padded, 0, edge * sizeof(float));
}

std::vector<float> Pack(const std::vector<float>& plain, int outputs) {
  const int width = plain.size() / (9 * outputs);
  std::vector<float> packed;
  packed.reserve(plain.size());
  for (int first = 0; first < outputs; first += kLanes) {
    for (int ky = 0; ky < 3; ++ky) {
      for (int i = 0; i < width; ++i) {
        for (int kx = 0; kx < 3; ++kx) {
          for (int lane = 0; lane < kLanes; ++lane) {
            packed.push_back(
                plain[((first + lane) * width + i) * 9 + ky * 3 + kx]);
          }
        }
      }
    }
  }
  return packed;
}

class Grouped3x3 : public Step {
 public:
  Grouped3x3(const std::vector<const Convolution*>& branches,
      const Value& input, const Value& output, bool mean)
      : mean_(mean), threads_(omp_get_max_threads()) {
    shape_.batch = input.shape[0];
    shape_.channels = input.shape[1];
    shape_.group_width = branches[0]->in_per_group();
    shape_.height = input.shape[2];
    shape_.width = input.shape[3];
    shape_.out_height = output.shape[2];
    shape_.out_width = output.shape[3];
    shape_.stride = branches[0]->stride[0];
    // Whole cache lines, where there are as many channels.
    shape_.unit = std::max(shape_.channels % 16 ? 8 : 16,
                           shape_.group_width);
    shape_.pad = 0;
    for (const Convolution* op : branches) {
      const float* weights = op->weights->InOwn(
          [op](const std::vector<float>& plain) {
        return Pack(plain, op->num_output);
      });
      branches_.push_back({weights, op->bias,
          op->relu ? op->negative_slope : 1, op->dilation[0], op->pad[0]});
      shape_.pad = std::max(shape_.pad, op->pad[0]);
    }
  }

  virtual void Run(const Buffers& buffers) {
    const int units = shape_.channels / shape_.unit;
    Parallel(shape_.batch * units, [&](int i) {
      Unit(i / units, i % units * shape_.unit, buffers,
           buffers.scratch + omp_get_thread_num() * shape_.padded_floats());
    });
  }

  virtual size_t ScratchFloats() const {
    return threads_ * shape_.padded_floats();
  }
  virtual std::string Implementation() const { return "own AVX2"; }

 private:
  void Unit(int n, int channel, const Buffers& buffers, float* padded) const {
    const size_t image = static_cast<size_t>(shape_.height) * shape_.width;
    Pad(shape_, buffers.inputs[0] + n * image * shape_.channels + channel,
        padded);
    const size_t plane =
        static_cast<size_t>(shape_.out_height) * shape_.out_width;
    for (int c = channel; c < channel + shape_.unit; c += kLanes) {
      float total[kLanes] = {0};
      for (size_t b = 0; b < branches_.size(); ++b) {
        const Branch& branch = branches_[b];
        const int width = shape_.group_width;
        const int first = width == 4 ? c : c / width * width;
        const size_t shift = static_cast<size_t>(shape_.pad - branch.pad) *
            (shape_.padded_width() + 1) * shape_.unit;
        Find(shape_.stride, branch.dilation)(shape_,
            padded + shift + first - channel,
            branch.weights + static_cast<size_t>(c) * 9 * width,
            branch.bias.data() + c, branch.slope,
            buffers.outputs[b] + n * plane * shape_.channels + c, total);
      }
      if (mean_) {
        float* mean = buffers.outputs[branches_.size()] +
            n * shape_.channels + c;
        for (int lane = 0; lane < kLanes; ++lane) {
          mean[lane] = total[lane] / plane;
        }
      }
    }
  }

  std::vector<Branch> branches_;
  Shape shape_;
  const bool mean_;
  const int threads_;
};

}  // namespace

bool FitsGrouped3x3(const Convolution& op) {
  const int width = op.in_per_group();
  const bool square = op.stride[0] == op.stride[1] && op.pad[0] == op.pad[1] &&
      op.dilation[0] == op.dilation[1];
  return op.inputs.size() == 1 && op.kernel[0] == 3 && op.kernel[1] == 3 &&
      square && op.group > 1 && op.num_output == width * op.group &&
      (width == 4 || (width % kLanes == 0 && width <= 32)) &&
      op.num_output % kLanes == 0 &&
      Find(op.stride[0], op.dilation[0]) != NULL;
}

std::unique_ptr<Step> MakeGrouped3x3(
    const std::vector<const Convolution*>& branches, const Value& input,
    const Value& output, bool mean) {
  return std::unique_ptr<Step>(
      new Grouped3x3(branches, input, output, mean));
}

}  // namespace engine
}  // namespace caffe

#else

namespace caffe {
namespace engine {

bool FitsGrouped3x3(const Convolution&) { return false; }

std::unique_ptr<Step> MakeGrouped3x3(const std::vector<const Convolution*>&,
    const Value&, const Value&, bool) {
  return nullptr;
}

}  // namespace engine
}  // namespace caffe

#endif
