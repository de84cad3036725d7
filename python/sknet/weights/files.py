"""Weight files of every format: which one it is, and its Weights."""
from sknet.errors import InputError
from sknet.files import refuse_overwriting, replacing
from sknet.weights.formats import caffemodel, hdf5, npz, safetensors

# Of a name's end, the longest first.
FORMATS = {".caffemodel.h5": hdf5, ".caffemodel": caffemodel, ".h5": hdf5,
           ".npz": npz, ".safetensors": safetensors}


def read(path):
    """Return the Weights in a file, whose content says which format it is.

    Raises InputError if it cannot be read, is damaged, none of the formats, or
    holds no weights.
    """
    try:
        weights = _format(path).read(path)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error
    if not weights.layers:
        raise InputError(f"{path}: no weights in it; expected a caffemodel")
    return weights


def write(path, weights, force=False):
    """Write Weights in the format that the file's name ends in, whole or not at
    all. Raises InputError if it ends in none, or if the file is there and not
    `force`."""
    format = next((format for end, format in FORMATS.items()
                   if str(path).endswith(end)), None)
    if format is None:
        raise InputError(f"{path}: expected a name that ends in "
                         + ", ".join(FORMATS))
    refuse_overwriting(path, force)
    with replacing(path) as name:
        format.write(name, weights)


def format_name(path):
    """Return the name of the format of a file that `read` takes."""
    return _format(path).__name__.rpartition(".")[2]


def _format(path):
    with open(path, "rb") as file:
        start = file.read(64)
    if start.lstrip().lower().startswith((b"<!doctype", b"<html")):
        raise InputError("an HTML page; expected weights. It may be what a "
                         "download's address shows to browsers")
    if start.startswith(b"\x89HDF\r\n\x1a\n"):
        return hdf5
    if start.startswith(b"PK\x03\x04"):
        return npz
    # A header's length in 8 bytes, then its JSON.
    if start[8:9] == b"{" and int.from_bytes(start[:8], "little") < 1 << 32:
        return safetensors
    return caffemodel
