"""Caffe's messages as text: read with clear errors, written canonically."""
import hashlib

from google.protobuf import text_format

from sknet.errors import InputError
from sknet.files import read_bytes
from sknet.proto import caffe_pb2


def read_net(path):
    """Return the NetParameter in a prototxt.

    Raises InputError if the file is missing, is not a prototxt, or has a field
    that Caffe does not know.
    """
    try:
        net = text_format.Parse(read_bytes(path).decode(), caffe_pb2.NetParameter())
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not a prototxt (it is not text)") from error
    except text_format.ParseError as error:
        raise InputError(f"{path}: not a prototxt of this Caffe: line {error}") \
            from error
    if not net.layer and not net.layers:
        raise InputError(f"{path}: no layers in it")
    return net


def to_text(message, command=None):
    """Return a message as text: fields in the order of their tags, one a line,
    so that equal messages give equal bytes. `command`, if given, is named in a
    comment at the top."""
    header = f"# Made by: {command}\n" if command else ""
    return header + text_format.MessageToString(message, as_utf8=True)


def fingerprints(net):
    """Return [(layer name, hash)]: the hash of each layer's canonical text, the
    first 16 hexadecimal digits of its SHA-256."""
    return [(layer.name,
             hashlib.sha256(to_text(layer).encode()).hexdigest()[:16])
            for layer in net.layer]
