"""Random weights, for the tests of this folder."""
import numpy as np

from sknet.weights.blobs import Blob, Layer, Weights


def random_weights(wanted, name="", seed=0):
    """Weights that fill {layer: Slot}, all positive, as running variances are."""
    random = np.random.default_rng(seed)
    return Weights(name, {
        layer: Layer(slot.type, [Blob(random.uniform(.5, 1.5, shape)
                                      .astype(np.float32))
                                 for shape in slot.shapes])
        for layer, slot in wanted.items()})
