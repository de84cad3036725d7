// A prototxt: a net is made of it, and run forward and backward where that is
// quick.
#include "fuzz.hpp"
#include "mutate_proto.hpp"

#include "caffe/util/upgrade_proto.hpp"

using caffe::NetParameter;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::WriteFile("net.prototxt", data, size);
  fuzz::Try([] {
    NetParameter param;
    caffe::ReadNetParamsFromTextFileOrDie("net.prototxt", &param);
    for (caffe::LayerParameter& layer : *param.mutable_layer()) {
      if (layer.has_hdf5_output_param()) {
        layer.mutable_hdf5_output_param()->set_file_name("output.h5");
      }
    }
    caffe::Net<float> net(param);
    if (fuzz::IsQuick(net)) {
      net.Forward();
      net.Backward();
    }
  });
  return 0;
}

FUZZ_PROTO(NetParameter, Text,
           caffe::LayerRegistry<float>::LayerTypeList())
