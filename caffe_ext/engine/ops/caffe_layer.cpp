#include "engine/ops/caffe_layer.hpp"

#include <algorithm>
#include <string>

#include "caffe/error.hpp"
#include "caffe/layer_factory.hpp"

namespace caffe {
namespace engine {

CaffeLayerStep::CaffeLayerStep(CaffeLayer* op) : op_(op) {
  for (const Value* input : op->inputs) { in_.push_back(input->shape); }
  for (const Value* output : op->outputs) { out_.push_back(output->shape); }
}

void CaffeLayerStep::Run(const Buffers& buffers) {
  const LayerScope scope(op_->layer_->layer_param());
  for (size_t i = 0; i < in_.size(); ++i) {
    op_->bottoms_[i]->Reshape(in_[i]);
    Copy(buffers.input(i), op_->bottoms_[i]);
  }
  op_->layer_->Forward(op_->bottoms_, op_->tops_);
  for (size_t i = 0; i < out_.size(); ++i) {
    CHECK(op_->tops_[i]->shape() == out_[i]) << "the layer gave "
        << op_->tops_[i]->shape_string() << " this time: shapes that depend on "
        "the data cannot be compiled";
    Copy(*op_->tops_[i], buffers.output(i));
  }
}

std::string CaffeLayerStep::Implementation() const {
  return std::string("Caffe's ") + op_->layer_->type();
}

void CaffeLayerStep::Copy(const float* from, Blob<float>* to) const {
  std::copy_n(from, to->count(), to->mutable_cpu_data());
}

void CaffeLayerStep::Copy(const Blob<float>& from, float* to) const {
  std::copy_n(from.cpu_data(), from.count(), to);
}

CaffeLayer::CaffeLayer(const shared_ptr<Layer<float> >& source,
    const std::vector<shared_ptr<Blob<float> > >& tops)
    : layer_(source), top_(tops), source_(true), set_up_(true) {
  for (const auto& top : top_) { tops_.push_back(top.get()); }
}

CaffeLayer::CaffeLayer(Layer<float>* layer) : source_(false), set_up_(false) {
  LayerParameter param(layer->layer_param());
  param.clear_blobs();
  layer_ = LayerRegistry<float>::CreateLayer(param);
  for (const auto& blob : layer->blobs()) {
    weights_.emplace_back(new Blob<float>());
    weights_.back()->CopyFrom(*blob, false, true);
  }
  // A layer that has weights when it is set up does not fill any.
  layer_->blobs() = weights_;
}

void CaffeLayer::InferShapes() {
  const LayerScope scope(layer_->layer_param());
  if (!set_up_) {
    for (size_t i = 0; i < inputs.size(); ++i) {
      bottom_.emplace_back(new Blob<float>());
      bottoms_.push_back(bottom_.back().get());
    }
    for (size_t i = 0; i < outputs.size(); ++i) {
      top_.emplace_back(new Blob<float>());
      tops_.push_back(top_.back().get());
    }
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    bottoms_[i]->Reshape(inputs[i]->shape);
  }
  if (set_up_ && !source_) {
    layer_->Reshape(bottoms_, tops_);
  } else if (!set_up_) {
    layer_->SetUp(bottoms_, tops_);
    // But recurrent layers make blobs of their own all the same.
    for (size_t i = 0; i < weights_.size(); ++i) {
      if (layer_->blobs()[i] != weights_[i]) {
        layer_->blobs()[i]->CopyFrom(*weights_[i]);
      }
    }
    set_up_ = true;
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    outputs[i]->shape = tops_[i]->shape();
  }
}

std::unique_ptr<Step> CaffeLayer::MakeStep() {
  return std::unique_ptr<Step>(new CaffeLayerStep(this));
}

}  // namespace engine
}  // namespace caffe
