"""Weights as named arrays, for the formats that hold such: LAYER/INDEX for each
blob. What names cannot tell is in a description beside them."""
import json
import os

from sknet.errors import InputError
from sknet.weights.blobs import MAX_AXES, Blob, Layer, Weights, shape_text

LARGEST_RATIO = 100  # of arrays to their file, which may be compressed


def named_arrays(weights):
    """Return {LAYER/INDEX: array}."""
    return {f"{name}/{index}": blob.data
            for name, layer in weights.layers.items()
            for index, blob in enumerate(layer.blobs)}


def description(weights):
    """Return as JSON the net's name and, in order, the layers' names, types, and
    whether their blobs have an older file's shapes."""
    return json.dumps(dict(name=weights.name, layers=[
        [name, layer.type, [blob.legacy for blob in layer.blobs]]
        for name, layer in weights.layers.items()]))


def described(arrays, text=None):
    """Return the Weights of {LAYER/INDEX: array} with a description or, of a file
    by others, without. Raises InputError if the names are not like that."""
    blobs = {}
    for name, array in arrays.items():
        layer, _, index = name.rpartition("/")
        if not layer:
            raise InputError(f"an array named {name!r}; expected LAYER/INDEX")
        check_type(name, array.dtype)
        if not array.size or array.ndim > MAX_AXES:
            raise InputError(f"array {name}: {shape_text(array.shape)}; expected "
                             f"values, along at most {MAX_AXES} axes")
        blobs.setdefault(layer, {})[index] = array
    for layer, found in blobs.items():
        if found.keys() != set(map(str, range(len(found)))):
            raise InputError(f"layer {layer}: arrays {', '.join(sorted(found))}; "
                             "expected all from 0")
    net, known = _parsed(text, blobs) if text else (
        "", [[layer, "", [False] * len(found)] for layer, found in blobs.items()])
    return Weights(net, {
        layer: Layer(kind, [Blob(blobs[layer][str(index)], old)
                            for index, old in enumerate(legacy)])
        for layer, kind, legacy in known})


def check_type(name, dtype):
    """Raise InputError if an array is not of numbers that caffemodels have."""
    if dtype not in ("float16", "float32", "float64"):
        raise InputError(f"array {name}: {dtype}; expected float16, float32 or "
                         "float64")


def check_size(size, path):
    """Raise InputError if arrays of `size` bytes in all are so much larger than
    their file that it was made to fill the memory."""
    if size > LARGEST_RATIO * os.path.getsize(path):
        raise InputError(f"its arrays would take {size} bytes, more than "
                         f"{LARGEST_RATIO} times the file's size")


def _parsed(text, blobs):
    """The net's name and the layers in a description of {layer: {index: array}}."""
    try:
        parsed = json.loads(text)
        net, layers = parsed["name"], parsed["layers"]
        fits = isinstance(net, str) and len(layers) == len(blobs) and all(
            isinstance(kind, str) and len(legacy) == len(blobs[name])
            and all(old is False or old is True and array.ndim == 4
                    for old, array in zip(legacy, blobs[name].values()))
            for name, kind, legacy in layers) \
            and {name for name, _, _ in layers} == blobs.keys()
    # Thousands of brackets are a RecursionError.
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError("its description is damaged") from error
    if not fits:
        raise InputError("its description is of other arrays")
    return net, layers
