"""An LMDB of Datum messages, as convert_imageset makes them."""
import hashlib
import io
import os
from weakref import WeakValueDictionary

import numpy as np

from sknet.data.preprocessing import read_image
from sknet.errors import InputError
from sknet.proto import caffe_pb2


class ImageLmdb:
    """The images in an LMDB, in the order of their keys (see sknet.data.datasets).

    classes: their names, or None.
    places: for each label in the LMDB the label given instead, or None.

    Raises InputError if it cannot be read, or is empty.
    """

    labels = None

    def __init__(self, path, classes=None, places=None):
        self.path, self.classes, self._places = str(path), classes, places
        self._environment = _environment(self.path)
        with self._reading() as transaction:
            self._keys = list(transaction.cursor().iternext(values=False))
        if not self._keys:
            raise InputError(f"{path}: no images in it")

    def __getstate__(self):
        return {**vars(self), "_environment": None}

    def __setstate__(self, state):
        vars(self).update(state, _environment=_environment(state["path"]))

    def __len__(self):
        return len(self._keys)

    def name(self, index):
        return self._keys[index].decode(errors="backslashreplace")

    def label(self, index):
        label = self._datum(index).label
        if self._places is None:
            return label
        if label not in self._places:
            raise InputError(f"{self.path}: {self.name(index)}: class {label}; the "
                             f"devkit has {len(self._places)}")
        return self._places[label]

    def image(self, index):
        name, datum = f"{self.path}: {self.name(index)}", self._datum(index)
        if datum.encoded:
            return read_image(io.BytesIO(datum.data), name)
        from PIL import Image
        shape = datum.channels, datum.height, datum.width
        if shape[0] not in (1, 3) or len(datum.data) != np.prod(shape):
            raise InputError(
                f"{name}: {len(datum.data)} bytes for {'x'.join(map(str, shape))} "
                "values; expected a byte each, of 1 or 3 channels")
        # Caffe's order is blue, green, red.
        pixels = np.frombuffer(datum.data, np.uint8).reshape(shape)[::-1]
        pixels = np.broadcast_to(pixels, (3, *shape[1:])).transpose(1, 2, 0)
        return Image.fromarray(np.ascontiguousarray(pixels))

    def digest(self):
        """A hash that changes with the content: of the keys, the size and the number
        of times that it was written to."""
        hasher = hashlib.sha256(b"\0".join(self._keys))
        hasher.update(repr((self._environment.info()["last_txnid"],
                            self._environment.stat(), self._places)).encode())
        return hasher.hexdigest()

    def _datum(self, index):
        with self._reading() as transaction:
            value = transaction.get(self._keys[index])
        try:
            return caffe_pb2.Datum.FromString(value)
        except Exception as error:
            raise InputError(f"{self.path}: {self.name(index)}: not one of Caffe's "
                             "Datum messages") from error

    def _reading(self):
        return self._environment.begin()


# LMDB forbids to open one twice in a process.
_OPEN = WeakValueDictionary()


def _environment(path):
    """The LMDB, open as long as someone has it."""
    import lmdb
    place = os.path.realpath(path)
    environment = _OPEN.get(place)
    if environment is None:
        try:
            environment = lmdb.open(place, readonly=True, lock=False, readahead=False)
        except lmdb.Error as error:
            raise InputError(f"{path}: {error}; expected an LMDB") from error
        _OPEN[place] = environment
    return environment
