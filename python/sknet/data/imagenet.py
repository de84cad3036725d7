"""ImageNet's validation images and the two orders of its classes (see
sknet.data.labels)."""
import re
from pathlib import Path

from sknet.data.labels import in_order, read_synsets
from sknet.errors import InputError
from sknet.files import read_bytes

TRUTH = "ILSVRC2012_validation_ground_truth.txt"


def find_meta(path):
    """Return the path of a devkit's meta.mat, which is `path`, or in that folder or
    its folder data; or None."""
    path = Path(path)
    if path.suffix == ".mat":
        return path
    places = (path / "meta.mat", path / "data" / "meta.mat")
    return next((place for place in places if place.exists()), None)


def places(meta, order):
    """Return ({WordNet id: number}, {ILSVRC2012_ID: number}): the classes' numbers
    in one of labels.ORDERS, from a devkit's meta.mat."""
    synsets = in_order(read_synsets(meta), order)
    return ({wordnet_id: number for number, (_, wordnet_id, _) in enumerate(synsets)},
            {key: number for number, (key, _, _) in enumerate(synsets)})


def read_truth(path):
    """Return {n: ILSVRC2012_ID} of ILSVRC2012_val_n, n from 1, from the devkit's
    file of a number a line. Raises InputError if it is none."""
    try:
        return {number: int(line) for number, line in
                enumerate(read_bytes(path).decode().split(), 1)}
    except ValueError as error:
        raise InputError(f"{path}: expected an ImageNet devkit's file of the "
                         "validation images' classes, a number a line") from error


def number_of(name):
    """Return the n of a file named ILSVRC2012_val_n. Raises InputError if it is
    not."""
    found = re.search(r"ILSVRC2012_val_(\d+)\.", name)
    if not found:
        raise InputError(f"{name}: expected a name like ILSVRC2012_val_00000001.JPEG, "
                         "whose number the devkit's labels go by")
    return int(found[1])
