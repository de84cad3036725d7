"""What a net costs. The rules by which everything here is counted:

params              values of all blobs of the layers but batch norm's statistics
                    (the last two of CuDNNBatchNorm's, all of BatchNorm's); what
                    layers share by a param's name counts once
params_with_stats   the statistics too
macs                multiply-adds for one image, by one of the rules
    conv_fc         those of convolutions, deconvolutions and fully connected
                    layers, without biases
    table2          and one for each value that Scale and Axpy give. With batch
                    norms as BatchNorm and Scale in ResNeXt and SENet, and as
                    CuDNNBatchNorm in SKNet, it gives SKNet's published table
    all             and one for each value that any other layer gives, but for
                    those that read, split, join, cut, repeat or rename blobs,
                    and Dropout: the types of _NO_COMPUTATION
activations         bytes of all blobs as float32, forward, for the whole batch.
                    Caffe keeps them all; but a top in place of its bottom is not
                    another, nor are those of Split, Reshape and Flatten
receptive_field     see sknet.receptive_field
"""
import math
from dataclasses import dataclass
from typing import Optional

from sknet.attention import units
from sknet.proto import caffe_pb2
from sknet.receptive_field import receptive_fields
from sknet.shapes import shaped_layers

MACS = ("conv_fc", "table2", "all")
_MULTIPLY = {"Convolution", "DepthwiseConvolution", "Deconvolution",
             "InnerProduct"}
_IN_TABLE_2 = {"Scale", "Axpy"}
_NO_COMPUTATION = {"Input", "Data", "AugmentedData", "DummyData", "Split", "Slice",
                   "Concat", "Crop", "Tile", "Reshape", "Flatten", "Silence", "Dropout"}
_SAME_MEMORY = {"Split", "Reshape", "Flatten"}
_FLOAT = 4  # bytes


@dataclass(frozen=True)
class LayerProfile:
    """A layer's costs; `shapes` are its tops', `receptive_field` (height,
    width) in pixels, or None for the whole input."""
    name: str
    type: str
    shapes: tuple
    params: int
    params_with_stats: int
    macs: int
    activations: int
    receptive_field: Optional[tuple]


@dataclass(frozen=True)
class Branch:
    """A branch of an SK unit: its convolution's name, that kernel's size in
    pixels, dilation included, and its receptive field (height, width)."""
    name: str
    kernel: int
    receptive_field: tuple


@dataclass(frozen=True)
class Profile:
    """A net's costs. `batch` is the first dimension of its first blob, `units`
    {SK unit's name: [Branch]}."""
    name: str
    batch: int
    layers: list
    units: dict

    def total(self, cost):
        """The sum of a field of the layers."""
        return sum(getattr(layer, cost) for layer in self.layers)


def profile(net, macs="conv_fc", phase=caffe_pb2.TEST, source=None):
    """Return the Profile of a NetParameter.

    macs: one of MACS.
    phase, source, errors: sknet.shapes.infer's.
    """
    shaped = shaped_layers(net, phase, source)
    batch = shaped[0].tops[0][0] if shaped[0].tops[0] else 1
    seen = set()
    layers = []
    for layer, field in zip(shaped, receptive_fields(shaped)):
        params, statistics = _params(layer, seen)
        layers.append(LayerProfile(
            layer.param.name, layer.param.type, layer.tops, params,
            params + statistics, _macs(layer, macs) // batch, _activations(layer),
            field))
    fields = {layer.name: layer.receptive_field for layer in layers}
    return Profile(net.name, batch, layers, {
        unit.name: [Branch(branch, kernel, fields[branch])
                    for branch, kernel in zip(unit.branches, unit.kernels)]
        for unit in units(net)})


def _params(layer, seen):
    """The numbers of learnable values and of statistics; names of shared params
    are gathered in `seen`."""
    counts = [0, 0]
    first_statistic = {"BatchNorm": 0, "CuDNNBatchNorm": 2}.get(
        layer.param.type, math.inf)
    for index, shape in enumerate(layer.blobs):
        shared = layer.param.param[index].name \
            if index < len(layer.param.param) else ""
        if shared not in seen:
            counts[index >= first_statistic] += math.prod(shape)
        if shared:
            seen.add(shared)
    return counts


def _macs(layer, rule):
    values = sum(map(math.prod, layer.tops))
    kind = layer.param.type
    if kind == "Deconvolution":
        # Each value of the bottoms is multiplied with its channel's weights.
        return sum(map(math.prod, layer.bottoms)) * math.prod(layer.blobs[0][1:])
    if kind in _MULTIPLY:
        weights = layer.blobs[0]
        inputs = math.prod(weights[1:])
        if kind == "InnerProduct" and layer.param.inner_product_param.transpose:
            inputs = weights[0]
        return values * inputs
    if rule == "all" and kind not in _NO_COMPUTATION \
            or rule == "table2" and kind in _IN_TABLE_2:
        return values
    return 0


def _activations(layer):
    if layer.param.type in _SAME_MEMORY:
        return 0
    return _FLOAT * sum(
        math.prod(shape) for index, shape in enumerate(layer.tops)
        if list(layer.param.bottom[index:index + 1]) != [layer.param.top[index]])
