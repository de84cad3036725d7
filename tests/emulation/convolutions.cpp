// Convolutions by the engine's kernels for Tensor Cores, emulated, against their
// formula: the largest difference of each kind, relative to the largest value. Ends
// with 1 where one is more than rounding, or where a kernel does not take one.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <random>

#include "engine/gpu/few_channels.hpp"
#include "engine/gpu/grouped_3x3.hpp"
#include "engine/gpu/mma.cuh"

namespace caffe {
namespace engine {

size_t Value::count() const {
  size_t count = 1;
  for (int size : shape) { count *= size; }
  return count;
}

namespace {

std::mt19937 dice(1);

template <typename T>
std::vector<T> Draw(size_t count) {
  std::normal_distribution<float> normal;
  std::vector<T> numbers(count);
  for (T& number : numbers) { number = T(normal(dice)); }
  return numbers;
}

struct Case {
  int batch, inputs, outputs, group, height, width;
  int kernel[2], stride, pad[2];
  std::vector<int> dilations;  // a branch each
};

Convolution Make(const Case& c, int dilation, Value* in, Value* out) {
  Convolution op;
  op.inputs = {in};
  op.outputs = {out};
  op.num_output = c.outputs;
  op.group = c.group;
  for (int i = 0; i < 2; ++i) {
    op.kernel[i] = c.kernel[i];
    op.stride[i] = c.stride;
    op.pad[i] = c.group > 1 ? dilation : c.pad[i];
    op.dilation[i] = dilation;
  }
  op.weights.reset(new PackedWeights{Draw<float>(
      static_cast<size_t>(c.outputs) * c.inputs / c.group * c.kernel[0] *
      c.kernel[1])});
  op.bias = Draw<float>(c.outputs);
  op.relu = true;
  op.negative_slope = dilation % 2 ? .2f : 0;
  return op;
}

// As a product takes it: else the rounding would have to be allowed for.
template <typename T>
double Factor(float x) { return static_cast<float>(AsFactor(T(x))); }

// One output; x: N x H x W x C.
template <typename T>
double Expected(const Convolution& op, const std::vector<T>& x, int n, int h, int w,
                int output) {
  const std::vector<int>& in = op.inputs[0]->shape;
  const int inputs = op.in_per_group();
  const int first = output / (op.num_output / op.group) * inputs;
  double sum = op.bias[output];
  for (int i = 0; i < op.kernel[0]; ++i) {
    for (int j = 0; j < op.kernel[1]; ++j) {
      const int row = h * op.stride[0] - op.pad[0] + i * op.dilation[0];
      const int column = w * op.stride[1] - op.pad[1] + j * op.dilation[1];
      if (row < 0 || row >= in[2] || column < 0 || column >= in[3]) { continue; }
      const T* position =
          &x[((static_cast<size_t>(n) * in[2] + row) * in[3] + column) * in[1]];
      for (int k = 0; k < inputs; ++k) {
        const float weight = op.weights->values[
            ((static_cast<size_t>(output) * inputs + k) * op.kernel[0] + i) *
            op.kernel[1] + j];
        sum += Factor<T>(static_cast<float>(position[first + k])) * Factor<T>(weight);
      }
    }
  }
  return sum > 0 ? sum : op.negative_slope * sum;
}

// The largest difference, of the largest value; infinite where it is NaN.
template <typename T>
double Difference(const Case& c, Type type) {
  Gpu gpu(type);
  Value in, out;
  in.type = out.type = type;
  in.shape = {c.batch, c.inputs, c.height, c.width};
  std::vector<Convolution> ops;
  std::vector<const Convolution*> branches;
  for (int dilation : c.dilations) {
    ops.push_back(Make(c, dilation, &in, &out));
  }
  for (const Convolution& op : ops) { branches.push_back(&op); }
  out.shape = {c.batch, c.outputs, 0, 0};
  for (int i = 0; i < 2; ++i) {
    out.shape[2 + i] = (in.shape[2 + i] + 2 * ops[0].pad[i] -
        ops[0].dilation[i] * (c.kernel[i] - 1) - 1) / c.stride + 1;
  }
  const bool mean = ops.size() > 1, grouped = c.group > 1;
  if (grouped ? !FitsGpuGrouped3x3(ops[0], gpu) : !FitsFewChannels(ops[0], gpu)) {
    return INFINITY;
  }
  const std::unique_ptr<Step> step = grouped ?
      MakeGpuGrouped3x3(branches, in, out, mean, &gpu) : MakeFewChannels(ops[0], &gpu);

  const std::vector<T> x = Draw<T>(in.count());
  std::vector<std::vector<T> > y(ops.size(), std::vector<T>(out.count(), T(NAN)));
  std::vector<float> means(c.batch * c.outputs, NAN), scratch(step->ScratchFloats());
  Buffers buffers;
  buffers.inputs = {reinterpret_cast<char*>(const_cast<T*>(x.data()))};
  for (std::vector<T>& each : y) {
    buffers.outputs.push_back(reinterpret_cast<char*>(each.data()));
  }
  buffers.outputs.push_back(reinterpret_cast<char*>(means.data()));
  buffers.scratch = scratch.data();
  step->Run(buffers);
  step->Run(buffers);  // finds what the first has left behind

  double difference = 0, largest = 0;
  const auto compare = [&](double actual, double expected) {
    const double d = std::abs(actual - expected);
    difference = std::max(difference, std::isnan(d) ? INFINITY : d);
    largest = std::max(largest, std::abs(expected));
  };
  std::vector<double> sums(means.size());
  const int area = out.shape[2] * out.shape[3];
  for (size_t b = 0; b < ops.size(); ++b) {
    for (size_t i = 0; i < y[b].size(); ++i) {
      const int output = i % c.outputs, position = i / c.outputs % area;
      const int n = i / c.outputs / area;
      const double expected = Expected(ops[b], x, n, position / out.shape[3],
                                       position % out.shape[3], output);
      compare(static_cast<float>(y[b][i]), expected);
      sums[n * c.outputs + output] += expected;
    }
  }
  for (size_t i = 0; mean && i < sums.size(); ++i) {
    compare(means[i], sums[i] / area);
  }
  return difference / largest;
}

Case Grouped(int width, int groups, int height, int w, int stride,
             const std::vector<int>& dilations) {
  const int channels = width * groups;
  return {2, channels, channels, groups, height, w, {3, 3}, stride, {0, 0}, dilations};
}

Case First(int channels, int outputs, int height, int w, int rows, int columns,
           int pad_h, int pad_w) {
  return {2, channels, outputs, 1, height, w, {rows, columns}, 2, {pad_h, pad_w}, {1}};
}

const Case kCases[] = {
    Grouped(4, 8, 9, 12, 1, {1}), Grouped(4, 16, 7, 7, 1, {2, 1}),
    Grouped(8, 4, 30, 33, 1, {1, 2}), Grouped(8, 8, 14, 9, 2, {1, 3}),
    Grouped(16, 6, 14, 14, 1, {1, 2}), Grouped(16, 2, 15, 40, 2, {2}),
    Grouped(32, 2, 7, 7, 1, {1, 2, 3}), Grouped(32, 2, 40, 1, 1, {4}),
    Grouped(4, 8, 24, 24, 1, {4}), Grouped(32, 2, 1, 1, 1, {1}),
    First(3, 64, 40, 37, 7, 7, 3, 3), First(1, 16, 9, 8, 3, 3, 0, 0),
    First(4, 80, 13, 60, 5, 5, 2, 1), First(2, 32, 23, 70, 3, 8, 1, 4)};

template <typename T>
bool Agree(const char* name, Type type, double within) {
  bool agree = true;
  for (const Case& c : kCases) {
    const double difference = Difference<T>(c, type);
    if (!(difference < within)) {
      std::printf("%s, %d to %d channels in %d groups, %d x %d, stride %d, %zu "
                  "branches: %.1e\n", name, c.inputs, c.outputs, c.group, c.height,
                  c.width, c.stride, c.dilations.size(), difference);
      agree = false;
    }
  }
  return agree;
}

}  // namespace

}  // namespace engine
}  // namespace caffe

int main(int, char** argv) {
  using namespace caffe::engine;  // NOLINT(build/namespaces)
  const std::string type = argv[1];
  return !(type == "f16" ? Agree<__half>("f16", Type::F16, 1e-3) :
           type == "bf16" ? Agree<__nv_bfloat16>("bf16", Type::BF16, 8e-3) :
           Agree<float>("tf32", Type::F32, 1e-5));
}
