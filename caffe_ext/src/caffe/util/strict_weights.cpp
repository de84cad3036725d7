#include "caffe/util/strict_weights.hpp"

#ifdef USE_HDF5
#include "hdf5.h"
#endif

#include <set>
#include <string>

#include "caffe/util/hdf5_layers.hpp"
#include "caffe/util/hdf5_lock.hpp"
#include "caffe/util/hdf5_open.hpp"
#include "caffe/util/hdf5_scope.hpp"
#include "caffe/util/upgrade_proto.hpp"

namespace caffe {

namespace {

typedef std::set<string> Names;

// The layers that have weights of their own: HDF5 files hold shared ones once.
template <typename Dtype>
Names Wanted(const Net<Dtype>& net, bool shared_too) {
  Names names;
  int param = 0;
  for (size_t i = 0; i < net.layers().size(); ++i) {
    for (size_t j = 0; j < net.layers()[i]->blobs().size(); ++j, ++param) {
      if (shared_too || net.param_owners()[param] < 0) {
        names.insert(net.layer_names()[i]);
      }
    }
  }
  return names;
}

#ifdef USE_HDF5
Names Stored(const string& file) {
  const HDF5Lock hdf5;
  const hid_t opened = OpenHDF5(file, [&] { Stored(file); });
  const HDF5Scope scope(opened);
  const hid_t data = H5Gopen2(opened, "data", H5P_DEFAULT);
  CHECK_GE(data, 0) << "Error reading weights from " << file;
  Names names;
  for (const string& name : HDF5Layers(data)) {
    const hid_t layer = H5Gopen2(data, name.c_str(), H5P_DEFAULT);
    CHECK_GE(layer, 0) << "Error reading weights from " << file;
    if (HDF5ArrayCount(layer) > 0) {
      names.insert(name);
    }
    H5Gclose(layer);
  }
  H5Gclose(data);
  H5Fclose(opened);
  return names;
}
#endif

Names Stored(const NetParameter& param) {
  Names names;
  for (const LayerParameter& layer : param.layer()) {
    if (layer.blobs_size() > 0) {
      names.insert(layer.name());
    }
  }
  return names;
}

// "a, b, c and 7 more": those of `names` that `others` lacks.
string Without(const Names& names, const Names& others) {
  const int kShown = 5;
  string text;
  int count = 0;
  for (const string& name : names) {
    if (!others.count(name) && count++ < kShown) {
      text += (text.empty() ? "" : ", ") + name;
    }
  }
  return count <= kShown ? text :
      text + " and " + std::to_string(count - kShown) + " more";
}

void CheckNames(const string& file, const Names& wanted, const Names& stored) {
  const string missing = Without(wanted, stored);
  const string left_over = Without(stored, wanted);
  CHECK(missing.empty() && left_over.empty()) << file << " does not fit the net:"
      << (missing.empty() ? "" : " no weights for " + missing)
      << (missing.empty() || left_over.empty() ? "" : ";")
      << (left_over.empty() ? "" : " no layer for " + left_over);
}

}  // namespace

template <typename Dtype>
void CopyTrainedLayersStrictly(const string& file, Net<Dtype>* net) {
#ifdef USE_HDF5
  if (H5Fis_hdf5(file.c_str()) > 0) {
    CheckNames(file, Wanted(*net, false), Stored(file));
    net->CopyTrainedLayersFrom(file);
    return;
  }
#endif
  NetParameter param;
  ReadNetParamsFromBinaryFileOrDie(file, &param);
  CheckNames(file, Wanted(*net, true), Stored(param));
  net->CopyTrainedLayersFrom(param);
}

template void CopyTrainedLayersStrictly(const string&, Net<float>*);
template void CopyTrainedLayersStrictly(const string&, Net<double>*);

}  // namespace caffe
