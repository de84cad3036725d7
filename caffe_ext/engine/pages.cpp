#include "engine/pages.hpp"

#ifdef __linux__
#include <sys/mman.h>
#include <unistd.h>
#endif

#include <cstdint>
#include <cstdlib>

#include "engine/memory_plan.hpp"

namespace caffe {
namespace engine {

namespace {

size_t RoundUp(size_t bytes, size_t multiple) {
  return (bytes + multiple - 1) / multiple * multiple;
}

#ifdef MADV_HUGEPAGE
// From the system: a heap would keep what lies between such multiples.
std::shared_ptr<char> AllocateLargePages(size_t bytes, size_t large) {
  const size_t whole = RoundUp(bytes, sysconf(_SC_PAGESIZE));
  const size_t mapped = whole + large;
  void* const begin = mmap(NULL, mapped, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (begin == MAP_FAILED) {
    return NULL;
  }
  char* const first = static_cast<char*>(begin);
  const size_t skipped =
      RoundUp(reinterpret_cast<uintptr_t>(begin), large) -
      reinterpret_cast<uintptr_t>(begin);
  char* const memory = first + skipped;
  if (skipped > 0) { munmap(first, skipped); }
  if (skipped < large) { munmap(memory + whole, large - skipped); }
  // The rest stays in small ones, lest it take more memory.
  madvise(memory, whole / large * large, MADV_HUGEPAGE);
  return std::shared_ptr<char>(memory, [=](char* p) { munmap(p, whole); });
}
#endif

}  // namespace

std::shared_ptr<char> AllocatePages(size_t bytes) {
#ifdef MADV_HUGEPAGE
  const size_t kLarge = 2 << 20;
  if (bytes >= kLarge) {
    return AllocateLargePages(bytes, kLarge);
  }
#endif
  return std::shared_ptr<char>(static_cast<char*>(std::aligned_alloc(
      kAlignment, RoundUp(bytes, kAlignment))), std::free);
}

}  // namespace engine
}  // namespace caffe
