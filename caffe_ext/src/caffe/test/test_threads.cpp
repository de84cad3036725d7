#include <google/protobuf/text_format.h>

#include <algorithm>
#include <atomic>
#include <ctime>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

#include "caffe/net.hpp"
#include "caffe/test/test_error_util.hpp"
#include "caffe/test/test_threads_util.hpp"
#include "caffe/util/io.hpp"

namespace caffe {

namespace {

// Selects between a depthwise and a plain convolution of random images. All of
// Caffe's randomness is in it: fillers, data that is drawn anew each time, and
// Dropout. Large enough for ParallelFor's threads.
NetParameter SelectiveNet(Phase phase) {
  const string filler = " weight_filler { type: 'xavier' } ";
  NetParameter param;
  CHECK(google::protobuf::TextFormat::ParseFromString(
      "force_backward: true "
      "layer { name: 'data' type: 'DummyData' top: 'data' top: 'goal' "
      "  dummy_data_param { shape { dim: 4 dim: 8 dim: 40 dim: 40 } "
      "    shape { dim: 4 dim: 3 } data_filler { type: 'gaussian' } "
      "    data_filler { type: 'constant' } } } "
      "layer { name: 'a' type: 'DepthwiseConvolution' bottom: 'data' top: 'a' "
      "  convolution_param { num_output: 8 group: 8 kernel_size: 3 pad: 1 " +
      filler + " } } "
      "layer { name: 'norm' type: 'CuDNNBatchNorm' bottom: 'a' top: 'norm' } "
      "layer { name: 'b' type: 'Convolution' bottom: 'data' top: 'b' "
      "  convolution_param { num_output: 8 kernel_size: 3 pad: 1 " + filler +
      "  } } "
      "layer { name: 'pool' type: 'Pooling' bottom: 'norm' top: 'pool' "
      "  pooling_param { pool: AVE global_pooling: true } } "
      "layer { name: 'axpy' type: 'Axpy' bottom: 'pool' bottom: 'b' "
      "  bottom: 'norm' top: 'axpy' } "
      "layer { name: 'drop' type: 'Dropout' bottom: 'axpy' top: 'drop' } "
      "layer { name: 'ip' type: 'InnerProduct' bottom: 'drop' top: 'ip' "
      "  inner_product_param { num_output: 3 " + filler + " } } "
      "layer { name: 'loss' type: 'EuclideanLoss' bottom: 'ip' bottom: 'goal' "
      "  top: 'loss' }", &param));
  param.mutable_state()->set_phase(phase);
  return param;
}

void Append(const Blob<float>& blob, vector<float>* values) {
  values->insert(values->end(), blob.cpu_data(), blob.cpu_data() + blob.count());
  values->insert(values->end(), blob.cpu_diff(), blob.cpu_diff() + blob.count());
}

vector<float> Everything(const Net<float>& net) {
  vector<float> values;
  for (const shared_ptr<Blob<float> >& blob : net.blobs()) {
    Append(*blob, &values);
  }
  for (const shared_ptr<Blob<float> >& blob : net.params()) {
    Append(*blob, &values);
  }
  return values;
}

// All values of a net of this seed after some steps.
vector<float> Train(int seed) {
  Caffe::set_random_seed(seed);
  Net<float> net(SelectiveNet(TRAIN));
  for (int i = 0; i < 3; ++i) {
    net.ClearParamDiffs();
    net.ForwardBackward();
    net.Update();
  }
  return Everything(net);
}

}  // namespace

TEST(ThreadsTest, TestNetsAsIfAlone) {
  vector<vector<float> > alone(kThreads), together(kThreads);
  for (int i = 0; i < kThreads; ++i) {
    alone[i] = Train(i + 1);
  }
  OnThreads([&together](int i) { together[i] = Train(i + 1); });
  for (int i = 0; i < kThreads; ++i) {
    EXPECT_TRUE(alone[i] == together[i]) << "net " << i;
    EXPECT_TRUE(i == 0 || alone[i] != alone[0]) << "net " << i;
  }
}

TEST(ThreadsTest, TestSharedWeights) {
  Caffe::set_random_seed(1);
  const Net<float> owner(SelectiveNet(TEST));
  const auto classify = [&owner] {
    Net<float> net(SelectiveNet(TEST));
    net.ShareTrainedLayersWith(&owner);
    Caffe::set_random_seed(2);
    net.Forward();
    net.Backward();
    return Everything(net);
  };
  const vector<float> alone = classify();
  vector<vector<float> > together(kThreads);
  OnThreads([&](int i) { together[i] = classify(); });
  EXPECT_EQ(vector<vector<float> >(kThreads, alone), together);
}

TEST(ThreadsTest, TestModesApart) {
  const Caffe::Brew before = Caffe::mode();
  for (const Caffe::Brew mode : {Caffe::CPU, Caffe::GPU}) {
    Caffe::set_mode(mode);
    vector<Caffe::Brew> begun(kThreads);
    OnThreads([&](int i) {
      begun[i] = Caffe::mode();
      Caffe::set_mode(mode == Caffe::CPU ? Caffe::GPU : Caffe::CPU);
    });
    EXPECT_EQ(mode, Caffe::mode());
    EXPECT_EQ(vector<Caffe::Brew>(kThreads, Caffe::CPU), begun);
  }
  Caffe::set_mode(before);
}

TEST(ThreadsTest, TestErrorsApart) {
  NetParameter bad = SelectiveNet(TRAIN);
  bad.mutable_layer(1)->mutable_convolution_param()->set_kernel_size(0, 50);
  const vector<float> alone = Train(1);
  vector<vector<float> > together(kThreads, alone);
  OnThreads([&](int i) {
    if (i % 2) {
      for (int times = 0; times < 20; ++times) {
        EXPECT_ERROR(Net<float> net(bad), "^layer a ");
      }
    } else {
      together[i] = Train(1);
    }
  });
  EXPECT_EQ(vector<vector<float> >(kThreads, alone), together);
}

TEST(ThreadsTest, TestFiles) {
  string folder;
  MakeTempDir(&folder);
  const auto save = [&folder](int i) {
    const string name = folder + "/" + std::to_string(i);
    const Net<float> net(SelectiveNet(TEST));
    NetParameter param;
    net.ToProto(&param);
    WriteProtoToBinaryFile(param, name + ".caffemodel");
#ifdef USE_HDF5
    net.ToHDF5(name + ".caffemodel.h5");
#endif
    vector<string> endings(1, ".caffemodel");
#ifdef USE_HDF5
    endings.push_back(".caffemodel.h5");
#endif
    for (const string& ending : endings) {
      Net<float> copy(SelectiveNet(TEST));
      copy.CopyTrainedLayersFrom(name + ending);
      for (size_t k = 0; k < net.params().size(); ++k) {
        const Blob<float>& saved = *net.params()[k];
        EXPECT_TRUE(std::equal(saved.cpu_data(), saved.cpu_data() +
            saved.count(), copy.params()[k]->cpu_data())) << name << ending;
      }
    }
  };
  OnThreads([&save](int i) {
    for (int times = 0; times < 5; ++times) {
      save(i);
    }
  });
}

#ifdef USE_HDF5
// A process that reads HDF5 ahead has a copy of each lock that other threads held
// at that moment, for good: of the C library's clock, here.
TEST(ThreadsTest, TestHDF5BesideTheClock) {
  string folder;
  MakeTempDir(&folder);
  const string name = folder + "/net.caffemodel.h5";
  Net<float>(SelectiveNet(TEST)).ToHDF5(name);
  NetParameter none;  // so that each of the file's layers is ignored, and named
  none.set_force_backward(true);
  Net<float> net(none);
  std::atomic<bool> done(false);
  std::thread clock([&done] {
    while (!done) {
      const time_t now = 0;
      tm parts;
      localtime_r(&now, &parts);
    }
  });
  for (int times = 0; times < 20; ++times) {
    EXPECT_NO_THROW(net.CopyTrainedLayersFrom(name));
  }
  done = true;
  clock.join();
}
#endif

}  // namespace caffe
