#ifndef CAFFE_AUGMENTED_DATA_LAYER_HPP_
#define CAFFE_AUGMENTED_DATA_LAYER_HPP_
#ifdef USE_OPENCV
#include <vector>

#include "caffe/blob.hpp"
#include "caffe/layer.hpp"
#include "caffe/layers/base_data_layer.hpp"
#include "caffe/proto/caffe.pb.h"
#include "caffe/util/augmentation.hpp"
#include "caffe/util/image_source.hpp"

namespace caffe {

/**
 * @brief Images with SENet's augmentation from a database (data_param, as Data)
 *        or a list (image_data_param, as ImageData), decoded by several threads.
 *
 * top: images, and their labels if there is a second one. Images must be of 8
 * bits; without crop_size, those of a batch of one size.
 *
 * In TRAIN the n-th image is position n % size of epoch n / size. The order of an
 * epoch's images is a function of (seed, epoch), an image's augmentation one of
 * (seed, n): neither depends on the threads, and a training that goes on from
 * image n does so as if it had never stopped. The solver of rank r of s has the
 * images n with n % s = r. In TEST images come in order, and nothing is random.
 */
template <typename Dtype>
class AugmentedDataLayer : public BasePrefetchingDataLayer<Dtype> {
 public:
  explicit AugmentedDataLayer(const LayerParameter& param)
      : BasePrefetchingDataLayer<Dtype>(param) {}
  virtual ~AugmentedDataLayer();
  virtual void DataLayerSetUp(const vector<Blob<Dtype>*>& bottom,
      const vector<Blob<Dtype>*>& top);

  virtual inline const char* type() const { return "AugmentedData"; }
  virtual inline int ExactNumBottomBlobs() const { return 0; }
  virtual inline int MinTopBlobs() const { return 1; }
  virtual inline int MaxTopBlobs() const { return 2; }

 protected:
  virtual void load_batch(Batch<Dtype>* batch);

  /// Which of the source's images is the n-th.
  int IndexOf(uint64_t n);
  cv::Mat Read(int index, int* label) const;
  /// What a batch's shape is, if it begins with that image.
  vector<int> ShapeOf(const cv::Mat& image, int index) const;

  shared_ptr<ImageSource> images_;
  shared_ptr<ImageAugmenter<Dtype> > augmenter_;
  int batch_size_, threads_;
  uint64_t seed_;
  /// n of the next image, and how far the one after it is.
  uint64_t next_, step_;
  /// The order of an epoch; empty if images are not shuffled.
  vector<int> order_;
  uint64_t epoch_;
};

}  // namespace caffe

#endif  // USE_OPENCV
#endif  // CAFFE_AUGMENTED_DATA_LAYER_HPP_
