"""Do weights fit a net? Asked before Caffe is, which skips layers that it does
not find and ends the process at a shape that it does not expect."""
import math

from google.protobuf.message import DecodeError

from sknet.errors import InputError
from sknet.files import read_bytes
from sknet.proto import caffe_pb2

HDF5 = b"\x89HDF\r\n\x1a\n"


def read_weights(path):
    """Return {layer name: [BlobProto]} of a caffemodel's layers that have any,
    in today's format or Caffe's two older ones.

    Raises InputError if the file is missing, truncated, not a caffemodel, or
    without weights.
    """
    content = read_bytes(path)
    if content.startswith(HDF5):
        raise InputError(f"{path}: HDF5; expected a binary caffemodel (load it "
                         "with caffe.Net, and save it with Net.save)")
    try:
        net = caffe_pb2.NetParameter.FromString(content)
    except DecodeError as error:
        raise InputError(f"{path}: truncated, or not a caffemodel") from error
    stored = {}
    for layer in [*net.layer, *net.layers]:
        # In the oldest format, V0, name and blobs are in a message within.
        if layer.DESCRIPTOR.name == "V1LayerParameter" and layer.HasField("layer"):
            layer = layer.layer
        if layer.blobs:
            stored[layer.name] = list(layer.blobs)
    if not stored:
        raise InputError(f"{path}: no weights in it; expected a caffemodel")
    for name, blobs in stored.items():
        for index, blob in enumerate(blobs):
            values = len(blob.data) or len(blob.double_data)
            if values != math.prod(_shape(blob)):
                raise InputError(
                    f"{path}: damaged: layer {name}, blob {index} has {values} "
                    f"values for the shape {_text(_shape(blob))}")
    return stored


def check_fit(stored, net, path):
    """Check that weights fill a net and fit it.

    stored: read_weights' result for the file `path`.
    net: a caffe.Net.

    Returns the names of layers in the file that the net lacks, which is
    nothing bad in itself: a net for training has layers that a deploy net has
    not. Raises InputError if a layer of the net has no weights in the file, or
    weights of another number or shape.
    """
    params = net.params
    missing = [name for name in params if name not in stored]
    if missing:
        raise InputError(
            f"{path}: no weights for {len(missing)} of the net's {len(params)} "
            f"layers that have any (the first is {missing[0]}): they are "
            "another model's")
    for name, blobs in params.items():
        if len(blobs) != len(stored[name]):
            raise InputError(f"{path}: layer {name} has {len(stored[name])} "
                             f"blobs; the net's has {len(blobs)}")
        for index, (blob, found) in enumerate(zip(blobs, stored[name])):
            if not _fits(found, tuple(blob.shape)):
                raise InputError(
                    f"{path}: layer {name}, blob {index} has the shape "
                    f"{_text(_shape(found))}; the net's is "
                    f"{_text(tuple(blob.shape))}")
    return [name for name in stored if name not in params]


def _is_legacy(blob):
    return any(map(blob.HasField, ("num", "channels", "height", "width")))


def _shape(blob):
    if _is_legacy(blob):
        return blob.num, blob.channels, blob.height, blob.width
    return tuple(blob.shape.dim)


def _fits(blob, shape):
    """Caffe's rule: older files have 4 axes, the first ones 1."""
    if _is_legacy(blob):
        return len(shape) <= 4 and _shape(blob) == (1,) * (4 - len(shape)) + shape
    return _shape(blob) == shape


def _text(shape):
    return "x".join(map(str, shape)) or "()"
