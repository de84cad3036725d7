#include <omp.h>

#include <chrono>

#include "caffe/util/onednn.hpp"
#include "engine/device.hpp"
#include "engine/kernels/grouped_3x3.hpp"
#include "engine/pages.hpp"
#include "engine/team.hpp"

namespace caffe {
namespace engine {

namespace {

// OpenMP's number of threads, for this thread, while it lives.
class Threads {
 public:
  explicit Threads(int threads) : before_(omp_get_max_threads()) {
    omp_set_num_threads(threads);
  }
  ~Threads() { omp_set_num_threads(before_); }

 private:
  const int before_;
};

class Cpu : public Device {
 public:
  Cpu(int threads, bool bf16)
      : threads_(threads > 0 ? threads : omp_get_max_threads()), bf16_(bf16) {}

  virtual void Do(const std::function<void()>& work) {
    const Threads scope(threads_);
    onednn::WithErrors(work);
  }
  virtual bool HasKernel(const Convolution& op) const {
    return FitsGrouped3x3(op);
  }
  virtual bool Shortens() const { return bf16_; }
  virtual Type InputType(const Op& op, int i) const { return op.InputType(i); }
  virtual Type OutputType(const Op& op, int i) const { return op.OutputType(i); }

  virtual std::unique_ptr<Step> MakeStep(Op* op) { return op->MakeStep(); }
  virtual std::shared_ptr<char> Allocate(size_t bytes) {
    return AllocatePages(bytes);
  }
  virtual const float* Values(const Blob<float>& blob) {
    return blob.cpu_data();
  }
  virtual void Copy(const float* from, Blob<float>* to) {
    std::copy_n(from, to->count(), to->mutable_cpu_data());
  }
  virtual void Gather(const std::function<void()>& steps) { Team::Gather(steps); }
  virtual void Run(const std::function<void()>& steps, std::shared_ptr<void>*) {
    steps();
  }
  virtual double Milliseconds(const std::function<void()>& run) {
    typedef std::chrono::steady_clock Clock;
    const Clock::time_point start = Clock::now();
    run();
    return std::chrono::duration<double, std::milli>(Clock::now() - start)
        .count();
  }

 private:
  const int threads_;
  const bool bf16_;
};

}  // namespace

std::unique_ptr<Device> MakeCpu(int threads, const std::string& precision) {
  CHECK(precision == "f32" || precision == "bf16") << "precision '" << precision
      << "'; expected f32 or bf16 on the CPU";
#ifdef __x86_64__
  CHECK(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
      << "compiled programs need a CPU with AVX2 and FMA";
#endif
  return std::unique_ptr<Device>(new Cpu(threads, precision == "bf16"));
}

}  // namespace engine
}  // namespace caffe
