#ifndef FUZZ_FUZZ_HPP_
#define FUZZ_FUZZ_HPP_

#include <cstdint>
#include <cstdio>
#include <string>

#include "caffe/caffe.hpp"
#include "caffe/util/limits.hpp"

// What the harnesses share. They run in a folder of their own (tools/fuzz.sh),
// in which tests/fuzz/seeds.py has put the files that inputs name.
namespace fuzz {

// Small: what is allowed takes its time with the sanitizers.
const size_t kMemoryLimit = 16 << 20;

/// @brief The input as a file of that name.
inline void WriteFile(const char* name, const uint8_t* data, size_t size) {
  FILE* file = fopen(name, "wb");
  if (!file || fwrite(data, 1, size, file) != size || fclose(file) != 0) {
    perror(name);
    abort();
  }
}

/// @brief Runs what an input asks for. It may throw a caffe::Error; all else is
///        a finding, any other exception too.
template <typename Work>
void Try(const Work& work) {
  caffe::SetMemoryLimit(kMemoryLimit);
  caffe::Caffe::set_random_seed(1);
  try {
    work();
  } catch (const caffe::Error&) {
  }
}

/// @brief Whether a pass through the net takes a moment only: no layer does more
///        than read all of its bottoms for each value of its tops, and all of
///        its weights for each image.
inline bool IsQuick(const caffe::Net<float>& net) {
  const double kMost = 1 << 25;
  double work = 0;
  for (size_t i = 0; i < net.layers().size(); ++i) {
    double bottoms = 1, tops = 1;
    for (const auto* blob : net.bottom_vecs()[i]) { bottoms += blob->count(); }
    for (const auto* blob : net.top_vecs()[i]) { tops += blob->count(); }
    for (const auto& blob : net.layers()[i]->blobs()) { bottoms += blob->count(); }
    work += bottoms * tops;
  }
  return work <= kMost;
}

}  // namespace fuzz

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  FLAGS_minloglevel = google::GLOG_FATAL;
  return 0;
}

#endif  // FUZZ_FUZZ_HPP_
