// Classifies images with an installed Caffe, in C++:
//   classify -model deploy.prototxt -weights model.caffemodel
//            [-labels FILE] [-mean 104,117,123] [-scale 1] [-top 5] IMAGE...
#include <caffe/caffe.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <numeric>
#include <sstream>
#include <string>
#include <vector>

DEFINE_string(model, "", "deploy prototxt");
DEFINE_string(weights, "", "caffemodel");
DEFINE_string(labels, "", "a label a line, in the order of the outputs");
DEFINE_string(mean, "0,0,0", "subtracted, in the order B,G,R, of 0-255");
DEFINE_double(scale, 1, "multiplied after the mean is subtracted");
DEFINE_int32(top, 5, "how many classes to print");

namespace {

cv::Scalar ParseMean(const std::string& text) {
  cv::Scalar mean;
  std::istringstream in(text);
  std::string value;
  for (int i = 0; i < 3 && std::getline(in, value, ','); ++i) {
    mean[i] = std::stod(value);
  }
  return mean;
}

// Scales the shorter side to fit and takes the centre, as in training.
cv::Mat ResizeAndCrop(const cv::Mat& image, cv::Size size) {
  const double ratio = std::max(double(size.width) / image.cols,
                                double(size.height) / image.rows);
  cv::Mat resized = image;
  if (ratio != 1) {
    cv::resize(image, resized,
               cv::Size(std::max<int>(size.width, lround(image.cols * ratio)),
                        std::max<int>(size.height, lround(image.rows * ratio))));
  }
  return resized(cv::Rect((resized.cols - size.width) / 2,
                          (resized.rows - size.height) / 2,
                          size.width, size.height));
}

// Writes the image into a blob of shape 1 x C x H x W, channel by channel.
void Fill(const cv::Mat& image, caffe::Blob<float>* blob) {
  cv::Mat input;
  ResizeAndCrop(image, cv::Size(blob->width(), blob->height()))
      .convertTo(input, CV_32FC3);
  cv::subtract(input, ParseMean(FLAGS_mean), input);
  input *= FLAGS_scale;
  std::vector<cv::Mat> planes;
  float* data = blob->mutable_cpu_data();
  for (int c = 0; c < blob->channels(); ++c) {
    planes.emplace_back(blob->height(), blob->width(), CV_32FC1,
                        data + c * blob->height() * blob->width());
  }
  cv::split(input, planes);
}

}  // namespace

int main(int argc, char** argv) {
  FLAGS_logtostderr = true;
  FLAGS_minloglevel = google::WARNING;
  caffe::GlobalInit(&argc, &argv);
  if (FLAGS_model.empty() || FLAGS_weights.empty() || argc < 2) {
    std::fprintf(stderr, "usage: classify -model DEPLOY -weights CAFFEMODEL "
                         "IMAGE... (see classify.cpp)\n");
    return 2;
  }
  std::vector<std::string> labels;
  std::ifstream file(FLAGS_labels);
  for (std::string line; std::getline(file, line);) labels.push_back(line);

  caffe::Net<float> net(FLAGS_model, caffe::TEST);
  net.CopyTrainedLayersFrom(FLAGS_weights);
  caffe::Blob<float>* input = net.input_blobs()[0];
  input->Reshape(1, input->channels(), input->height(), input->width());
  net.Reshape();

  int unreadable = 0;
  for (int i = 1; i < argc; ++i) {
    const cv::Mat image = cv::imread(argv[i], cv::IMREAD_COLOR);
    if (image.empty()) {
      std::fprintf(stderr, "%s: not a readable image\n", argv[i]);
      ++unreadable;
      continue;
    }
    Fill(image, input);
    const caffe::Blob<float>* output = net.Forward()[0];
    const float* prob = output->cpu_data();
    std::vector<int> order(output->count());
    std::iota(order.begin(), order.end(), 0);
    const int top = std::min<int>(FLAGS_top, order.size());
    std::partial_sort(order.begin(), order.begin() + top, order.end(),
                      [prob](int a, int b) { return prob[a] > prob[b]; });
    std::printf("%s\n", argv[i]);
    for (int k = 0; k < top; ++k) {
      const size_t index = order[k];
      std::printf("  %.4f  %s\n", prob[index],
                  index < labels.size() ? labels[index].c_str()
                                        : std::to_string(index).c_str());
    }
  }
  return unreadable ? 1 : 0;
}
