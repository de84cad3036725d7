#ifndef CAFFE_ENGINE_KERNELS_ITEMS_HPP_
#define CAFFE_ENGINE_KERNELS_ITEMS_HPP_

#include <algorithm>
#include <cmath>
#include <functional>

#include "engine/split.hpp"

namespace caffe {
namespace engine {

/// @brief Into how many parts tiles of rows and panels are split for threads.
struct Items {
  // As many as cost no more than a twentieth of the time: threads of different
  // speeds are done sooner then. `block`: tiles that are packed at a time, at most;
  // `packing`: the time of what comes before, where a panel's multiplication takes 1.
  Items(int all_tiles, int block, int all_panels, int threads, double packing) {
    const auto each = [&](const std::function<void(int, int, double)>& f) {
      const int least = Parts(all_tiles, block);
      const int most = std::min(least + threads - 1, all_tiles);
      for (int tiles = least; tiles <= most; ++tiles) {
        for (int panels = 1; panels <= all_panels; ++panels) {
          f(tiles, panels, Parts(tiles * panels, threads) *
            Parts(all_tiles, tiles) * (Parts(all_panels, panels) + packing));
        }
      }
    };
    double least = INFINITY;
    each([&](int, int, double time) { least = std::min(least, time); });
    each([&](int tiles, int panels, double time) {
      if (time <= 1.05 * least && tiles * panels > this->tiles * this->panels) {
        this->tiles = tiles;
        this->panels = panels;
      }
    });
  }
  int tiles = 0, panels = 0;
};

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_KERNELS_ITEMS_HPP_
