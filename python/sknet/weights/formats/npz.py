"""NumPy's npz."""
import math
import tokenize
import zipfile
import zlib

import numpy as np
from numpy.lib import format as npy

from sknet.errors import InputError
from sknet.weights.formats.arrays import (check_size, check_type, described,
                                          description, named_arrays)

_DESCRIPTION = "caffe.json"
_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


def read(path):
    """Return the Weights in an npz file. Raises InputError if it is damaged."""
    try:
        with zipfile.ZipFile(path) as file:
            check_size(sum(member.file_size for member in file.infolist()), path)
            arrays = {_name(member): _array(file, member)
                      for member in file.infolist()}
        text = arrays.pop(_DESCRIPTION, None)
        return described(arrays, None if text is None else text.tobytes().decode())
    # What zipfile and NumPy raise at damaged files, encrypted ones, and headers
    # that are not Python.
    except (OSError, ValueError, KeyError, EOFError, NotImplementedError,
            RuntimeError, SyntaxError, TypeError, tokenize.TokenError,
            zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"damaged, or not an npz file: {error}") from error


def write(path, weights):
    """Write Weights as an npz file, not compressed."""
    text = np.frombuffer(description(weights).encode(), np.uint8)
    with open(path, "wb") as file:
        np.savez(file, **{_DESCRIPTION: text}, **named_arrays(weights))


def _name(member):
    if not member.filename.endswith(".npy"):
        raise InputError(f"a zip file with {member.filename} in it; expected arrays "
                         "of NumPy")
    return member.filename[:-len(".npy")]


def _array(file, member):
    """The array in a zip file's member, whose header must tell its true size."""
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise InputError(f"{member.filename}: compressed in a way that NumPy does "
                         "not know")
    with file.open(member) as data:
        read_header = _HEADERS.get(npy.read_magic(data))
        if read_header is None:
            raise InputError(f"{member.filename}: of an unknown version")
        shape, _, dtype = read_header(data)
        if _name(member) != _DESCRIPTION:
            check_type(_name(member), dtype)
        if min(shape, default=1) < 0 or math.prod(shape) * dtype.itemsize \
                != member.file_size - data.tell():
            raise InputError(f"{member.filename}: not as large as its header says")
        data.seek(0)
        # Arrays of objects would run code.
        return npy.read_array(data, allow_pickle=False)
