// forward PROTOTXT CAFFEMODEL INPUT OUTPUT: runs a net in BVLC's Caffe on the
// floats in a file, and writes those of its output.
#include <fstream>
#include <iterator>
#include <vector>

#include "caffe/caffe.hpp"

int main(int argc, char** argv) {
  google::InitGoogleLogging(argv[0]);
  CHECK_EQ(argc, 5) << "expected PROTOTXT CAFFEMODEL INPUT OUTPUT";
  caffe::Net<float> net(argv[1], caffe::TEST);
  net.CopyTrainedLayersFrom(argv[2]);
  caffe::Blob<float>* input = net.input_blobs()[0];
  std::ifstream in(argv[3], std::ios::binary);
  in.read(reinterpret_cast<char*>(input->mutable_cpu_data()),
          input->count() * sizeof(float));
  CHECK(in) << argv[3] << ": expected " << input->count() << " floats";
  const caffe::Blob<float>* output = net.Forward()[0];
  std::ofstream out(argv[4], std::ios::binary);
  out.write(reinterpret_cast<const char*>(output->cpu_data()),
            output->count() * sizeof(float));
  CHECK(out.flush()) << argv[4] << ": cannot be written";
}
