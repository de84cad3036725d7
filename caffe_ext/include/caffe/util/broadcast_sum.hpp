#ifndef CAFFE_UTIL_BROADCAST_SUM_HPP_
#define CAFFE_UTIL_BROADCAST_SUM_HPP_

#include "caffe/blob.hpp"

#ifdef __CUDACC__
#define CAFFE_HOST_DEVICE __host__ __device__
#else
#define CAFFE_HOST_DEVICE
#endif

namespace caffe {

/**
 * @brief out = @f$ \sum x\,y @f$, as a walk: each axis is one of x's, of y's or
 *        of both; those that out lacks are summed over.
 *
 * Of plain numbers, so that it can be handed to a kernel.
 */
struct BroadcastSum {
  /// A step along the axis moves so far in x and y: 0 where they lack it.
  struct Axis {
    int size, x, y;
  };

  struct Axes {
    int num, count;  // count: the product of the sizes
    Axis axes[kMaxBlobAxes];  // the fastest first

    /// @brief Moves x and y to the i-th of `count` places.
    template <typename Dtype>
    CAFFE_HOST_DEVICE void Move(int i, const Dtype** x, const Dtype** y) const {
      for (int k = 0; k < num; ++k) {
        *x += i % axes[k].size * axes[k].x;
        *y += i % axes[k].size * axes[k].y;
        i /= axes[k].size;
      }
    }
  };

  Axis row;  // the last axis, in which all arrays that have it are contiguous
  bool row_kept;  // does out have it?
  Axes kept, summed;  // the other axes: out's, and those it lacks
};

}  // namespace caffe

#endif  // CAFFE_UTIL_BROADCAST_SUM_HPP_
