#ifndef CAFFE_PYTHON_LAYER_HPP_
#define CAFFE_PYTHON_LAYER_HPP_

#include <pybind11/pybind11.h>

#include <vector>

#include "caffe/layer.hpp"

namespace caffe {

/**
 * @brief A layer written in Python: a subclass of caffe.Layer with methods
 *        setup, reshape, forward and backward.
 *
 * Part of pycaffe, not of libcaffe: importing caffe in Python registers it.
 * The Python object owns the C++ one; whoever holds the C++ one as a layer of a
 * net keeps the Python object alive (see GetPythonLayer in _caffe.cpp).
 * Python's exceptions leave through the net as pybind11::error_already_set.
 */
template <typename Dtype>
class PythonLayer : public Layer<Dtype> {
 public:
  explicit PythonLayer(const LayerParameter& param) : Layer<Dtype>(param) {}

  virtual void LayerSetUp(const vector<Blob<Dtype>*>& bottom,
      const vector<Blob<Dtype>*>& top) {
    // Disallow PythonLayer in MultiGPU training stage, due to GIL issues
    // Details: https://github.com/BVLC/caffe/issues/2936
    if (this->phase_ == TRAIN && Caffe::solver_count() > 1
        && !Caffe::multiprocess()) {
      LOG(FATAL) << "PythonLayer does not support CLI Multi-GPU, use train.py";
    }
    pybind11::gil_scoped_acquire gil;
    pybind11::object layer = self();
    layer.attr("param_str") = this->layer_param_.python_param().param_str();
    layer.attr("phase") = static_cast<int>(this->phase_);
    layer.attr("setup")(References(bottom), References(top));
  }
  virtual void Reshape(const vector<Blob<Dtype>*>& bottom,
      const vector<Blob<Dtype>*>& top) {
    pybind11::gil_scoped_acquire gil;
    self().attr("reshape")(References(bottom), References(top));
  }

  virtual inline const char* type() const { return "Python"; }

 protected:
  virtual void Forward_cpu(const vector<Blob<Dtype>*>& bottom,
      const vector<Blob<Dtype>*>& top) {
    pybind11::gil_scoped_acquire gil;
    self().attr("forward")(References(bottom), References(top));
  }
  virtual void Backward_cpu(const vector<Blob<Dtype>*>& top,
      const vector<bool>& propagate_down, const vector<Blob<Dtype>*>& bottom) {
    pybind11::gil_scoped_acquire gil;
    self().attr("backward")(References(top), propagate_down,
                            References(bottom));
  }

 private:
  typedef vector<shared_ptr<Blob<Dtype> > > BlobVec;

  // The blobs are the net's: pointers that own nothing.
  static BlobVec References(const vector<Blob<Dtype>*>& blobs) {
    BlobVec references;
    for (Blob<Dtype>* blob : blobs) {
      references.push_back(
          shared_ptr<Blob<Dtype> >(shared_ptr<void>(), blob));
    }
    return references;
  }
  // pybind11 knows the Python object by the address; a reference kept here
  // would be a cycle that is never collected.
  pybind11::object self() {
    return pybind11::cast(static_cast<Layer<Dtype>*>(this));
  }
};

}  // namespace caffe

#endif
