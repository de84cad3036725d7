#ifndef CAFFE_CUDNN_BATCH_NORM_LAYER_HPP_
#define CAFFE_CUDNN_BATCH_NORM_LAYER_HPP_

#include <vector>

#include "caffe/blob.hpp"
#include "caffe/layer.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe {

/**
 * @brief Batch normalisation with scale and bias, as cuDNN defines it, on the
 *        CPU and on the GPU, with or without cuDNN:
 *        @f$ y = scale \frac{x - mean}{\sqrt{var + eps}} + bias @f$ per channel
 *        (Ioffe & Szegedy, Batch Normalization, 2015).
 *
 * bottom: x, N x C x any number of axes. top: y, like x; may be in place.
 * Blobs, each 1 x C x 1 x 1: scale, bias, running mean, running variance.
 *
 * TRAIN takes mean and (biased) variance of the batch, and updates
 * @f$ running = momentum \cdot running + (1 - momentum) \cdot batch @f$, where
 * the variance is the unbiased one, n / (n - 1) times as large (n = 1: as it
 * is). TEST, and TRAIN with frozen, take the running statistics; scale and bias
 * are constants then, without a gradient. No solver changes the statistics, nor
 * anything in a frozen layer: lr_mult and decay_mult of these are set to 0.
 *
 * Parameters: cudnn_batch_norm_param (GENet), else batch_norm_param (SKNet).
 */
template <typename Dtype>
class CuDNNBatchNormLayer : public Layer<Dtype> {
 public:
  explicit CuDNNBatchNormLayer(const LayerParameter& param)
      : Layer<Dtype>(param) {}
  virtual void LayerSetUp(const vector<Blob<Dtype>*>& bottom,
      const vector<Blob<Dtype>*>& top);
  virtual void Reshape(const vector<Blob<Dtype>*>& bottom,
      const vector<Blob<Dtype>*>& top);

  virtual inline const char* type() const { return "CuDNNBatchNorm"; }
  /// @brief What is added to the variance.
  double eps() const { return eps_; }
  virtual inline int ExactNumBottomBlobs() const { return 1; }
  virtual inline int ExactNumTopBlobs() const { return 1; }

 protected:
  virtual void Forward_cpu(const vector<Blob<Dtype>*>& bottom,
      const vector<Blob<Dtype>*>& top);
  virtual void Forward_gpu(const vector<Blob<Dtype>*>& bottom,
      const vector<Blob<Dtype>*>& top);
  virtual void Backward_cpu(const vector<Blob<Dtype>*>& top,
      const vector<bool>& propagate_down, const vector<Blob<Dtype>*>& bottom);
  virtual void Backward_gpu(const vector<Blob<Dtype>*>& top,
      const vector<bool>& propagate_down, const vector<Blob<Dtype>*>& bottom);

  bool uses_running_stats() const {
    return frozen_ || this->phase_ == TEST;
  }
  /// @brief Before a training Forward: keeps what Backward will need of bottom.
  void KeepInput(const Blob<Dtype>& bottom, const Blob<Dtype>& top);
  /// @brief The input that the last training Forward saw, for Backward.
  const Blob<Dtype>& KeptInput(const Blob<Dtype>& bottom,
      const Blob<Dtype>& top) const;

  int channels_;
  bool frozen_;
  double momentum_, eps_;
  /// @brief Of the last training batch: mean, 1 / sqrt(var + eps), shape of x.
  Blob<Dtype> mean_, inv_std_;
  vector<int> kept_shape_;
  /// @brief In place: a copy of x (data) and room for a copy of dy (diff).
  Blob<Dtype> copy_;
  /// @brief cuDNN's handle and the like, made when the GPU is first used.
  struct Gpu;
  shared_ptr<Gpu> gpu_;
};

}  // namespace caffe

#endif  // CAFFE_CUDNN_BATCH_NORM_LAYER_HPP_
