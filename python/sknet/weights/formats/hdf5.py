"""HDF5 as Caffe writes it (.caffemodel.h5): data/LAYER/INDEX.

BVLC's Caffe cannot save layers with a slash in their name so, nor find them; ours can.
"""
import numpy as np

from sknet.errors import InputError
from sknet.weights.formats.arrays import (check_size, check_type, described,
                                          description, named_arrays)

_GROUP, _DESCRIPTION = "data", "caffe.json"


def read(path):
    """Return the Weights in an HDF5 file. Raises InputError if it is damaged.

    Files of unknown origin are safer in another format: HDF5's library has had
    many holes.
    """
    import h5py
    try:
        with h5py.File(path, "r") as file:
            for name in file:
                if isinstance(file.get(name, getlink=True), h5py.ExternalLink):
                    raise InputError(f"{name}: in another file")
            if not isinstance(file.get(_GROUP), h5py.Group):
                raise InputError(f"no group `{_GROUP}` in it; expected weights as "
                                 "Caffe saves them")
            found = {}

            def add(name, item):
                if isinstance(item, h5py.Dataset):
                    _check(name, item)
                    check_type(name, item.dtype)
                    found[name] = item
            file[_GROUP].visititems(add)
            text = file.get(_DESCRIPTION)
            if text is not None:
                _check(_DESCRIPTION, text)
                # Not of variable length: damaged ones hang HDF5.
                if text.dtype != np.uint8:
                    raise InputError("its description is damaged")
            check_size(sum(item.nbytes for item in found.values())
                       + (0 if text is None else text.nbytes), path)
            return described({name: item[()] for name, item in found.items()},
                             None if text is None else text[()].tobytes())
    except (OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"damaged, or not HDF5: {error}") from error


def write(path, weights):
    """Write Weights as HDF5."""
    import h5py
    # Opened here, since HDF5 asks for the path's true name, and a file that is not
    # whole has none (sknet.files).
    with open(path, "w+b") as content, \
            h5py.File(content, "w", track_order=True) as file:
        group = file.create_group(_GROUP)
        for name, array in named_arrays(weights).items():
            group.create_dataset(name, data=array)
        file[_DESCRIPTION] = np.frombuffer(description(weights).encode(), np.uint8)


def _check(name, item):
    """Refuse what is no array of this file: groups, and nothing; and other files,
    which a dataset can name."""
    import h5py
    if not isinstance(item, h5py.Dataset) or item.shape is None:
        raise InputError(f"{name}: no array")
    if item.external or item.is_virtual:
        raise InputError(f"{name}: in another file")
