"""HDF5 as Caffe writes it (.caffemodel.h5): data/LAYER/INDEX.

Caffe itself cannot save layers with a slash in their name so, nor find them.
"""
from sknet.errors import InputError
from sknet.weights.formats.arrays import described, description, named_arrays

_GROUP, _DESCRIPTION = "data", "caffe.json"


def read(path):
    """Return the Weights in an HDF5 file. Raises InputError if it is damaged.

    Files of unknown origin are safer in another format: HDF5's library has had
    many holes.
    """
    import h5py
    try:
        with h5py.File(path, "r") as file:
            if _GROUP not in file:
                raise InputError(f"no group `{_GROUP}` in it; expected weights as "
                                 "Caffe saves them")
            arrays = {}

            def add(name, item):
                if isinstance(item, h5py.Dataset):
                    arrays[name] = item[()]
            file[_GROUP].visititems(add)
            text = file[_DESCRIPTION][()] if _DESCRIPTION in file else None
            return described(arrays, text)
    except (OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"damaged, or not HDF5: {error}") from error


def write(path, weights):
    """Write Weights as HDF5."""
    import h5py
    with h5py.File(path, "w", track_order=True) as file:
        group = file.create_group(_GROUP)
        for name, array in named_arrays(weights).items():
            group.create_dataset(name, data=array)
        file[_DESCRIPTION] = description(weights)
