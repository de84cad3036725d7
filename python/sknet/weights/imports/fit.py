"""Named arrays as a net's Weights."""
import numpy as np

from sknet.errors import InputError
from sknet.shapes import shaped_layers
from sknet.weights.blobs import Blob, Layer, Weights, shape_text

# Of PyTorch's modules, in the order of Caffe's blobs; batch norm has them all.
_PARTS = "weight", "bias", "running_mean", "running_var"
_NO_WEIGHTS = "num_batches_tracked"


def fill(net, arrays, table, source):
    """Return the Weights of a NetParameter, whose batch norms are CuDNNBatchNorm,
    made of {name: array} as a Table says. Where a batch norm has been folded into
    the convolution before it, ours adds that one's bias, and else does nothing.

    source: the file that the arrays are from, to be named in errors.

    Raises InputError if an array misses, is left over, or has another shape.
    """
    left = {name: array for name, array in arrays.items()
            if not name.endswith(_NO_WEIGHTS)
            and not name.startswith(table.unused)}
    weights, missing = Weights(net.name), []
    for layer in shaped_layers(net):
        if not layer.blobs:
            continue
        kind, own = layer.param.type, layer.param.name
        if own not in table.modules or kind == "BatchNorm":
            raise InputError(f"layer {own} ({kind}): the table has no weights for "
                             "it; expected a net as its generator makes it, with "
                             "CuDNNBatchNorm")
        names = [f"{table.modules[own]}.{part}"
                 for part, _ in zip(_PARTS, layer.blobs)]
        if kind == "CuDNNBatchNorm" and left.keys().isdisjoint(names):
            folded = f"{table.modules.get(layer.param.bottom[0])}.bias"
            if folded in left:
                _unfold(left, names, left.pop(folded), layer.param)
        missing += [name for name in names if name not in left]
        weights.layers[own] = Layer(kind, [
            Blob(_fitted(left.pop(name), shape, f"{source}: {name}", own))
            for name, shape in zip(names, layer.blobs) if name in left])
    if missing:
        raise InputError(f"{source}: {len(missing)} arrays miss (the first is "
                         f"{missing[0]})")
    if left:
        raise InputError(f"{source}: {len(left)} arrays are left over (the first "
                         f"is {min(left)}): another architecture's")
    return weights


def _unfold(arrays, names, bias, layer):
    """Add a batch norm's arrays that make it x + bias."""
    zeros = np.zeros_like(bias)
    eps = layer.batch_norm_param.eps
    arrays.update(zip(names, (zeros + 1, bias, zeros, zeros + (1 - eps))))


def _fitted(array, shape, name, layer):
    """The array in the blob's shape."""
    if _essential(array.shape) != _essential(shape):
        raise InputError(f"{name} is {shape_text(array.shape)}; layer {layer} "
                         f"needs {shape_text(shape)}")
    return np.ascontiguousarray(array, np.float32).reshape(shape)


def _essential(shape):
    """A shape without axes of 1 at its ends: statistics have some in Caffe, and a
    convolution that is a fully connected layer has elsewhere."""
    return tuple(np.trim_zeros(np.subtract(shape, 1)) + 1)
