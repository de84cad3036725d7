"""Attention of every SK unit to its branches, for images at growing scales."""
from dataclasses import dataclass, field, replace

import numpy as np

from sknet.attention.units import branch_attention
from sknet.errors import InputError


@dataclass
class Attention:
    """What was measured of N images.

    units, scales: as given to `measure`.
    names, labels: of each image; the label is None where none is known.
    branches: of each unit's name, N x scales x branches.
    unreadable: [(name, error)] of the images left out.
    """
    units: list
    scales: list
    names: list = field(default_factory=list)
    labels: list = field(default_factory=list)
    branches: dict = field(default_factory=dict)
    unreadable: list = field(default_factory=list)


def enlarged(preprocessing, image, scale):
    """Return the Preprocessing that shows a Pillow image `scale` times as large: the
    central 1/scale of each side of what the net would see, resized to all of its
    input, from the image's own pixels."""
    side = preprocessing.shorter_side or min(image.size)
    return replace(preprocessing, shorter_side=round(side * scale))


def check(classifier, units):
    """Raise InputError unless there are SK units, each of kernels that differ, with
    attention as Caffe's SKNets have it."""
    if not units:
        raise InputError(f"{classifier.param.name or 'the net'}: no SK units in it; "
                         "expected layers X/B_softmax and X_3x3 of a unit X")
    for unit in units:
        shape = classifier.net.blobs[f"{unit.name}/B_softmax"].data.shape
        if len(shape) != 4 or shape[1] != len(unit.branches) or shape[3] != 1:
            raise InputError(
                f"layer {unit.name}/B_softmax: gives {'x'.join(map(str, shape))}; "
                f"expected N x {len(unit.branches)} branches x channels x 1")
        unit.difference([0] * len(unit.branches))


def measure(classifier, dataset, units, scales, batch_size=8, tick=lambda: None):
    """Return the Attention of a Classifier's units to a dataset's images.

    dataset: of len(dataset) images; name(i), label(i) or None, and image(i), a Pillow
        image. Those that image(i) raises InputError for are left out, and named.
    scales: see `enlarged`; batch_size: images a pass, each at all scales; the
        results do not depend on it.
    tick: called for each image.
    """
    found = Attention(units, scales)
    parts = {unit.name: [] for unit in units}
    batch = []

    def flush():
        if batch:
            classifier(batch)
            for unit in units:
                parts[unit.name].append(branch_attention(classifier.net, unit))
            batch.clear()

    for number in range(len(dataset)):
        try:
            image = dataset.image(number)
            pixels = [enlarged(classifier.preprocessing, image, scale)(image)
                      for scale in scales]
        except InputError as error:
            found.unreadable.append((dataset.name(number), str(error)))
        else:
            batch += pixels
            found.names.append(dataset.name(number))
            found.labels.append(dataset.label(number))
            if len(batch) >= batch_size * len(scales):
                flush()
        tick()
    flush()
    if not found.names:
        raise InputError(...)
    for unit in units:
        found.branches[unit.name] = np.concatenate(parts[unit.name]).reshape(
            len(found.names), len(scales), -1)
    return found
