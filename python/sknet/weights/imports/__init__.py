"""Weights that another library trained, for a net of the same architecture."""
from sknet.weights.imports.arrays import read_arrays
from sknet.weights.imports.fit import fill
from sknet.weights.imports.pixels import for_pixels
from sknet.weights.imports.sources import SOURCES, source_of

__all__ = ["SOURCES", "fill", "for_pixels", "import_weights", "read_arrays"]


def import_weights(path, net, source):
    """Return (weights, remark): the Weights of a file for a NetParameter that
    sknet.models created, its batch norms CuDNNBatchNorm, and how the source's net
    and ours still differ, in a sentence or more, or "".

    path: a PyTorch state dict, safetensors, or an ONNX model.
    source: a key of SOURCES: whose names the file has.

    Raises InputError if there is no table of names for the two, or if an array
    misses, is left over, or has another shape.
    """
    table = source_of(source, net.name)
    return fill(net, read_arrays(path), table, path), table.remark
