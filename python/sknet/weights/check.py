"""Do weights fit a net? Asked before Caffe is, which skips layers that it does
not find and ends the process at a shape that it does not expect."""
from sknet.errors import InputError
from sknet.weights.blobs import shape_text


def check_fit(weights, net, path):
    """Check that weights fill a net and fit it.

    weights: the Weights in the file `path`.
    net: a caffe.Net.

    Returns the names of layers in the file that the net lacks, which is
    nothing bad in itself: a net for training has layers that a deploy net has
    not. Raises InputError if a layer of the net has no weights in the file, or
    weights of another number or shape.
    """
    params, stored = net.params, weights.layers
    missing = [name for name in params if name not in stored]
    if missing:
        raise InputError(
            f"{path}: no weights for {len(missing)} of the net's {len(params)} "
            f"layers that have any (the first is {missing[0]}): they are "
            "another model's")
    for name, blobs in params.items():
        if len(blobs) != len(stored[name].blobs):
            raise InputError(f"{path}: layer {name} has {len(stored[name].blobs)} "
                             f"blobs; the net's has {len(blobs)}")
        for index, (blob, found) in enumerate(zip(blobs, stored[name].blobs)):
            if not found.fits(blob.shape):
                raise InputError(
                    f"{path}: layer {name}, blob {index} has the shape "
                    f"{shape_text(found.shape)}; the net's is "
                    f"{shape_text(blob.shape)}")
    return [name for name in stored if name not in params]
