"""Protocol Buffers' wire format, a field at a time, without copies.

protobuf's own parser makes objects of a whole file, several times its size.
"""
from sknet.errors import InputError

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


def fields(data):
    """Yield (number, wire type, value) of a message's fields, in order.

    data: a memoryview. The value is an int, or a view of `data`: of the bytes
    within, or of a fixed field's 4 or 8.

    Raises InputError at what is not a message, or is cut off.
    """
    at, end = 0, len(data)
    while at < end:
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == VARINT:
            value, at = _varint(data, at)
        elif kind in (BYTES, FIXED32, FIXED64):
            size = {FIXED32: 4, FIXED64: 8}.get(kind)
            if size is None:
                size, at = _varint(data, at)
            if size > end - at:
                raise InputError("truncated, or not a caffemodel")
            value, at = data[at:at + size], at + size
        else:
            raise InputError("not a caffemodel")
        if number == 0:
            raise InputError("not a caffemodel")
        yield number, kind, value


def _varint(data, at):
    value = shift = 0
    while at < len(data) and shift < 64:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
    raise InputError("truncated, or not a caffemodel" if at == len(data) else
                     "not a caffemodel")


def varint(value):
    """Return the bytes of a number of 0 or more."""
    result = bytearray()
    while value > 127:
        result.append(value & 127 | 128)
        value >>= 7
    result.append(value)
    return bytes(result)


def head(number, size):
    """Return the bytes that begin a field of `size` bytes."""
    return varint(number << 3 | BYTES) + varint(size)
