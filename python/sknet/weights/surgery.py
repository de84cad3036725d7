"""Weights made of others."""
from dataclasses import replace

import numpy as np

from sknet.errors import InputError
from sknet.models.finetuning import CLASSIFIER
from sknet.weights.blobs import Blob, Layer, Weights, shape_text


def average(several):
    """Return Weights whose every value is the mean of several Weights' (Izmailov
    et al. 2018: of a training's last snapshots). Batch norm's statistics are
    averaged with the rest, which they are only roughly right for.

    Raises InputError if they are not of one net.
    """
    first, *others = several
    for other in others:
        for name in {**first.layers, **other.layers}:
            shapes = [[blob.shape for blob in weights.layers[name].blobs]
                      if name in weights.layers else [] for weights in (first, other)]
            if shapes[0] != shapes[1]:
                texts = [", ".join(map(shape_text, shape)) or "none"
                         for shape in shapes]
                raise InputError(f"layer {name} has the blobs {texts[0]} in the "
                                 f"first file and {texts[1]} in another; expected "
                                 "snapshots of one net")
    return Weights(first.name, {
        name: Layer(layer.type, [
            _mean([weights.layers[name].blobs[index] for weights in several])
            for index in range(len(layer.blobs))])
        for name, layer in first.layers.items()})


def _mean(blobs):
    total = sum(blob.data.astype(np.float64) for blob in blobs)
    return replace(blobs[0], data=np.asarray(total / len(blobs),
                                             blobs[0].data.dtype))


def with_classes(weights, number, seed=0):
    """Return Weights whose layer `classifier` has as many outputs as `number`:
    fresh ones, normal with a deviation of 0.01, biases 0.

    Raises InputError if there is no such layer.
    """
    if CLASSIFIER not in weights.layers:
        raise InputError(f"no layer {CLASSIFIER} in it (the last is "
                         f"{list(weights.layers)[-1]})")
    layer = weights.layers[CLASSIFIER]
    random = np.random.default_rng(seed)
    matrix, *biases = layer.blobs
    fresh = [Blob(random.normal(0, .01, (number, matrix.shape[-1]))
                  .astype(matrix.data.dtype))]
    fresh += [Blob(np.zeros(number, blob.data.dtype)) for blob in biases]
    return Weights(weights.name, {
        **weights.layers, CLASSIFIER: Layer(layer.type, fresh)})
