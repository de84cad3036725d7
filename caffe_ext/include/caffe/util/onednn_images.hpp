#ifndef CAFFE_UTIL_ONEDNN_IMAGES_HPP_
#define CAFFE_UTIL_ONEDNN_IMAGES_HPP_

#include <algorithm>

#include "caffe/util/onednn_workspace.hpp"
#include "caffe/util/parallel_for.hpp"

namespace caffe {
namespace onednn {

/**
 * @brief A blob's images as a pass gets them: as they are, or every step-th row
 *        and column as an image of its own, from each of the first ones or from
 *        the very first alone.
 *
 * Such images are equally large, some with zeros in the end.
 */
class Images {
 public:
  Images(int num, int channels, const int* size, const int* step, bool all)
      : num_(num), channels_(channels), height_(size[0]), width_(size[1]),
        step_h_(step[0]), step_w_(step[1]), parts_h_(all ? step[0] : 1),
        parts_w_(all ? step[1] : 1),
        dims_({num * parts_h_ * parts_w_, channels,
               (size[0] - 1) / step[0] + 1, (size[1] - 1) / step[1] + 1}) {}

  const dnnl::memory::dims& dims() const { return dims_; }
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

  /// @brief Where the pass's images go: to what Scatter reads, or into the
  ///        blob itself.
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
  dnnl::memory::dims dims_;
};

}  // namespace onednn
}  // namespace caffe

#endif  // CAFFE_UTIL_ONEDNN_IMAGES_HPP_
