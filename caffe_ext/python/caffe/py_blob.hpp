#ifndef CAFFE_PYTHON_PY_BLOB_HPP_
#define CAFFE_PYTHON_PY_BLOB_HPP_

#include <pybind11/pybind11.h>

#include "caffe/blob.hpp"

PYBIND11_DECLARE_HOLDER_TYPE(T, boost::shared_ptr<T>)

namespace caffe {

// For Python, for now, we'll just always use float as the type.
typedef float Dtype;
typedef shared_ptr<Blob<Dtype> > BlobPtr;
typedef vector<BlobPtr> BlobVec;

// What Python calls a Blob. Were blobs known to pybind11 by their address, it
// would hand out a Python layer's bottom, a reference that owns nothing, where
// somebody else asks for a blob to keep.
struct PyBlob {
  BlobPtr blob;
};

}  // namespace caffe

namespace pybind11 {
namespace detail {

template <>
struct type_caster<caffe::BlobPtr> {
  PYBIND11_TYPE_CASTER(caffe::BlobPtr, const_name("Blob"));

  bool load(handle source, bool) {
    if (!isinstance<caffe::PyBlob>(source)) { return false; }
    value = source.cast<caffe::PyBlob&>().blob;
    return true;
  }
  static handle cast(const caffe::BlobPtr& blob, return_value_policy, handle) {
    return pybind11::cast(caffe::PyBlob{blob}).release();
  }
};

}  // namespace detail
}  // namespace pybind11

#endif  // CAFFE_PYTHON_PY_BLOB_HPP_
