"""Which images a net is trained on, and which it is validated with."""
from pathlib import Path

import numpy as np

from sknet.data.datasets import ImageFiles, open_dataset
from sknet.errors import InputError


def open_images(data, val=None, val_share=0.1, seed=1):
    """Return the datasets (see sknet.data.datasets) for training and validation.

    data: what open_dataset takes, or a folder with such in `train` and `val`.
    val: the same, for validation; by default `data`'s `val`, or a share of each
        class's images, drawn by `seed`.

    Raises InputError if open_dataset does, if the classes differ, or if the share
    leaves nothing for one of the two.
    """
    parts = Path(data, "train"), Path(data, "val")
    if val is None and all(part.is_dir() for part in parts):
        data, val = parts
    train = open_dataset(data)
    if val is not None:
        return train, _numbered_alike(open_dataset(val), train, val)
    if not isinstance(train, ImageFiles):
        raise InputError(f"{data}: an LMDB is not split; expected --val DATA")
    return _split(train, val_share, seed, data)


def _numbered_alike(val, train, path):
    """The images for validation, with the class numbers of those for training."""
    if val.classes in (None, train.classes) or train.classes is None:
        return val
    places = {name: number for number, name in enumerate(train.classes)}
    for name in val.classes:
        if name not in places:
            raise InputError(f"{path}: the class {name} has no images for training")
    return _chosen(val, range(len(val)), [
        places[val.classes[val.label(index)]] for index in range(len(val))])


def _split(dataset, share, seed, path):
    labels = np.array([dataset.label(index) for index in range(len(dataset))])
    random = np.random.default_rng(seed)
    held_out = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        of_class = np.flatnonzero(labels == label)
        # One at least, but never all of a class.
        count = min(max(1, round(share * len(of_class))), len(of_class) - 1)
        held_out[random.permutation(of_class)[:count]] = True
    if not held_out.any():
        raise InputError(f"{path}: no class has more than one image; expected "
                         "--val DATA")
    return tuple(_chosen(dataset, where, labels[where].tolist())
                 for where in (np.flatnonzero(~held_out), np.flatnonzero(held_out)))


def _chosen(dataset, indices, labels):
    return ImageFiles(dataset.root, [dataset.name(index) for index in indices],
                      labels, dataset.classes)
