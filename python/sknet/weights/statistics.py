"""What a blob's values are like; and what in them cannot be right.

A part of the blob at a time, so that what is mapped from a file is not copied.
"""
import math
from dataclasses import dataclass
from typing import Optional

import numpy as np

PART = 1 << 18  # values


@dataclass(frozen=True)
class Statistics:
    """Of the finite values: mean, standard deviation (of all of them, so divided
    by their number), min and max, None if there are none. nan, inf: the numbers
    of others."""
    mean: Optional[float]
    std: Optional[float]
    min: Optional[float]
    max: Optional[float]
    nan: int
    inf: int


def statistics(array):
    """Return the Statistics of an array."""
    count = total = nan = inf = 0
    least, most = math.inf, -math.inf
    for part in parts(array):
        finite = part[np.isfinite(part)]
        nan += int(np.isnan(part).sum())
        inf += int(np.isinf(part).sum())
        if finite.size:
            count += finite.size
            total += finite.sum(dtype=np.float64)
            least, most = min(least, finite.min()), max(most, finite.max())
    if not count:
        return Statistics(None, None, None, None, nan, inf)
    mean = total / count
    squares = sum(np.square(np.float64(part[np.isfinite(part)]) - mean).sum()
                  for part in parts(array))
    return Statistics(*map(float, (mean, math.sqrt(squares / count), least, most)),
                      nan, inf)


def parts(array):
    """Yield an array's values in order, flat, at most PART at a time."""
    flat = array.reshape(-1)
    for start in range(0, flat.size, PART):
        yield flat[start:start + PART]


def running_variance(kind, blobs):
    """Return the running variance among the Blobs of a layer of the type `kind`,
    or None if it has none.

    BatchNorm stores it times its third blob, which it divides by, unless that
    is 0.
    """
    if kind == "CuDNNBatchNorm" and len(blobs) == 4:
        return blobs[3].data
    if kind == "BatchNorm" and len(blobs) == 3 and blobs[2].data.size == 1:
        factor = float(blobs[2].data.reshape(()))
        return np.float64(blobs[1].data) * (1 / factor if factor else 0)
    return None


def flaws(kind, blobs):
    """Return what cannot be right in the Blobs of a layer of the type `kind`, as
    words, and what is only odd: two lists."""
    wrong, odd = [], []
    for index, blob in enumerate(blobs):
        bad = sum(int((~np.isfinite(part)).sum()) for part in parts(blob.data))
        if bad:
            wrong.append(f"blob {index}: {bad} of {blob.data.size} values are NaN "
                         "or infinite")
    variance = running_variance(kind, blobs)
    if variance is not None:
        if (variance < 0).any():
            wrong.append(f"{int((variance < 0).sum())} running variances are "
                         "negative")
        zeros = int((variance == 0).sum())
        if zeros == variance.size:
            wrong.append("all running variances are 0: never trained, or not saved")
        elif zeros:
            odd.append(f"{zeros} of {variance.size} running variances are 0: "
                       "channels that are always the same")
    return wrong, odd
