"""Means over images of what was measured, for each unit, class and scale."""
from dataclasses import dataclass
from typing import Optional

import numpy as np


@dataclass(frozen=True)
class Mean:
    """The mean of a value over images.

    label: the number of their class; None: all images.
    value: "difference" (see Unit.difference); "change", each image's difference minus
        its difference at the first scale; or a branch's name, for its attention.
    n: the number of images.
    standard_error: standard deviation (of n - 1) / sqrt(n); None for one image.
    """
    unit: str
    label: Optional[int]
    scale: float
    value: str
    n: int
    mean: float
    standard_error: Optional[float]


def means(attention):
    """Return the Means of an Attention: of all images, then of each class."""
    values = {unit: _values(unit, attention.branches[unit.name])
              for unit in attention.units}
    return [_mean(unit.name, label, scale, name, array[images, number])
            for label, images in _groups(attention.labels).items()
            for unit in attention.units
            for name, array in values[unit].items()
            for number, scale in enumerate(attention.scales)
            if name != "change" or number]


def _values(unit, branches):
    """N x scales of each value."""
    difference = unit.difference(branches)
    return dict(difference=difference, change=difference - difference[:, :1],
                **{name: branches[..., number].astype(float)
                   for number, name in enumerate(unit.short_names)})


def _groups(labels):
    """The places of all images, and of those of each class."""
    groups = {}
    for place, label in enumerate(labels):
        if label is not None:
            groups.setdefault(label, []).append(place)
    return {None: list(range(len(labels))), **dict(sorted(groups.items()))}


def _mean(unit, label, scale, value, found):
    n = len(found)
    error = found.std(ddof=1) / np.sqrt(n) if n > 1 else None
    return Mean(unit, label, scale, value, n, found.mean(), error)
