"""SK units without the Reshapes, Slice and Softmax between 4 axes that select.

Of M branches with scores s_i, each C of the convolution's M C values, the gates
are the softmax over the branches. In differences of scores, which are again a
convolution of the same bottom, that is

    gate_i = 1 / (1 + sum over j ≠ i of exp(s_j - s_i)),  N x C x 1 x 1,

and for M = 2 the sigmoid of s_i - s_j.
"""
from dataclasses import dataclass

import numpy as np

from sknet.proto import caffe_pb2
from sknet.weights.attached import WeightedLayer, new_layer
from sknet.weights.blobs import Blob


@dataclass
class _Selection:
    """The layers of a unit between its convolution and its gates."""
    convolution: WeightedLayer
    between: list
    gates: list


def without_reshapes(layers, shapes):
    """Return WeightedLayers of the same function: convolutions give the SK
    units' gates, and Flatten stands for Reshapes to two axes.

    shapes: of the blobs, as sknet.shapes.infer gives them.
    """
    replaced, gone = {}, set()
    for layer in layers:
        found = _selection(layer, layers, shapes)
        if found:
            replaced[id(found.between[-1])] = _gates(found)
            gone.update(map(id, (found.convolution, *found.between, *found.gates)))
    result = []
    for layer in layers:
        result += replaced.get(id(layer), [] if id(layer) in gone else
                               [_flattened(layer, shapes)])
    return result


def _selection(softmax, layers, shapes):
    """The _Selection that a layer is the softmax of, or None."""
    if softmax.param.type != "Softmax" or softmax.param.softmax_param.axis != 1:
        return None
    scores = _maker(softmax.param.bottom[0], layers, "Reshape")
    convolution = scores and _maker(scores.param.bottom[0], layers, "Convolution")
    cut = _only_reader(softmax, layers, "Slice")
    if not (convolution and cut) or convolution.param.convolution_param.group != 1 \
            or not (_only_reader(convolution, layers, "Reshape")
                    and _only_reader(scores, layers, "Softmax")):
        return None
    gates = [_only_reader(cut, layers, "Reshape", top) for top in cut.param.top]
    number, channels, *_ = shapes[convolution.param.top[0]]
    count = len(gates)
    if not all(gates) or any(shapes[blob] != shape for blob, shape in [
            (convolution.param.top[0], (number, channels, 1, 1)),
            (scores.param.top[0], (number, count, channels // count, 1)),
            *((gate.param.top[0], (number, channels // count, 1, 1))
              for gate in gates)]):
        return None
    return _Selection(convolution, [scores, softmax, cut], gates)


def _maker(blob, layers, kind):
    """The layer that a blob comes from, if it is of that type and no other layer
    changes it in place."""
    makers = [layer for layer in layers if blob in layer.param.top]
    return makers[0] if [maker.param.type for maker in makers] == [kind] else None


def _only_reader(layer, layers, kind, top=None):
    """The layer that reads a top, if only one does, and is of that type."""
    top = top or layer.param.top[0]
    readers = [reader for reader in layers if top in reader.param.bottom]
    return readers[0] if [reader.param.type for reader in readers] == [kind] else None


def _gates(selection):
    """The layers that compute a unit's gates, in place of its selection."""
    return [layer for index in range(len(selection.gates))
            for layer in _gate(selection, index)]


def _gate(selection, index):
    """The layers of gate `index`, which have its name in theirs."""
    own = selection.gates[index].param
    others = [other for other in range(len(selection.gates)) if other != index]
    name, top = own.name, own.top[0]
    if len(others) == 1:
        scores = f"{name}/score"
        return [_difference(selection, [(index, others[0])], scores),
                new_layer(name, "Sigmoid", [scores], top, own)]
    scores, total = f"{name}/scores", f"{name}/sum"
    exps = [f"{name}/exp{other}" for other in others]
    cut = new_layer(f"{name}/slice", "Slice", [scores], exps[0], own)
    cut.param.top.extend(exps[1:])
    return [_difference(selection, [(other, index) for other in others], scores),
            new_layer(f"{name}/exp", "Exp", [scores], scores, own), cut,
            new_layer(total, "Eltwise", exps, total, own,
                      eltwise_param=dict(operation="SUM")),
            new_layer(name, "Power", [total], top, own,
                      power_param=dict(power=-1, shift=1))]


def _difference(selection, pairs, name):
    """A convolution of the scores of branch a minus those of branch b, for each
    pair (a, b) in turn."""
    layer = WeightedLayer(caffe_pb2.LayerParameter())
    layer.param.CopyFrom(selection.convolution.param)
    layer.param.name = layer.param.top[0] = name
    param = layer.param.convolution_param
    channels = param.num_output // len(selection.gates)
    param.num_output = channels * len(pairs)
    for blob in selection.convolution.blobs:
        parts = blob.data.reshape(len(selection.gates), channels,
                                  *blob.shape[1:]).astype(float)
        values = [parts[a] - parts[b] for a, b in pairs]
        layer.blobs.append(Blob(np.concatenate(values).astype(blob.data.dtype)))
    return layer


def _flattened(layer, shapes):
    """Flatten, if it is what a Reshape does; else the layer itself."""
    if layer.param.type != "Reshape":
        return layer
    bottom, top = layer.param.bottom[0], layer.param.top[0]
    if len(shapes[top]) != 2 or shapes[bottom][0] != shapes[top][0]:
        return layer
    return new_layer(layer.param.name, "Flatten", [bottom], top, layer.param)
