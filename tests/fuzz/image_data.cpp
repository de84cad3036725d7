// An image file, read by the layers that decode images; and the same bytes as a
// database's record, which may be a Datum with an image in it.
#include "fuzz.hpp"

#include "caffe/util/db.hpp"

namespace {

void Forward(const char* prototxt) {
  fuzz::Try([prototxt] {
    caffe::Net<float> net(prototxt, caffe::TRAIN);
    net.Forward();
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::WriteFile("input.image", data, size);
  Forward("image_data.prototxt");
  Forward("augmented_data.prototxt");
  if (caffe::Datum().ParseFromArray(data, size)) {
    std::unique_ptr<caffe::db::DB> db(caffe::db::GetDB("lmdb"));
    db->Open("input_lmdb", caffe::db::WRITE);
    std::unique_ptr<caffe::db::Transaction> transaction(db->NewTransaction());
    transaction->Put("0", std::string(data, data + size));
    transaction->Commit();
    db->Close();
    Forward("data.prototxt");
  }
  return 0;
}
