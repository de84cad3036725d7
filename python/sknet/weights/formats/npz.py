"""NumPy's npz."""
import zipfile
import zlib

import numpy as np

from sknet.errors import InputError
from sknet.weights.formats.arrays import described, description, named_arrays

_DESCRIPTION = "caffe.json"


def read(path):
    """Return the Weights in an npz file. Raises InputError if it is damaged."""
    try:
        # Arrays of objects would run code.
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        text = arrays.pop(_DESCRIPTION, None)
        return described(arrays, None if text is None else text.tobytes().decode())
    except (OSError, ValueError, KeyError, EOFError, NotImplementedError,
            zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"damaged, or not an npz file: {error}") from error


def write(path, weights):
    """Write Weights as an npz file, not compressed."""
    text = np.frombuffer(description(weights).encode(), np.uint8)
    with open(path, "wb") as file:
        np.savez(file, **{_DESCRIPTION: text}, **named_arrays(weights))
