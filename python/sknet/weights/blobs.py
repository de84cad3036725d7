"""Weights in memory: what every format is read into and written from."""
from dataclasses import dataclass, field

import numpy as np

MAX_AXES = 32  # kMaxBlobAxes in blob.hpp


@dataclass(frozen=True)
class Blob:
    """data: an array of float16, float32 or float64, which may be a view of a file.
    legacy: whether its shape is one of Caffe's older files, of 4 axes, of which
        the first ones are 1 where there is nothing to count.
    """
    data: np.ndarray
    legacy: bool = False

    @property
    def shape(self):
        return self.data.shape

    def fits(self, shape):
        """Caffe's rule for whether a blob of that shape takes this one."""
        if self.legacy:
            return len(shape) <= 4 and \
                self.shape == (1,) * (4 - len(shape)) + tuple(shape)
        return self.shape == tuple(shape)


@dataclass
class Layer:
    """A layer's blobs, in Caffe's order; `type` is empty where the file does not
    tell it."""
    type: str = ""
    blobs: list = field(default_factory=list)


@dataclass
class Weights:
    """Of a net's layers that have blobs, in the file's order: {name: Layer}."""
    name: str = ""
    layers: dict = field(default_factory=dict)


def shape_text(shape):
    """A shape as words: 64x3x7x7."""
    return "x".join(map(str, shape)) or "a single value"
