"""safetensors."""
from pathlib import Path

import numpy as np

from sknet.errors import InputError
from sknet.weights.formats.arrays import described, description, named_arrays

_DESCRIPTION = "caffe.json"


def read(path):
    """Return the Weights in a safetensors file. Raises InputError if it is
    damaged."""
    from safetensors import SafetensorError, safe_open
    try:
        with safe_open(path, "np") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}
            return described(arrays, (file.metadata() or {}).get(_DESCRIPTION))
    except (SafetensorError, OSError, TypeError, ValueError) as error:
        raise InputError(f"damaged, or not safetensors: {error}") from error


def write(path, weights):
    """Write Weights as safetensors."""
    from safetensors.numpy import save
    # Its save_file makes a temporary file of its own, which a kill would leave.
    Path(path).write_bytes(save({name: np.asarray(array, order="C")
                                 for name, array in named_arrays(weights).items()},
                                {_DESCRIPTION: description(weights)}))
