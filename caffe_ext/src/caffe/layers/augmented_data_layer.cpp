#ifdef USE_OPENCV
#include <algorithm>
#include <atomic>
#include <future>
#include <thread>
#include <vector>

#include "caffe/layers/augmented_data_layer.hpp"
#include "caffe/util/math_functions.hpp"
#include "caffe/util/random_stream.hpp"

namespace caffe {

namespace {

// Calls f(i) for each i in [0, n) on threads of its own. ParallelFor's belong to
// the layers, which would stand alone while a batch is decoded.
template <typename F>
void RunOnThreads(int threads, int n, const F& f) {
  std::atomic<int> next(0);
  const LayerScope* caller = LayerScope::Current();
  const auto work = [&next, n, &f, caller] {
    const LayerScope scope(caller);  // errors name the layer
    for (int i; (i = next++) < n; ) {
      f(i);
    }
  };
  vector<std::future<void> > others;
  for (int i = 1; i < std::min(threads, n); ++i) {
    others.push_back(std::async(std::launch::async, work));
  }
  work();
  for (std::future<void>& other : others) {
    other.get();
  }
}

}  // namespace

template <typename Dtype>
AugmentedDataLayer<Dtype>::~AugmentedDataLayer() {
  this->StopInternalThread();
}

template <typename Dtype>
void AugmentedDataLayer<Dtype>::DataLayerSetUp(
    const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const AugmentedDataParameter& param =
      this->layer_param_.augmented_data_param();
  const ImageDataParameter& list = this->layer_param_.image_data_param();
  const string layer = string(this->type()) + " layer '" +
      this->layer_param_.name() + "'";
  images_ = ImageSource::Open(this->layer_param_);
  augmenter_.reset(new ImageAugmenter<Dtype>(this->transform_param_,
      this->phase_, layer));
  batch_size_ = list.has_source() ? list.batch_size() :
      this->layer_param_.data_param().batch_size();
  CHECK_GT(batch_size_, 0) << layer << ": batch_size";
  CHECK(!list.rand_skip()) << layer << ": rand_skip is not known here, "
      << "augmented_data_param { first } is";
  CHECK_LE(param.threads(), 1024) << layer << ": threads";
  const bool train = this->phase_ == TRAIN;
  const int solvers = train ? Caffe::solver_count() : 1;
  threads_ = param.threads() ? param.threads() : std::max(1,
      static_cast<int>(std::thread::hardware_concurrency()) / solvers);
  CHECK(solvers == 1 || param.has_seed()) << layer << ": " << solvers
      << " solvers share the images, expected augmented_data_param { seed }";
  seed_ = param.has_seed() ? param.seed() : caffe_rng_rand();
  next_ = param.first() + (train ? Caffe::solver_rank() : 0);
  step_ = solvers;
  epoch_ = next_ / images_->size();
  if (train && (param.shuffle() || list.shuffle())) {
    order_ = RandomOrder(images_->size(), RandomStream(~seed_, epoch_));
  }
  LOG_IF(INFO, Caffe::root_solver()) << images_->size() << " images, from number "
      << next_ << " on, seed " << seed_ << ", " << threads_ << " threads";

  int label;
  const int index = IndexOf(next_);
  const vector<int> shape = ShapeOf(Read(index, &label), index);
  const vector<int> label_shape(1, batch_size_);
  top[0]->Reshape(shape);
  LOG_IF(INFO, Caffe::root_solver())
      << "output data size: " << top[0]->num() << "," << top[0]->channels() << ","
      << top[0]->height() << "," << top[0]->width();
  if (this->output_labels_) {
    top[1]->Reshape(label_shape);
  }
  for (const shared_ptr<Batch<Dtype> >& batch : this->prefetch_) {
    batch->data_.Reshape(shape);
    batch->label_.Reshape(label_shape);
  }
}

template <typename Dtype>
int AugmentedDataLayer<Dtype>::IndexOf(uint64_t n) {
  const uint64_t epoch = n / images_->size();
  const int position = n % images_->size();
  if (order_.empty()) {
    return position;
  }
  if (epoch != epoch_) {
    order_ = RandomOrder(images_->size(), RandomStream(~seed_, epoch));
    epoch_ = epoch;
  }
  return order_[position];
}

template <typename Dtype>
cv::Mat AugmentedDataLayer<Dtype>::Read(int index, int* label) const {
  const cv::Mat image = images_->Read(index, label);
  CHECK(!image.empty()) << this->type() << " layer '"
      << this->layer_param_.name() << "': cannot read or decode "
      << images_->name(index);
  CHECK_EQ(image.depth(), CV_8U) << this->type() << " layer '"
      << this->layer_param_.name() << "': pixels of " << images_->name(index)
      << " are not of 8 bits; force_color makes them so";
  return image;
}

template <typename Dtype>
vector<int> AugmentedDataLayer<Dtype>::ShapeOf(const cv::Mat& image,
    int index) const {
  const cv::Size size = augmenter_->OutputSize(image.size());
  CHECK_GT(size.area(), 0) << this->type() << " layer '"
      << this->layer_param_.name() << "': " << images_->name(index) << " is "
      << image.rows << " x " << image.cols << ", expected at least crop_size, "
      << this->transform_param_.crop_size();
  return {batch_size_, image.channels(), size.height, size.width};
}

// This function is called on prefetch thread
template <typename Dtype>
void AugmentedDataLayer<Dtype>::load_batch(Batch<Dtype>* batch) {
  vector<uint64_t> numbers;
  vector<int> indices;
  for (int i = 0; i < batch_size_; ++i, next_ += step_) {
    numbers.push_back(next_);
    indices.push_back(IndexOf(next_));
  }
  if (!this->transform_param_.crop_size()) {
    // As Data: batches of one image may differ in size.
    int label;
    batch->data_.Reshape(ShapeOf(Read(indices[0], &label), indices[0]));
  }
  const vector<int>& shape = batch->data_.shape();
  Dtype* data = batch->data_.mutable_cpu_data();
  Dtype* labels = batch->label_.mutable_cpu_data();
  RunOnThreads(threads_, batch_size_, [&](int i) {
    int label;
    const cv::Mat image = Read(indices[i], &label);
    CHECK(ShapeOf(image, indices[i]) == shape) << this->type() << " layer '"
        << this->layer_param_.name() << "': " << images_->name(indices[i])
        << " has " << image.channels() << " channels, and becomes "
        << augmenter_->OutputSize(image.size()) << "; expected "
        << batch->data_.shape_string() << " as of images before it";
    RandomStream random(seed_, numbers[i]);
    augmenter_->Transform(image, &random, data + i * batch->data_.count(1));
    labels[i] = label;
  });
}

INSTANTIATE_CLASS(AugmentedDataLayer);
REGISTER_LAYER_CLASS(AugmentedData);

}  // namespace caffe
#endif  // USE_OPENCV
