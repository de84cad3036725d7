#ifndef CAFFE_ENGINE_PAGES_HPP_
#define CAFFE_ENGINE_PAGES_HPP_

#include <cstddef>
#include <memory>

namespace caffe {
namespace engine {

/// @brief Memory at a multiple of memory_plan.hpp's kAlignment, in large pages where
///        it is large and the system lends them: a net's weights are read from end to
///        end each time, more than a processor has small pages' addresses for. Null
///        where there is none.
std::shared_ptr<char> AllocatePages(size_t bytes);

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_PAGES_HPP_
