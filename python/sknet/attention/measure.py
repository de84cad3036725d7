"""Attention of every SK unit to its branches, for images at growing scales."""
from dataclasses import dataclass, replace

import numpy as np

from sknet.attention.units import branch_attention
from sknet.classifier import Classifier
from sknet.data.loading import loaded
from sknet.data.preprocessing import Preprocessing
from sknet.errors import InputError


@dataclass(frozen=True)
class Enlarged:
    """From a Pillow image to a net's inputs, one for each scale s: the central 1/s of
    each side of what the net would see, resized to all of its input (from the image's
    own pixels, as if its shorter side were resized to s times as many)."""
    preprocessing: Preprocessing
    scales: tuple

    def __call__(self, image):
        """Return scales x channels x crop x crop float32. Raises InputError if the
        image is smaller than the crop."""
        return np.stack([self._at(scale, image)(image) for scale in self.scales])

    def frames(self, image):
        """Return the same as Pillow images."""
        return [self._at(scale, image).frame(image) for scale in self.scales]

    def _at(self, scale, image):
        side = self.preprocessing.shorter_side or min(image.size)
        return replace(self.preprocessing, shorter_side=round(side * scale))


@dataclass(frozen=True)
class Measurer:
    """Called with batches, ranges of indices of a dataset, it yields
    (batch, rows): for each image a dict of

        index, name, label: of the image;
        attention: {unit: scales x branches}, mean over the channels;

    or of index, name and error. The rows do not depend on the batches.

    Raises InputError if there are no SK units, or such as cannot be measured, and
    for NaN.
    """
    classifier: Classifier
    dataset: object
    units: list
    scales: tuple
    threads: int = 0

    def __post_init__(self):
        if not self.units:
            raise InputError("the net has no SK units; expected layers X/B_softmax and "
                             "X_3x3 of a unit X")
        for unit in self.units:
            shape = self.classifier.net.blobs[f"{unit.name}/B_softmax"].data.shape
            if len(shape) != 4 or shape[1] != len(unit.branches) or shape[3] != 1:
                raise InputError(
                    f"layer {unit.name}/B_softmax: gives {'x'.join(map(str, shape))}; "
                    f"expected N x {len(unit.branches)} branches x channels x 1")
            unit.check()

    def identity(self):
        """What the rows depend on, as JSON values."""
        return dict(**self.classifier.identity(), dataset=self.dataset.digest(),
                    images=len(self.dataset), scales=self.scales)

    def __call__(self, batches):
        prepare = Enlarged(self.classifier.preprocessing, self.scales)
        for batch, items in loaded(self.dataset, prepare, batches, self.threads):
            good = [item for item in items if not item.error]
            rows = [dict(index=item.index, name=item.name, error=item.error)
                    for item in items if item.error]
            if good:
                rows += self._rows(good)
            yield batch, rows

    def _rows(self, items):
        self.classifier(np.concatenate([item.pixels for item in items]))
        shape = len(items), len(self.scales), -1
        found = {unit.name: branch_attention(self.classifier.net, unit).reshape(shape)
                 for unit in self.units}
        for number, item in enumerate(items):
            for name, values in found.items():
                if not np.isfinite(values[number]).all():
                    raise InputError(f"{item.name}: the attention of unit {name} is "
                                     "not all numbers")
            yield dict(index=item.index, name=item.name, label=item.label,
                       attention={name: _decimals(values[number])
                                  for name, values in found.items()})


def _decimals(values):
    """A float32 array as lists of the shortest decimals that are those values."""
    return [[float(str(value)) for value in row] for row in values]


class Attention:
    """What was measured of N images.

    units, scales: as of the Measurer.
    images: of each image what `kept` returns; one at least.

    names, labels: of each image; its label is None where none is known.
    branches: of each unit's name, N x scales x branches, float32.
    """

    def __init__(self, units, scales, images):
        self.units, self.scales = units, scales
        self.names, self.labels, values = zip(*images)
        self.branches = {unit.name: np.stack([found[unit.name] for found in values])
                         for unit in units}


def kept(row):
    """Return (name, label, {unit: scales x branches}) of a Measurer's row, without
    error."""
    return row["name"], row["label"], {
        unit: np.array(values, np.float32)
        for unit, values in row["attention"].items()}
