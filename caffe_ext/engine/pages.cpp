#include "engine/pages.hpp"

#ifdef __linux__
#include <sys/mman.h>
#endif

#include <cstdlib>

#include "engine/memory_plan.hpp"

namespace caffe {
namespace engine {

std::shared_ptr<char> AllocatePages(size_t bytes) {
  const size_t kLarge = 2 << 20;
  const size_t alignment = bytes < kLarge ? kAlignment : kLarge;
  const size_t whole = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  void* memory = NULL;
  if (posix_memalign(&memory, alignment, whole) != 0) {
    return NULL;
  }
#ifdef MADV_HUGEPAGE
  // The rest stays in small ones, lest it take more memory.
  madvise(memory, whole / kLarge * kLarge, MADV_HUGEPAGE);
#endif
  return std::shared_ptr<char>(static_cast<char*>(memory), std::free);
}

}  // namespace engine
}  // namespace caffe
