"""Binary caffemodels: NetParameter messages, today's and the two older ones.

Read as views of the mapped file, and written layer by layer, so that neither
takes memory for more than that. Half precision, as NVIDIA's Caffe and OpenCV
write it, is read; BVLC's Caffe knows no such blobs, so none are written.
"""
import math
import mmap
from dataclasses import replace

import numpy as np
from google.protobuf.message import DecodeError

from sknet.errors import InputError
from sknet.proto import caffe_pb2
from sknet.weights.blobs import MAX_AXES, Blob, Layer, Weights, shape_text
from sknet.weights.formats.wire import (BYTES, FIXED32, FIXED64, VARINT, fields,
                                        head)


def _numbers(message, *names):
    known = message.DESCRIPTOR.fields_by_name
    return tuple(known[name].number if name in known else None for name in names)


_NET_NAME, _LAYER, _V1_LAYERS = _numbers(caffe_pb2.NetParameter,
                                         "name", "layer", "layers")
# Of each generation of layers: where it has name, type, blobs, and the oldest
# one's message.
_PARTS = ("name", "type", "blobs", "layer")
_TODAYS = _numbers(caffe_pb2.LayerParameter, *_PARTS)
_V1 = _numbers(caffe_pb2.V1LayerParameter, *_PARTS)
_V0 = _numbers(caffe_pb2.V0LayerParameter, *_PARTS)
_BLOBS = _TODAYS[_PARTS.index("blobs")]
_SHAPE, _DATA, _DOUBLE = _numbers(caffe_pb2.BlobProto,
                                  "shape", "data", "double_data")
_LEGACY_NAMES = ("num", "channels", "height", "width")
_LEGACY = _numbers(caffe_pb2.BlobProto, *_LEGACY_NAMES)
# NVIDIA's fields: values as bytes, and the type of number that they are.
_RAW_TYPE, _RAW = 10, 12
_RAW_TYPES = {0: "<f8", 1: "<f4", 2: "<f2"}


def read(path):
    """Return the Weights in a caffemodel; arrays are views of the file.

    Raises InputError if it cannot be read, is truncated or not a caffemodel, or
    if a blob's values are not as many as its shape says.
    """
    weights = Weights()
    for number, kind, value in fields(_mapped(path)):
        if number == _NET_NAME and kind == BYTES:
            weights.name = _text(value)
        elif number in (_LAYER, _V1_LAYERS) and kind == BYTES:
            name, layer = _layer(value, _TODAYS if number == _LAYER else _V1)
            if layer.blobs:
                weights.layers[name] = layer
    return weights


def write(path, weights):
    """Write Weights as a caffemodel."""
    with open(path, "wb") as file:
        if weights.name:
            file.write(caffe_pb2.NetParameter(name=weights.name)
                       .SerializeToString())
        for name, layer in weights.layers.items():
            _write_layer(file, name, layer)


def _mapped(path):
    with open(path, "rb") as file:
        # The map of an empty file is refused.
        if not file.read(1):
            return memoryview(b"")
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def _layer(data, parts):
    """(name, Layer) of a layer's message."""
    name_at, type_at, blobs_at, older_at = parts
    name, layer, blobs = "", Layer(), []
    for number, kind, value in fields(data):
        if number == older_at and kind == BYTES:
            # The oldest format: a V0 layer within, beside tops and bottoms.
            return _layer(value, _V0)
        if number == name_at and kind == BYTES:
            name = _text(value)
        elif number == type_at:
            layer.type = _text(value) if kind == BYTES else _v1_type(value)
        elif number == blobs_at and kind == BYTES:
            blobs.append(value)
    for index, blob in enumerate(blobs):
        try:
            layer.blobs.append(_blob(blob))
        except InputError as error:
            raise InputError(
                f"damaged: layer {name}, blob {index}: {error}") from error
    return name, layer


def _blob(data):
    shape, legacy, raw_type = None, {}, 0
    values = {_DATA: [], _DOUBLE: [], _RAW: []}
    for number, kind, value in fields(data):
        if number == _SHAPE and kind == BYTES:
            shape = _dims(value)
        elif number in _LEGACY and kind == VARINT:
            legacy[number] = _signed(value)
        elif number == _RAW_TYPE and kind == VARINT:
            raw_type = value
        elif number in values and kind in (BYTES, FIXED32, FIXED64):
            parts = values[number]
            if kind == BYTES or not parts or not isinstance(parts[-1], bytearray):
                # Not packed, each value is a field: together they take no more.
                parts.append(value if kind == BYTES else bytearray())
            if kind != BYTES:
                parts[-1] += value
    number, dtype = (_DATA, "<f4") if values[_DATA] else (_DOUBLE, "<f8")
    if values[_RAW]:
        number, dtype = _RAW, _RAW_TYPES.get(raw_type)
        if dtype is None:
            raise InputError("its numbers are of a type that is not known; expected "
                             "floats")
    parts = [_array(part, dtype) for part in values[number]]
    # One part as a rule.
    array = parts[0] if len(parts) == 1 else np.concatenate(
        parts or [np.empty(0, "<f4")])
    if legacy:
        shape = tuple(legacy.get(axis, 0) for axis in _LEGACY)
    shape = () if shape is None else shape
    if len(shape) > MAX_AXES or min(shape, default=1) < 1 \
            or math.prod(shape) != array.size:
        raise InputError(f"{array.size} values for the shape {shape_text(shape)}")
    return Blob(array.reshape(shape), legacy=bool(legacy))


def _array(part, dtype):
    if len(part) % np.dtype(dtype).itemsize:
        raise InputError(f"{len(part)} bytes of {np.dtype(dtype).name}")
    return np.frombuffer(part, dtype)


def _dims(data):
    try:
        return tuple(caffe_pb2.BlobShape.FromString(bytes(data)).dim)
    except DecodeError as error:
        raise InputError("truncated, or not a caffemodel") from error


def _signed(value):
    """A negative int is a varint of 64 bits."""
    return value - (1 << 64) if value >> 63 else value


def _text(data):
    return bytes(data).decode(errors="replace")


def _v1_type(value):
    types = caffe_pb2.V1LayerParameter.LayerType
    return types.Name(value) if value in types.values() else ""


def _write_layer(file, name, layer):
    small = caffe_pb2.LayerParameter(name=name, type=layer.type).SerializeToString()
    blobs = list(map(_without_halves, layer.blobs))
    heads = list(map(_blob_head, blobs))
    size = len(small) + sum(
        len(head(_BLOBS, length)) + length
        for length in (len(start) + blob.data.nbytes
                       for start, blob in zip(heads, blobs)))
    file.write(head(_LAYER, size) + small)
    for start, blob in zip(heads, blobs):
        file.write(head(_BLOBS, len(start) + blob.data.nbytes) + start)
        file.write(np.ascontiguousarray(blob.data).data.cast("B"))


def _without_halves(blob):
    if blob.data.dtype != np.float16:
        return blob
    return replace(blob, data=blob.data.astype(np.float32))


def _blob_head(blob):
    """The bytes of a BlobProto before its values."""
    if blob.legacy:
        small = caffe_pb2.BlobProto(**dict(zip(_LEGACY_NAMES, blob.shape)))
    else:
        small = caffe_pb2.BlobProto(shape=dict(dim=blob.shape))
    field = _DOUBLE if blob.data.dtype == np.float64 else _DATA
    return small.SerializeToString() + head(field, blob.data.nbytes)
