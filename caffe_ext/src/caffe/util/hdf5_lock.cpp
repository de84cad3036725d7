#ifdef USE_HDF5
#include "caffe/util/hdf5_lock.hpp"

#include <mutex>

namespace caffe {

namespace {

std::recursive_mutex*& Mutex() {
  // Never destroyed: nets may be, by Python, at the process's end.
  static std::recursive_mutex* mutex = new std::recursive_mutex();
  return mutex;
}

}  // namespace

HDF5Lock::HDF5Lock() : lock_(*Mutex()) {
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);  // each thread has a setting of its own
}

void HDF5Lock::RenewAfterFork() { Mutex() = new std::recursive_mutex(); }

htri_t H5Fis_hdf5(const char* file) {
  const HDF5Lock hdf5;
  return ::H5Fis_hdf5(file);
}

}  // namespace caffe
#endif  // USE_HDF5
