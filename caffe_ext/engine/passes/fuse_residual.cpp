#include <algorithm>

#include "engine/ops/convolution.hpp"
#include "engine/ops/eltwise.hpp"
#include "engine/passes.hpp"

namespace caffe {
namespace engine {

void FuseResidual(Graph* graph) {
  for (Op* op : graph->Snapshot()) {
    Sum* sum = As<Sum>(op);
    if (sum == NULL || sum->inputs.size() != 2) {
      continue;
    }
    // The later of two convolutions, so that both run before the sum.
    Convolution* before = NULL;
    int which = 0;
    const std::vector<Op*> ops = graph->Snapshot();
    size_t latest = 0;
    for (int i = 0; i < 2; ++i) {
      Convolution* made = As<Convolution>(graph->Producer(sum->inputs[i]));
      const size_t place = std::find(ops.begin(), ops.end(), made) -
          ops.begin();
      if (made != NULL && !made->relu && made->inputs.size() == 1 &&
          sum->coefficients[1 - i] == 1 && sum->inputs[0] != sum->inputs[1] &&
          graph->OnlyUser(sum->inputs[i]) == sum && place >= latest) {
        before = made;
        which = i;
        latest = place;
      }
    }
    if (before == NULL) {
      continue;
    }
    const float factor = sum->coefficients[which];
    before->weights->Scale(std::vector<double>(before->num_output, factor));
    for (float& bias : before->bias) { bias *= factor; }
    before->inputs.push_back(sum->inputs[1 - which]);
    before->outputs = sum->outputs;
    before->relu = sum->relu;
    before->negative_slope = sum->negative_slope;
    before->layers.insert(before->layers.end(), sum->layers.begin(),
                          sum->layers.end());
    graph->MoveBefore(before, sum);
    graph->Remove(sum);
  }
}

}  // namespace engine
}  // namespace caffe
