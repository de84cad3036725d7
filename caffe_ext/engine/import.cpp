#include "engine/import.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "engine/layer_imports.hpp"
#include "engine/ops/caffe_layer.hpp"

namespace caffe {
namespace engine {

std::unique_ptr<Graph> Import(const Net<float>& net,
    const std::vector<std::string>& outputs) {
  CHECK_EQ(net.phase(), TEST) << "net '" << net.name()
      << "' is of phase TRAIN: only nets of phase TEST are compiled";
  std::unique_ptr<Graph> graph(new Graph);
  std::map<int, Value*> values;  // what each blob holds by now
  const auto new_value = [&](int blob) {
    return graph->AddValue(net.blob_names()[blob],
                           net.blobs()[blob]->shape());
  };
  for (int blob : net.input_blob_indices()) {
    values[blob] = new_value(blob);
    graph->inputs.push_back(values[blob]);
  }
  for (size_t i = 0; i < net.layers().size(); ++i) {
    Layer<float>* layer = net.layers()[i].get();
    const LayerScope scope(layer->layer_param());
    const std::string type = layer->type();
    if (type == "Input" || type == "Silence") {
      continue;
    }
    std::vector<Value*> bottoms;
    for (int blob : net.bottom_ids(i)) { bottoms.push_back(values[blob]); }
    if (type == "Split" || type == "Dropout") {
      for (int blob : net.top_ids(i)) { values[blob] = bottoms[0]; }
      continue;
    }
    std::unique_ptr<Op> op = ImportLayer(layer, bottoms,
                                         net.top_ids(i).size());
    if (!op) {
      std::vector<shared_ptr<Blob<float> > > tops;
      for (int blob : net.top_ids(i)) { tops.push_back(net.blobs()[blob]); }
      op.reset(bottoms.empty() ? new CaffeLayer(net.layers()[i], tops) :
               new CaffeLayer(layer));
      op->inputs = bottoms;
    }
    op->layers.push_back(net.layer_names()[i]);
    for (int blob : net.top_ids(i)) {
      values[blob] = new_value(blob);
      op->outputs.push_back(values[blob]);
    }
    graph->Add(std::move(op));
  }
  for (const std::string& name : outputs) {
    const auto found = std::find(net.blob_names().begin(),
                                 net.blob_names().end(), name);
    CHECK(found != net.blob_names().end()) << "net '" << net.name()
        << "' has no blob '" << name << "' to be an output";
    graph->outputs.push_back(values[found - net.blob_names().begin()]);
  }
  return graph;
}

}  // namespace engine
}  // namespace caffe
