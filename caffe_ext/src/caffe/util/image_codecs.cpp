#include "caffe/util/image_codecs.hpp"

#ifdef USE_OPENCV
#include <dlfcn.h>

#include "caffe/common.hpp"

namespace caffe {

namespace {

#ifdef CAFFE_CODECS_LIBRARY
const ImageCodecs* LoadCodecs() {
  // Its place is in this library's RUNPATH: beside it.
  void* library = dlopen(CAFFE_CODECS_LIBRARY, RTLD_NOW | RTLD_LOCAL);
  CHECK(library) << "Image files: " << dlerror();
  const void* codecs = dlsym(library, "caffe_image_codecs");
  CHECK(codecs) << "Image files: " << dlerror();
  return static_cast<const ImageCodecs*>(codecs);
}
#else  // a static libcaffe
const ImageCodecs* LoadCodecs() { return &caffe_image_codecs; }
#endif

}  // namespace

const ImageCodecs& GetImageCodecs() {
  static const ImageCodecs* const codecs = LoadCodecs();
  return *codecs;
}

}  // namespace caffe
#endif  // USE_OPENCV
