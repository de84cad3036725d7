// A binary solver state: it is restored, and a step is done from there.
#include "fuzz.hpp"
#include "mutate_proto.hpp"

#include "caffe/sgd_solvers.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::WriteFile("input.solverstate", data, size);
  fuzz::Try([] {
    caffe::SGDSolver<float> solver("solver.prototxt");
    solver.Restore("input.solverstate");
    solver.Step(1);
  });
  return 0;
}

FUZZ_PROTO(caffe::SolverState, Binary,
           std::vector<std::string>())
