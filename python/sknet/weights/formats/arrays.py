"""Weights as named arrays, for the formats that hold such: LAYER/INDEX for each
blob. What names cannot tell is in a description beside them."""
import json

from sknet.errors import InputError
from sknet.weights.blobs import Blob, Layer, Weights


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
        if not layer or not index.isdecimal():
            raise InputError(f"an array named {name!r}; expected LAYER/INDEX")
        if array.dtype not in ("float32", "float64"):
            raise InputError(f"array {name}: {array.dtype}; expected float32 or "
                             "float64")
        blobs.setdefault(layer, {})[int(index)] = array
    for layer, found in blobs.items():
        if sorted(found) != list(range(len(found))):
            raise InputError(f"layer {layer}: arrays {sorted(found)}; expected "
                             f"all from 0")
    weights = Weights()
    known = _parsed(text, blobs) if text else [[layer, "", []] for layer in blobs]
    if text:
        weights.name = json.loads(text)["name"]
    for layer, kind, legacy in known:
        found = blobs[layer]
        legacy = legacy or [False] * len(found)
        weights.layers[layer] = Layer(kind, [
            Blob(found[index], legacy[index]) for index in range(len(found))])
    return weights


def _parsed(text, blobs):
    try:
        layers = json.loads(text)["layers"]
        fits = [(str(name), len(legacy)) for name, _, legacy in layers] == [
            (name, len(blobs[name])) for name, _, _ in layers] \
            and len(layers) == len(blobs)
    except (ValueError, KeyError, TypeError) as error:
        raise InputError("its description is damaged") from error
    if not fits:
        raise InputError("its description is of other arrays")
    return layers
