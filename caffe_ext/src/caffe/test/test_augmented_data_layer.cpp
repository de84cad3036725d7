#if defined(USE_OPENCV) && defined(USE_LMDB)
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include <fstream>  // NOLINT(readability/streams)
#include <set>
#include <string>
#include <vector>

#include "boost/scoped_ptr.hpp"
#include "gtest/gtest.h"

#include "caffe/blob.hpp"
#include "caffe/common.hpp"
#include "caffe/layers/augmented_data_layer.hpp"
#include "caffe/layers/data_layer.hpp"
#include "caffe/util/db.hpp"
#include "caffe/util/format.hpp"
#include "caffe/util/io.hpp"

#include "caffe/test/test_caffe_main.hpp"
#include "caffe/test/test_error_util.hpp"

namespace caffe {

template <typename TypeParam>
class AugmentedDataLayerTest : public MultiDeviceTest<TypeParam> {
  typedef typename TypeParam::Dtype Dtype;

 protected:
  AugmentedDataLayerTest() {
    Caffe::set_random_seed(1701);
    MakeTempDir(&folder_);
    folder_ += "/";
    param_.set_name("images");
    param_.set_type("AugmentedData");
    param_.set_phase(TRAIN);
    // Photographs of several sizes, as it were: noise enlarged.
    cv::RNG random(7);
    for (int i = 0; i < kImages; ++i) {
      cv::Mat noise(5, 7, CV_8UC3), image;
      random.fill(noise, cv::RNG::UNIFORM, 0, 256);
      cv::resize(noise, image, cv::Size(50 + 5 * i, 70 - 3 * i), 0, 0,
          cv::INTER_CUBIC);
      images_.push_back(image);
    }
  }

  virtual ~AugmentedDataLayerTest() {
    Caffe::set_solver_count(1);
    Caffe::set_solver_rank(0);
  }

  static string Key(int i) { return format_int(i, 5) + ".png"; }

  // Labels are 3 i.
  Datum MakeDatum(int i, bool encoded) const {
    Datum datum;
    if (encoded) {
      vector<uchar> file;
      cv::imencode(".png", images_[i], file);
      datum.set_data(file.data(), file.size());
      datum.set_encoded(true);
    } else {
      CVMatToDatum(images_[i], &datum);
    }
    datum.set_label(3 * i);
    return datum;
  }

  void UseDatabase(DataParameter_DB backend, bool encoded = true) {
    DataParameter* data = param_.mutable_data_param();
    data->set_source(folder_ + "db" + format_int(backend) +
        format_int(encoded));
    data->set_backend(backend);
    data->set_batch_size(4);
    param_.clear_image_data_param();
    boost::scoped_ptr<db::DB> db(db::GetDB(backend));
    db->Open(data->source(), db::NEW);
    boost::scoped_ptr<db::Transaction> transaction(db->NewTransaction());
    for (int i = 0; i < images_.size(); ++i) {
      transaction->Put(Key(i), MakeDatum(i, encoded).SerializeAsString());
    }
    transaction->Commit();
  }

  void UseList() {
    ImageDataParameter* list = param_.mutable_image_data_param();
    list->set_source(folder_ + "list");
    list->set_root_folder(folder_);
    list->set_batch_size(4);
    param_.clear_data_param();
    std::ofstream lines(list->source().c_str());
    for (int i = 0; i < images_.size(); ++i) {
      cv::imwrite(folder_ + Key(i), images_[i]);
      lines << Key(i) << " " << 3 * i << std::endl;
    }
  }

  void SetSENets() {
    TransformationParameter* transform = param_.mutable_transform_param();
    transform->set_crop_size(24);
    transform->set_mirror(true);
    transform->add_mean_value(104);
    transform->add_mean_value(117);
    transform->add_mean_value(123);
    transform->set_scale(.5);
    transform->set_min_area_ratio(.08);
    transform->set_min_aspect_ratio(3. / 4);
    transform->set_max_aspect_ratio(4. / 3);
    transform->set_max_rotation_angle(10);
    transform->set_max_pixel_jitter(20);
    param_.mutable_augmented_data_param()->set_seed(5);
    param_.mutable_augmented_data_param()->set_shuffle(true);
  }

  // So many batches of a layer, one after the other: images, each with its label
  // behind it.
  template <typename LayerType>
  vector<vector<Dtype> > Run(int batches) {
    vector<vector<Dtype> > images;
    Blob<Dtype> data, label;
    LayerType layer(param_);
    layer.SetUp({}, {&data, &label});
    for (int batch = 0; batch < batches; ++batch) {
      layer.Forward({}, {&data, &label});
      for (int i = 0; i < data.num(); ++i) {
        const Dtype* first = data.cpu_data() + data.offset(i);
        images.push_back(vector<Dtype>(first, first + data.count(1)));
        images.back().push_back(label.cpu_data()[i]);
      }
    }
    return images;
  }

  vector<vector<Dtype> > Run(int batches) {
    return Run<AugmentedDataLayer<Dtype> >(batches);
  }

  vector<int> Labels(int batches) {
    vector<int> labels;
    for (const vector<Dtype>& image : Run(batches)) {
      labels.push_back(image.back());
    }
    return labels;
  }

  // An image as the layer should give it, after all but the arithmetic.
  vector<Dtype> Expected(const cv::Mat& view, int label) const {
    const TransformationParameter& transform = param_.transform_param();
    vector<Dtype> values;
    for (int c = 0; c < view.channels(); ++c) {
      const Dtype mean = transform.mean_value_size() ?
          transform.mean_value(c) : 0;
      for (int h = 0; h < view.rows; ++h) {
        for (int w = 0; w < view.cols; ++w) {
          values.push_back((view.ptr<uchar>(h)[w * view.channels() + c] - mean) *
              transform.scale());
        }
      }
    }
    values.push_back(label);
    return values;
  }

  // What a layer of this parameter throws.
  void ExpectError(const string& message) {
    EXPECT_ERROR(Run(3), message);
  }

  static const int kImages = 7;
  string folder_;
  vector<cv::Mat> images_;
  LayerParameter param_;
};

TYPED_TEST_CASE(AugmentedDataLayerTest, TestDtypesAndDevices);

// With nothing of its own set: images of one size, raw and encoded.
TYPED_TEST(AugmentedDataLayerTest, TestDoesWhatDataDoes) {
  typedef typename TypeParam::Dtype Dtype;
  for (cv::Mat& image : this->images_) {
    cv::resize(image, image, cv::Size(20, 13));
  }
  TransformationParameter* transform = this->param_.mutable_transform_param();
  transform->set_scale(.017);
  for (int encoded = 0; encoded < 2; ++encoded) {
    this->UseDatabase(DataParameter_DB_LMDB, encoded);
    for (int mean = 0; mean < 2; ++mean) {
      transform->clear_mean_file();
      transform->clear_mean_value();
      if (mean) {
        Blob<Dtype> blob(1, 3, 13, 20);
        for (int i = 0; i < blob.count(); ++i) {
          blob.mutable_cpu_data()[i] = i * .37;
        }
        BlobProto proto;
        blob.ToProto(&proto);
        transform->set_mean_file(this->folder_ + "mean");
        WriteProtoToBinaryFile(proto, transform->mean_file());
      } else {
        transform->add_mean_value(117.3);
      }
      transform->set_crop_size(0);
      this->param_.set_phase(TRAIN);
      EXPECT_EQ(this->template Run<DataLayer<Dtype> >(4), this->Run(4));
      transform->set_crop_size(11);
      this->param_.set_phase(TEST);
      EXPECT_EQ(this->template Run<DataLayer<Dtype> >(4), this->Run(4));
    }
  }
}

TYPED_TEST(AugmentedDataLayerTest, TestTestPhase) {
  this->UseDatabase(DataParameter_DB_LMDB);
  this->SetSENets();
  this->param_.set_phase(TEST);
  this->param_.mutable_transform_param()->set_shorter_side(32);
  const auto images = this->Run(4);
  for (int n = 0; n < images.size(); ++n) {
    const int i = n % this->kImages;
    const cv::Mat& image = this->images_[i];
    const int side = std::min(image.rows, image.cols);
    cv::Mat resized;
    cv::resize(image, resized, cv::Size(cvRound(image.cols * 32. / side),
        cvRound(image.rows * 32. / side)), 0, 0, cv::INTER_LINEAR);
    EXPECT_EQ(this->Expected(resized(cv::Rect((resized.cols - 24) / 2,
        (resized.rows - 24) / 2, 24, 24)), 3 * i), images[n]);
  }
}

// TRAIN, of images resized and then cropped: each is somewhere in the resized.
TYPED_TEST(AugmentedDataLayerTest, TestShorterSideInTraining) {
  this->UseList();
  this->param_.mutable_transform_param()->set_shorter_side(20);
  this->param_.mutable_transform_param()->set_crop_size(18);
  const auto images = this->Run(4);
  std::set<int> places;
  for (int n = 0; n < images.size(); ++n) {
    const int i = n % this->kImages;
    const cv::Mat& image = this->images_[i];
    const double factor = 20. / std::min(image.rows, image.cols);
    cv::Mat resized;
    cv::resize(image, resized, cv::Size(cvRound(image.cols * factor),
        cvRound(image.rows * factor)));
    int found = 0;
    for (int y = 0; y + 18 <= resized.rows; ++y) {
      for (int x = 0; x + 18 <= resized.cols; ++x) {
        if (this->Expected(resized(cv::Rect(x, y, 18, 18)), 3 * i) ==
            images[n]) {
          ++found;
          places.insert(100 * y + x);
        }
      }
    }
    EXPECT_EQ(1, found) << n;
  }
  EXPECT_GT(places.size(), 5);
}

// The drawn augmentation (see test_augmentation.cpp) by OpenCV's functions.
TYPED_TEST(AugmentedDataLayerTest, TestTrainPhase) {
  this->UseDatabase(DataParameter_DB_LMDB);
  this->SetSENets();
  const auto images = this->Run(6);
  int mirrored = 0, clipped = 0;
  for (int n = 0; n < images.size(); ++n) {
    const int i = images[n].back() / 3;
    const cv::Mat& image = this->images_[i];
    RandomStream random(5, n);
    const Augmentation drawn = DrawAugmentation(this->param_.transform_param(),
        TRAIN, image.size(), 3, &random);
    cv::Mat view = CutOut(image, drawn.crop, drawn.angle, cv::Size(24, 24));
    const cv::Scalar jitter(drawn.jitter[0], drawn.jitter[1],
        drawn.jitter[2]);
    cv::Mat shifted;
    cv::add(view, jitter, shifted);
    clipped += cv::countNonZero(shifted.reshape(1) == 255) -
        cv::countNonZero(view.reshape(1) == 255) > 0;
    if (drawn.mirror) {
      cv::flip(shifted, shifted, 1);
      ++mirrored;
    }
    EXPECT_EQ(this->Expected(shifted, 3 * i), images[n]) << n;
  }
  EXPECT_TRUE(mirrored > 5 && mirrored < images.size() - 5);
  EXPECT_GT(clipped, 3);
}

// Of resized images, a mean file's centre is subtracted.
TYPED_TEST(AugmentedDataLayerTest, TestMeanFileOfResizedImages) {
  typedef typename TypeParam::Dtype Dtype;
  this->UseList();
  this->param_.set_phase(TEST);
  TransformationParameter* transform = this->param_.mutable_transform_param();
  transform->set_shorter_side(20);
  transform->set_crop_size(16);
  const auto plain = this->Run(1);
  Blob<Dtype> mean(1, 3, 20, 20);
  for (int i = 0; i < mean.count(); ++i) {
    mean.mutable_cpu_data()[i] = i;
  }
  BlobProto proto;
  mean.ToProto(&proto);
  transform->set_mean_file(this->folder_ + "mean");
  WriteProtoToBinaryFile(proto, transform->mean_file());
  const auto images = this->Run(1);
  for (int i = 0; i < images.size(); ++i) {
    for (int k = 0; k < 3 * 16 * 16; ++k) {
      EXPECT_EQ(plain[i][k] - mean.data_at(0, k / 256, 2 + k / 16 % 16,
          2 + k % 16), images[i][k]);
    }
  }
}

TYPED_TEST(AugmentedDataLayerTest, TestThreadsDoNotMatter) {
  this->UseDatabase(DataParameter_DB_LMDB);
  this->SetSENets();
  const auto images = this->Run(8);
  for (int threads = 1; threads <= 4; ++threads) {
    this->param_.mutable_augmented_data_param()->set_threads(threads);
    EXPECT_EQ(images, this->Run(8)) << threads;
  }
}

TYPED_TEST(AugmentedDataLayerTest, TestGoesOnAsIfItHadNotStopped) {
  this->UseDatabase(DataParameter_DB_LMDB);
  this->SetSENets();
  const auto images = this->Run(8);
  for (int batch = 1; batch < 8; ++batch) {
    this->param_.mutable_augmented_data_param()->set_first(4 * batch);
    EXPECT_TRUE(std::equal(images.begin() + 4 * batch, images.end(),
                           this->Run(8 - batch).begin())) << batch;
  }
}

TYPED_TEST(AugmentedDataLayerTest, TestSolversShareTheImages) {
  this->UseDatabase(DataParameter_DB_LMDB);
  this->SetSENets();
  const auto images = this->Run(6);
  Caffe::set_solver_count(3);
  for (int rank = 0; rank < 3; ++rank) {
    Caffe::set_solver_rank(rank);
    const auto share = this->Run(2);
    for (int i = 0; i < 8; ++i) {
      EXPECT_EQ(images[3 * i + rank], share[i]);
    }
  }
  this->param_.mutable_augmented_data_param()->clear_seed();
  this->ExpectError("'images': 3 solvers.* seed");
  this->param_.mutable_transform_param()->set_shorter_side(32);
  this->param_.set_phase(TEST);
  EXPECT_EQ(vector<int>({0, 3, 6, 9}), this->Labels(1));
}

TYPED_TEST(AugmentedDataLayerTest, TestEpochsAreOrders) {
  this->UseList();
  this->SetSENets();
  for (int shuffle = 0; shuffle < 2; ++shuffle) {
    this->param_.mutable_augmented_data_param()->set_shuffle(shuffle);
    const vector<int> labels = this->Labels(35);  // 20 epochs of 7
    std::set<vector<int> > orders;
    for (int epoch = 0; epoch < 20; ++epoch) {
      const vector<int> order(labels.begin() + 7 * epoch,
          labels.begin() + 7 * epoch + 7);
      EXPECT_EQ(7, std::set<int>(order.begin(), order.end()).size());
      orders.insert(order);
    }
    // Of 5040 orders, 20 are hardly twice the same.
    EXPECT_GT(orders.size(), shuffle ? 18 : 0);
    EXPECT_EQ(shuffle ? 0 : 1, orders.count({0, 3, 6, 9, 12, 15, 18}));
  }
  // ImageData's own field says the same.
  const vector<int> plain = this->Labels(2);
  this->param_.mutable_augmented_data_param()->set_shuffle(false);
  this->param_.mutable_image_data_param()->set_shuffle(true);
  EXPECT_EQ(plain, this->Labels(2));
}

TYPED_TEST(AugmentedDataLayerTest, TestSourcesDoNotMatter) {
  this->SetSENets();
  this->UseList();
  const auto images = this->Run(6);
  this->UseDatabase(DataParameter_DB_LMDB);
  EXPECT_EQ(images, this->Run(6));
  this->UseDatabase(DataParameter_DB_LMDB, false);
  EXPECT_EQ(images, this->Run(6));
#ifdef USE_LEVELDB
  this->UseDatabase(DataParameter_DB_LEVELDB);
  EXPECT_EQ(images, this->Run(6));
#endif
}

TYPED_TEST(AugmentedDataLayerTest, TestSolversSeedDecides) {
  this->UseList();
  this->SetSENets();
  this->param_.mutable_augmented_data_param()->clear_seed();
  Caffe::set_random_seed(1);
  const auto images = this->Run(3);
  Caffe::set_random_seed(1);
  EXPECT_EQ(images, this->Run(3));
  Caffe::set_random_seed(2);
  EXPECT_NE(images, this->Run(3));
}

TYPED_TEST(AugmentedDataLayerTest, TestForcedChannels) {
  cv::cvtColor(this->images_[1], this->images_[1], cv::COLOR_BGR2GRAY);
  TransformationParameter* transform = this->param_.mutable_transform_param();
  transform->set_crop_size(40);
  this->param_.set_phase(TEST);
  for (int encoded = 0; encoded < 2; ++encoded) {
    this->UseDatabase(DataParameter_DB_LMDB, encoded);
    transform->set_force_color(true);
    EXPECT_EQ(3 * 40 * 40 + 1, this->Run(1)[1].size());
    transform->set_force_color(false);
    transform->set_force_gray(true);
    EXPECT_EQ(40 * 40 + 1, this->Run(1)[0].size());
    transform->set_force_gray(false);
    this->ExpectError("'images': key '00001.png' of .* has 1 channels");
  }
}

TYPED_TEST(AugmentedDataLayerTest, TestWithoutLabels) {
  typedef typename TypeParam::Dtype Dtype;
  this->UseList();
  this->SetSENets();
  const auto images = this->Run(1);
  Blob<Dtype> data;
  AugmentedDataLayer<Dtype> layer(this->param_);
  layer.SetUp({}, {&data});
  layer.Forward({}, {&data});
  for (int i = 0; i < data.count(); ++i) {
    EXPECT_EQ(images[i / data.count(1)][i % data.count(1)], data.cpu_data()[i]);
  }
}

TYPED_TEST(AugmentedDataLayerTest, TestBadImages) {
  this->SetSENets();
  this->param_.mutable_augmented_data_param()->set_shuffle(false);
  this->UseList();
  for (const char* content : {"", "no image"}) {
    std::ofstream((this->folder_ + "00005.png").c_str()) << content;
    this->ExpectError("'images': cannot read or decode .*/00005.png");
  }
  std::remove((this->folder_ + "00005.png").c_str());
  this->ExpectError("'images': cannot read or decode .*/00005.png");
  cv::imwrite(this->folder_ + "00005.png",
      cv::Mat(30, 30, CV_16UC3, cv::Scalar(700)));
  EXPECT_EQ(12, this->Run(3).size());  // imread makes 8 bits of it
  this->images_[2] = cv::Mat(30, 30, CV_16UC3, cv::Scalar(700));
  this->UseDatabase(DataParameter_DB_LMDB);
  this->ExpectError("'images': pixels of key '00002.png' of .* 8 bits");
}

TYPED_TEST(AugmentedDataLayerTest, TestBadLists) {
  this->UseList();
  const string list = this->param_.image_data_param().source();
  for (const char* line : {"00001.png", "00001.png three", "00001.png 3x"}) {
    std::ofstream(list.c_str()) << "00000.png 0\n\n" << line << "\n";
    this->ExpectError("list, line 3: .*expected a path, a space and a label");
  }
  std::ofstream(list.c_str()) << "\n";
  this->ExpectError("'images': no images in .*list");
  std::remove(list.c_str());
  this->ExpectError("cannot open the list .*list");
  this->param_.clear_image_data_param();
  this->ExpectError("'images': expected one source");
}

TYPED_TEST(AugmentedDataLayerTest, TestBadParameters) {
  this->UseList();
  TransformationParameter* transform = this->param_.mutable_transform_param();
  transform->set_crop_size(60);
  this->ExpectError("'images': .*00000.png is 70 x 50, expected .* crop_size, 60");
  transform->set_shorter_side(59);
  this->ExpectError("'images': a shorter_side of 59 cannot hold .* 60");
  transform->set_crop_size(0);
  transform->clear_shorter_side();
  // Whichever of the two its threads meet first.
  this->ExpectError("^layer images .AugmentedData.: .*"
      "(00001.png .* becomes .*55 x 67|00002.png .* becomes .*60 x 64)");
  transform->set_min_area_ratio(.5);
  this->ExpectError("'images': .* no crop_size");
  transform->set_min_area_ratio(0);
  this->ExpectError("'images': min_area_ratio is 0");
  transform->set_min_area_ratio(.5);
  transform->set_max_area_ratio(.4);
  this->ExpectError("'images': min_area_ratio is 0.5 and max_area_ratio 0.4");
  transform->clear_max_area_ratio();
  transform->set_min_aspect_ratio(2);
  this->ExpectError("'images': min_aspect_ratio is 2 and max_aspect_ratio 1");
  transform->clear_min_aspect_ratio();
  transform->set_max_rotation_angle(-1);
  this->ExpectError("'images': max_rotation_angle is -1");
  transform->clear_max_rotation_angle();
  transform->set_max_pixel_jitter(256);
  this->ExpectError("'images': max_pixel_jitter");
  transform->clear_max_pixel_jitter();
  transform->set_crop_size(20);
  transform->add_mean_value(1);
  transform->add_mean_value(2);
  this->ExpectError("'images': 2 values of mean_value for 3 channels");
}

}  // namespace caffe
#endif  // USE_OPENCV && USE_LMDB
