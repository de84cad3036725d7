"""What the Inceptions share: units of branches side by side, the first layers,
the last ones.

A step of a branch is a function (graph, bottom, name of the unit) → top.

Padded means divide by 9 at the borders too: Caffe's pooling counts the padding,
and so do the Inceptions that were released for Caffe. TensorFlow's, in which the
authors wrote theirs, does not.
"""
import re
from dataclasses import dataclass
from typing import Optional

from sknet.data.preprocessing import Preprocessing
from sknet.models.blocks import (average_pool, classifier, concat, conv_bn_relu,
                                 dropout, pool)

# Of the models released for Caffe; TensorFlow's take RGB, less 127.5.
PREPROCESSING = Preprocessing(shorter_side=320, crop=299, mean=(128, 128, 128),
                              scale=1 / 128)
# Below this, not one pixel is left for the last units.
MIN_SIZE = 75


@dataclass(frozen=True)
class Conv:
    """The step convolution → batch norm → ReLU.

    part: its name in the unit. It begins with the kernel, height x width, or
        ends in _reduce or _proj: these are 1x1.
    pad: by default what keeps the size; none with a stride.
    """
    part: str
    channels: int
    stride: int = 1
    pad: Optional[int] = None

    @property
    def kernel(self):
        if self.part.endswith(("_reduce", "_proj")):
            return 1
        height, width = map(int, re.match(r"(\d+)x(\d+)", self.part).groups())
        return height if height == width else (height, width)

    def __call__(self, graph, bottom, unit):
        pad = 0 if self.stride > 1 else self.pad
        return conv_bn_relu(graph, bottom, f"{unit}/{self.part}", self.channels,
                            kernel=self.kernel, stride=self.stride, pad=pad,
                            eps=1e-3)


def max_pool(graph, bottom, unit):
    """The step to half the size."""
    return pool(graph, bottom, f"{unit}/pool", round_mode="FLOOR")


def mean_pool(graph, bottom, unit):
    """The step to the means of 3x3."""
    return pool(graph, bottom, f"{unit}/pool", "AVE", stride=1, pad=1)


def chain(graph, bottom, unit, steps):
    """Steps, each on the top of the one before."""
    for step in steps:
        bottom = step(graph, bottom, unit)
    return bottom


def inception(graph, bottom, unit, branches, name=None):
    """The tops of branches side by side, in a Concat named `name` or `unit`.

    branches: lists of steps. The last may be a tuple of steps, which give a top
        each.
    """
    tops = []
    for *steps, last in branches:
        top = chain(graph, bottom, unit, steps)
        tops += [step(graph, top, unit)
                 for step in (last if isinstance(last, tuple) else (last,))]
    return concat(graph, tops, name or unit)


def inceptions(graph, bottom, name, units):
    """Units `name`1, `name`2, ... in a row, given by their branches."""
    for number, branches in enumerate(units, 1):
        bottom = inception(graph, bottom, f"{name}{number}", branches)
    return bottom


def head(graph, bottom):
    """A pool, of 8x8 pixels if the image has 299x299, and the classifier."""
    top = average_pool(graph, bottom, "avepool/8x8", window=8)
    return classifier(graph, dropout(graph, top, "dropout", ratio=.2))


STEM = [Conv("3x3_1", 32, stride=2), Conv("3x3_2", 32, pad=0), Conv("3x3_3", 64)]


def stem(graph):
    """The first layers of Inception-v3 and Inception-ResNet-v2: data →
    192 channels, from 299x299 pixels to 35x35."""
    top = chain(graph, "data", "stem1", [*STEM, max_pool])
    return chain(graph, top, "stem2", [Conv("1x1", 80), Conv("3x3", 192, pad=0),
                                       max_pool])
