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
    def stage(self):
        """What a unit's name, like conv3_4, has before its number."""
        return self.name.rpartition("_")[0]

    def difference(self, attention):
        """Return how far attention (... x branches, of sum 1) is on the larger
        kernels: from -1, all on the smallest, to 1, all on the largest.

        Of two branches, and of three in equal steps, the attention of the largest
        kernel minus that of the smallest, as in the paper; in general the mean
        kernel, the smallest counted as -1 and the largest as 1.

        Raises InputError if all kernels are of one size.
        """
        smallest, largest = min(self.kernels), max(self.kernels)
        if smallest == largest:
            raise InputError(f"unit {self.name}: all its kernels are {largest}x"
                             f"{largest}; expected a smaller and a larger one")
        sizes = np.array(self.kernels, float)
        places = (2 * sizes - smallest - largest) / (largest - smallest)
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
