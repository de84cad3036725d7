#include "caffe/util/allowed_layers.hpp"

#include <set>
#include <string>
#include <vector>

#include "caffe/common.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe {

namespace {

enum Level { COMPUTE, READ, ALL };

// Of each level below ALL, the types that it has more.
const std::set<string> kTypes[] = {
  {"AbsVal", "Accuracy", "ArgMax", "Axpy", "BNLL", "BatchNorm", "BatchReindex",
   "Bias", "BroadcastProduct", "ChannelPooling", "Clip", "Concat",
   "ContrastiveLoss", "Convolution", "Crop", "CuDNNBatchNorm", "Deconvolution",
   "DepthwiseConvolution", "Dropout", "DummyData", "ELU", "Eltwise", "Embed",
   "EuclideanLoss", "Exp", "Filter", "Flatten", "HingeLoss", "Im2col",
   "InfogainLoss", "InnerProduct", "Input", "Interp", "LRN", "LSTM", "LSTMUnit",
   "Log", "MVN", "MemoryData", "MultinomialLogisticLoss", "PReLU", "Parameter",
   "Pooling", "Power", "RNN", "ReLU", "Reduction", "Reshape", "SPP", "Scale",
   "Sigmoid", "SigmoidCrossEntropyLoss", "Silence", "Slice", "Softmax",
   "SoftmaxWithLoss", "Split", "Swish", "TanH", "Threshold", "Tile"},
  {"AugmentedData", "Data", "HDF5Data", "ImageData", "WindowData"},
};

thread_local int current = ALL;

int Parse(const string& allowed) {
  const string kNames[] = {"compute", "read", "all"};
  for (int level = COMPUTE; level <= ALL; ++level) {
    if (allowed == kNames[level]) {
      return level;
    }
  }
  LOG(FATAL) << "allow is \"" << allowed
      << "\": expected \"compute\", \"read\" or \"all\"";
  return ALL;
}

}  // namespace

AllowedLayers::AllowedLayers(const string& allowed) : before_(current) {
  current = Parse(allowed);
}

AllowedLayers::~AllowedLayers() { current = before_; }

void AllowedLayers::Check(const LayerParameter& layer) {
  bool listed = current == ALL;
  for (int level = COMPUTE; level <= current && !listed; ++level) {
    listed = kTypes[level].count(layer.type());
  }
  if (!listed) {
    LOG(FATAL) << "a layer of the type " << layer.type()
        << " may do more than compute" << (current == READ ? " and read" : "")
        << ": only a prototxt that is trusted may have one";
  }
  // Files that layers of "compute" would read.
  if (current == COMPUTE && (layer.transform_param().has_mean_file() ||
                             layer.infogain_loss_param().has_source())) {
    LOG(FATAL) << "the layer reads a file: only a prototxt that is trusted may "
        << "have one that does";
  }
}

vector<string> AllowedLayers::Types(const string& allowed) {
  const int level = Parse(allowed);
  CHECK_LT(level, ALL) << "\"all\" is not a list";
  return vector<string>(kTypes[level].begin(), kTypes[level].end());
}

}  // namespace caffe
