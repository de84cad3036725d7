#ifdef USE_OPENCV
#include <opencv2/imgcodecs.hpp>  // flags alone
#include <opencv2/imgproc.hpp>

#include <cstdlib>
#include <fstream>  // NOLINT(readability/streams)
#include <string>
#include <utility>
#include <vector>

#include "boost/scoped_ptr.hpp"

#include "caffe/util/db.hpp"
#include "caffe/util/image_codecs.hpp"
#include "caffe/util/image_source.hpp"
#include "caffe/util/io.hpp"

namespace caffe {

namespace {

// A database of Datums, as convert_imageset makes them.
class DatabaseImages : public ImageSource {
 public:
  explicit DatabaseImages(const LayerParameter& param)
      : source_(param.data_param().source()),
        color_(param.transform_param().force_color()),
        gray_(param.transform_param().force_gray()),
        db_(db::GetDB(param.data_param().backend())) {
    CHECK(!(color_ && gray_)) << "cannot set both force_color and force_gray";
    db_->Open(source_, db::READ);
    ReadKeys();
  }

  virtual int size() const { return keys_.size(); }

  virtual string name(int i) const {
    return "key '" + keys_[i] + "' of " + source_;
  }

  virtual cv::Mat Read(int i, int* label) const {
    string value;
    Datum datum;
    if (!db_->Get(keys_[i], &value) || !datum.ParseFromString(value)) {
      return cv::Mat();
    }
    *label = datum.label();
    cv::Mat image = datum.encoded() ? Decode(datum) : Merge(datum);
    if (color_ && image.channels() == 1 && !image.empty()) {
      cv::cvtColor(image, image, cv::COLOR_GRAY2BGR);
    } else if (gray_ && image.channels() == 3) {
      cv::cvtColor(image, image, cv::COLOR_BGR2GRAY);
    }
    return image;
  }

 private:
  // LMDB keeps keys apart from large values: this reads about a fiftieth of
  // ImageNet's. LevelDB has to read all.
  void ReadKeys() {
    boost::scoped_ptr<db::Cursor> cursor(db_->NewCursor());
    for (; cursor->valid(); cursor->Next()) {
      keys_.push_back(cursor->key());
      LOG_IF(INFO, keys_.size() % 100000 == 0)
          << "Read " << keys_.size() << " keys of " << source_;
    }
  }

  // As Data does it, but for what OpenCV throws: an empty value, say.
  cv::Mat Decode(const Datum& datum) const {
    const string& data = datum.data();
    try {
      return GetImageCodecs().decode(
          cv::Mat(1, data.size(), CV_8U, const_cast<char*>(data.data())),
          color_ ? cv::IMREAD_COLOR : gray_ ? cv::IMREAD_GRAYSCALE :
          cv::IMREAD_UNCHANGED);
    } catch (const cv::Exception&) {
      return cv::Mat();
    }
  }

  // Planes of pixels.
  static cv::Mat Merge(const Datum& datum) {
    const int height = datum.height(), width = datum.width();
    const size_t plane = static_cast<size_t>(height) * width;
    const string& data = datum.data();
    cv::Mat image;
    if (data.empty() || data.size() != datum.channels() * plane) {
      return image;
    }
    vector<cv::Mat> planes;
    for (int c = 0; c < datum.channels(); ++c) {
      planes.push_back(cv::Mat(height, width, CV_8U,
          const_cast<char*>(data.data()) + c * plane));
    }
    cv::merge(planes, image);
    return image;
  }

  const string source_;
  const bool color_, gray_;
  boost::scoped_ptr<db::DB> db_;
  vector<string> keys_;
};

// A text file with a line "PATH LABEL" for each image, as ImageData's.
class ListedImages : public ImageSource {
 public:
  explicit ListedImages(const ImageDataParameter& param) : param_(param) {
    std::ifstream file(param.source().c_str());
    CHECK(file) << "cannot open the list " << param.source();
    string line;
    for (int number = 1; std::getline(file, line); ++number) {
      line.erase(line.find_last_not_of(" \t\r") + 1);
      if (line.empty()) {
        continue;
      }
      const size_t space = line.find_last_of(" \t");
      const char* label = line.c_str() + (space == string::npos ? 0 : space + 1);
      char* end;
      const int value = std::strtol(label, &end, 10);
      CHECK(space != string::npos && end != label && *end == '\0')
          << param.source() << ", line " << number << ": '" << line
          << "', expected a path, a space and a label";
      lines_.push_back(std::make_pair(line.substr(0, space), value));
    }
  }

  virtual int size() const { return lines_.size(); }

  virtual string name(int i) const {
    return param_.root_folder() + lines_[i].first;
  }

  virtual cv::Mat Read(int i, int* label) const {
    *label = lines_[i].second;
    try {
      return ReadImageToCVMat(name(i), param_.new_height(), param_.new_width(),
          param_.is_color());
    } catch (const cv::Exception&) {
      return cv::Mat();
    }
  }

 private:
  const ImageDataParameter param_;
  vector<std::pair<string, int> > lines_;
};

}  // namespace

shared_ptr<ImageSource> ImageSource::Open(const LayerParameter& param) {
  const bool database = param.data_param().has_source();
  CHECK(database != param.image_data_param().has_source())
      << param.type() << " layer '" << param.name() << "': expected one source, "
      << "data_param's or image_data_param's";
  shared_ptr<ImageSource> images;
  if (database) {
    images.reset(new DatabaseImages(param));
  } else {
    images.reset(new ListedImages(param.image_data_param()));
  }
  CHECK_GT(images->size(), 0) << param.type() << " layer '" << param.name()
      << "': no images in " << (database ? param.data_param().source() :
                                param.image_data_param().source());
  return images;
}

}  // namespace caffe
#endif  // USE_OPENCV
