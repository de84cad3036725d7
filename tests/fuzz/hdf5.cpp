// An HDF5 file: as weights, as a solver's state, and as the data of an HDF5Data
// layer. Each input may be each of them.
#include "fuzz.hpp"

#include "hdf5.h"

#include "caffe/sgd_solvers.hpp"
#include "caffe/util/strict_weights.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::WriteFile("input.h5", data, size);
  // Made once: each reading takes a process (caffe/util/hdf5_open.hpp).
  static caffe::Net<float> net("weights_net.prototxt", caffe::TRAIN);
  static caffe::SGDSolver<float> solver("solver.prototxt");
  fuzz::Try([] { caffe::CopyTrainedLayersStrictly("input.h5", &net); });
  fuzz::Try([] { net.CopyTrainedLayersFromHDF5("input.h5"); });
  fuzz::Try([] {
    solver.Restore("input.h5");
    solver.Step(1);
  });
  fuzz::Try([] {
    caffe::Net<float> net("hdf5_data.prototxt", caffe::TRAIN);
    net.Forward();
  });
  if (H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL) != 0) {
    fputs("objects of HDF5 were left open\n", stderr);
    abort();
  }
  return 0;
}
