"""A net's inner values of each image of a dataset, as Caffe's extract_features."""
import difflib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sknet.classifier import Classifier
from sknet.data.loading import loaded
from sknet.errors import InputError
from sknet.files import replacing

FORMATS = (".npz", ".h5")


@dataclass(frozen=True)
class Extractor:
    """Called with batches, ranges of indices of a dataset, it yields
    (batch, (blobs, labels, errors)): {name: images x the blob's shape float32} of the
    centre crops, the images' labels, and a line for each image that could not be
    read, whose values are NaN.

    Raises InputError if the net has no such blob, or one that has not an image in
    each place of its first axis.
    """
    classifier: Classifier
    dataset: object
    blobs: tuple
    threads: int

    def __call__(self, batches):
        for batch, items in loaded(self.dataset, self.classifier.preprocessing,
                                   batches, self.threads):
            yield batch, (self._values(items), [item.label for item in items],
                          [item.error for item in items if item.error])

    def shapes(self):
        """Return {name: shape} of what one image gives."""
        size = self.classifier.preprocessing
        channels = 1 if size.channels == "gray" else 3
        # Of two images, so that what is of the batch shows.
        self.classifier(np.zeros((2, channels, size.crop, size.crop)))
        known = self.classifier.net.blobs
        for name in self.blobs:
            if name not in known:
                close = difflib.get_close_matches(name, known, 3) or known
                raise InputError(f"{name}: the net has no such blob; expected one "
                                 f"like {', '.join(close)}")
            if known[name].data.shape[:1] != (2,):
                raise InputError(f"{name}: a blob of the batch, not of each image")
        return {name: known[name].data.shape[1:] for name in self.blobs}

    def _values(self, items):
        good = [place for place, item in enumerate(items) if not item.error]
        if good:
            self.classifier([items[place].pixels for place in good])
        values = {}
        for name in self.blobs:
            data = self.classifier.net.blobs[name].data
            values[name] = np.full((len(items), *data.shape[1:]), np.nan, np.float32)
            if good:
                values[name][good] = data
        return values


@contextmanager
def writing(path, names, shapes):
    """Yield {array's name: array to fill}: `labels`, and one for each of `shapes`
    (of one image); with the images' `names` they go to a file of npz or, as they
    are filled, HDF5.

    Raises InputError if the file's name ends in neither.
    """
    kinds = {name: ((len(names), *shape), np.float32) for name, shape in shapes.items()}
    kinds["labels"] = (len(names),), np.int64
    with replacing(path) as temporary:
        if Path(path).suffix == ".h5":
            import h5py
            # Opened here, since HDF5 asks for the path's true name, and a file that
            # is not whole has none (sknet.files).
            with open(temporary, "w+b") as content, h5py.File(content, "w") as file:
                file.create_dataset("names", data=names, dtype=h5py.string_dtype())
                yield {name: file.create_dataset(name, *kind)
                       for name, kind in kinds.items()}
        else:
            arrays = {name: np.zeros(*kind) for name, kind in kinds.items()}
            yield arrays
            with open(temporary, "wb") as file:
                np.savez(file, names=names, **arrays)


def check_name(path):
    """Raise InputError unless features can be written to that name."""
    if Path(path).suffix not in FORMATS:
        raise InputError(f"{path}: expected a name that ends in "
                         + " or ".join(FORMATS))
