"""The SK units of a net, and the softmax over their branches."""
from dataclasses import dataclass

import numpy as np

from sknet.errors import InputError


@dataclass(frozen=True)
class Unit:
    """An SK unit of a net: its name, and of each branch the name of its
    convolution and that kernel's height and width, dilation included, in
    pixels."""
    name: str
    branches: tuple
    kernels: tuple

    @property
    def short_names(self):
        """Of each branch, its name within the unit."""
        return tuple(name.removeprefix(f"{self.name}/") for name in self.branches)

    @property
    def stage(self):
        """What a unit's name, like conv3_4, has before its number."""
        return self.name.rpartition("_")[0]

    def check(self):
        """Raise InputError if all kernels are of one size."""
        if len(set(self.kernels)) == 1:
            size = self.kernels[0]
            raise InputError(f"unit {self.name}: all its kernels are {size}x{size}; "
                             "expected smaller and larger ones")

    def difference(self, attention):
        """Return how much more of the attention (... x branches, of sum 1) the larger
        kernels have: from -1, all on the smallest, to 1, all on the largest.

        Of two branches, or three whose kernels grow in equal steps, it is the
        attention of the largest minus that of the smallest, as in the paper; else the
        mean size of the kernels, on a scale where the smallest is -1 and the largest 1.
        """
        smallest, largest = min(self.kernels), max(self.kernels)
        places = (2 * np.array(self.kernels, float) - smallest - largest) / (
            largest - smallest)
        return np.asarray(attention, float) @ places


def units(param):
    """Return the SK units of a NetParameter, in order.

    A unit X is told by the name of its softmax, X/B_softmax. Its branches are
    what is summed in X_3x3.
    """
    layers = {layer.name: layer for layer in param.layer}
    makers = {top: layer for layer in reversed(param.layer) for top in layer.top}
    found = []
    for name in layers:
        unit, _, end = name.rpartition("/")
        if end == "B_softmax" and f"{unit}_3x3" in layers:
            convolutions = [_convolution(makers, top)
                            for top in layers[f"{unit}_3x3"].bottom]
            found.append(Unit(unit, tuple(layer.name for layer in convolutions),
                              tuple(map(_extent, convolutions))))
    return found


def branch_attention(net, unit):
    """Return the weight of each of a unit's branches, mean over the channels,
    after a forward pass of a caffe.Net: N x branches, rows of sum 1."""
    return channel_attention(net, unit).mean(axis=2)


def channel_attention(net, unit):
    """Return the same of each channel: N x branches x channels."""
    return net.blobs[f"{unit.name}/B_softmax"].data[..., 0].copy()


def _convolution(makers, blob):
    """The convolution that a blob comes from."""
    layer = makers[blob]
    while not layer.HasField("convolution_param"):
        layer = makers[layer.bottom[0]]
    return layer


def _extent(layer):
    param = layer.convolution_param
    dilation = param.dilation[0] if param.dilation else 1
    return dilation * (param.kernel_size[0] - 1) + 1
