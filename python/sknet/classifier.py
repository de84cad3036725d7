"""A net that classifies images."""
import hashlib
from dataclasses import asdict, replace
from functools import partial

import numpy as np

from sknet import models
from sknet.data.preprocessing import Preprocessing
from sknet.engine import start, use_gpu
from sknet.errors import InputError
from sknet.files import digest
from sknet.net import load, read_model
from sknet.source import shipped
from sknet.text import to_text


class Classifier:
    """A deploy net with its weights and preprocessing.

    model: a name of the registry or a prototxt's path.
    weights: a caffemodel's path; by default what comes with the named model.
    trust: the prototxt's layers may run code, and read and write files.
    engine, batch: as in sknet.engine; `net` has inner values after a call only if the
        engine is caffe.
    gpu: the number of the GPU that computes; by default Caffe's mode says where.
    settings: fields of Preprocessing that differ from the model's.

    A pickled one is made again from the files, where it is unpickled.

    Raises InputError if the files are bad, do not fit each other, or are not
    those of a classifier of square images, or if engine or GPU are not possible.
    """

    def __init__(self, model, weights=None, trust=False, engine="caffe", batch=1,
                 gpu=None, **settings):
        if gpu is not None:
            use_gpu(gpu)
        self.param = read_model(model, settings.get("crop"), trust)
        if weights is None:
            weights = shipped(model, f"{model}.caffemodel")
        if weights is None:
            raise InputError(f"{model}: no weights come with it; "
                             "expected --weights CAFFEMODEL")
        self.net, self.ignored = load(self.param, weights, trust)
        self.weights = str(weights)
        self._input, = self.net.inputs
        self._check(model)
        self.preprocessing = self._preprocessing(model, settings)
        self.gpu = gpu
        self.engine, self._forward = start(self.net, engine, batch)
        self._made_from = partial(Classifier, model, weights, trust, self.engine, batch,
                                  gpu, **settings)

    def __reduce__(self):
        return self._made_from, ()

    @property
    def num_classes(self):
        return self.net.blobs[self.net.outputs[0]].data.shape[1]

    @property
    def labels(self):
        """The classes' names, if a model of the registry brings them, or None."""
        name = self.param.name
        labels = models.get(name).dataset.classes if name in models.names() else ()
        return labels if len(labels) == self.num_classes else None

    def identity(self):
        """What the probabilities depend on, as JSON values."""
        return dict(net=hashlib.sha256(to_text(self.param).encode()).hexdigest(),
                    weights=digest(self.weights),
                    preprocessing=asdict(self.preprocessing))

    def __call__(self, pixels):
        """Return the classes' probabilities, N x classes, of N x channels x
        height x width images as `preprocessing` makes them."""
        pixels = np.asarray(pixels, np.float32)
        return self._forward(pixels).reshape(len(pixels), -1)

    def _check(self, model):
        shape = self.net.blobs[self._input].data.shape
        if len(shape) != 4 or shape[1] not in (1, 3) or shape[2] != shape[3]:
            raise InputError(f"{model}: takes {_text(shape)}; expected square "
                             "images of 1 or 3 channels")
        outputs = list(self.net.outputs)
        shapes = [self.net.blobs[name].data.shape for name in outputs]
        if (len(outputs) != 1 or self.net.layers[-1].type != "Softmax"
                or len(shapes[0]) < 2 or any(dim != 1 for dim in shapes[0][2:])):
            found = ", ".join(f"{name} ({_text(shape)})"
                              for name, shape in zip(outputs, shapes))
            raise InputError(f"{model}: ends in {found}; expected one Softmax "
                             "over the classes")

    def _preprocessing(self, model, settings):
        """The model's own where it is known, else the default, at the net's
        size, with the settings."""
        _, channels, size, _ = self.net.blobs[self._input].data.shape
        if settings.get("crop", size) != size:
            raise InputError(f"{model}: takes {size}x{size} pixels; the crop is "
                             f"{settings['crop']}")
        known = self.param.name in models.names()
        base = (models.get(self.param.name).preprocessing if known
                else Preprocessing())
        # The same part of the image, whatever its size.
        sized = dict(crop=size,
                     shorter_side=round(base.shorter_side * size / base.crop))
        if channels == 1:
            sized.update(channels="gray", mean=(0.0,))
        chosen = replace(base, **{**sized, **settings})
        if (chosen.channels == "gray") != (channels == 1):
            raise InputError(f"{model}: takes images of {channels} channels, "
                             f"not {chosen.channels}")
        return chosen


def _text(shape):
    return "x".join(map(str, shape))
