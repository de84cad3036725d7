// A binary caffemodel, of any age: its weights are loaded into a net.
#include "fuzz.hpp"
#include "mutate_proto.hpp"

#include "caffe/util/strict_weights.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::WriteFile("weights.caffemodel", data, size);
  fuzz::Try([] {
    caffe::Net<float> net("weights_net.prototxt", caffe::TRAIN);
    net.CopyTrainedLayersFrom("weights.caffemodel");
    net.Forward();
    net.Backward();
    caffe::CopyTrainedLayersStrictly("weights.caffemodel", &net);
  });
  return 0;
}

FUZZ_PROTO(caffe::NetParameter, Binary,
           std::vector<std::string>())
