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
    made of {name: array} as a Table says.

    source: the file that the arrays are from, to be named in errors.

    Raises InputError if an array misses, is left over, or has another shape.
    """
    left = {name for name in arrays if not name.endswith(_NO_WEIGHTS)
            and not name.startswith(table.unused)}
    weights, missing, wanted = Weights(net.name), [], 0
    for layer in shaped_layers(net):
        if not layer.blobs:
            continue
        kind, own = layer.param.type, layer.param.name
        if own not in table.modules:
            raise InputError(f"layer {own} ({kind}): the table has no name for it; "
                             "expected a net as its generator makes it, with "
                             "CuDNNBatchNorm")
        blobs = []
        for shape, part in zip(layer.blobs, _PARTS):
            name, wanted = f"{table.modules[own]}.{part}", wanted + 1
            if name not in left:
                missing.append(name)
                continue
            left.remove(name)
            if _essential(arrays[name].shape) != _essential(shape):
                raise InputError(
                    f"{source}: {name} is {shape_text(arrays[name].shape)}; layer "
                    f"{own} needs {shape_text(shape)}")
            blobs.append(Blob(np.ascontiguousarray(
                arrays[name], np.float32).reshape(shape)))
        weights.layers[own] = Layer(kind, blobs)
    if missing:
        raise InputError(f"{source}: {len(missing)} of {wanted} arrays miss (the "
                         f"first is {missing[0]})")
    if left:
        raise InputError(f"{source}: {len(left)} arrays are left over (the first is "
                         f"{min(left)}): another architecture's")
    return weights


def _essential(shape):
    """A shape without axes of 1 at its ends: statistics have some in Caffe, and a
    convolution that is a fully connected layer has elsewhere."""
    return tuple(np.trim_zeros(np.subtract(shape, 1)) + 1)
