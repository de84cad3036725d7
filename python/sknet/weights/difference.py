"""What differs between two files of weights."""
from dataclasses import dataclass
from typing import Optional

import numpy as np

from sknet.weights.blobs import shape_text
from sknet.weights.statistics import parts


@dataclass(frozen=True)
class BlobDifference:
    """What differs in the blob `index` of a layer.

    shapes: both, as words, if they differ; then nothing else is known.
    values: how many differ; NaN equals NaN.
    max_abs: the largest difference, None where one is NaN or infinite and the
        other is not.
    relative: that, over the first file's largest absolute value.
    """
    layer: str
    index: int
    shapes: Optional[tuple] = None
    values: int = 0
    max_abs: Optional[float] = None
    relative: Optional[float] = None


def differences(first, second):
    """Return ([BlobDifference], [what only the first has], [only the second]) of
    two Weights; a layer or, of a layer of both, LAYER/INDEX is had."""
    found = [difference for name, layer in first.layers.items()
             if name in second.layers
             for index, (a, b) in enumerate(zip(layer.blobs,
                                                second.layers[name].blobs))
             for difference in _difference(name, index, a, b)]
    return found, _only(first, second), _only(second, first)


def _only(weights, other):
    missing = []
    for name, layer in weights.layers.items():
        if name not in other.layers:
            missing.append(name)
        else:
            missing += [f"{name}/{index}" for index in
                        range(len(other.layers[name].blobs), len(layer.blobs))]
    return missing


def _difference(layer, index, a, b):
    """No or one BlobDifference."""
    if not a.fits(b.shape) and not b.fits(a.shape):
        yield BlobDifference(layer, index, (shape_text(a.shape),
                                            shape_text(b.shape)))
        return
    count, most, largest = 0, 0., 0.
    for one, other in zip(parts(a.data), parts(b.data)):
        differ = (one != other) & ~(np.isnan(one) & np.isnan(other))
        count += int(differ.sum())
        with np.errstate(invalid="ignore", over="ignore"):
            apart = np.abs(np.float64(one[differ]) - other[differ])
        most = np.maximum(most, apart.max(initial=0))  # NaN stays
        largest = max(largest, np.abs(one).max(initial=0, where=np.isfinite(one)))
    if not count:
        return
    most = float(most) if np.isfinite(most) else None
    yield BlobDifference(layer, index, None, count, most,
                         most / float(largest) if most and largest else None)
