"""From what the user names, a model or a prototxt, to its NetParameter; without
Caffe."""
import os
from pathlib import Path

from sknet import models
from sknet.errors import InputError
from sknet.shapes import upgrade_inputs
from sknet.text import read_net


def read_source(model, size=None, batch=None):
    """Return the NetParameter of a model's name (its deploy net) or of a
    prototxt's path.

    size: height and width of the input in pixels; batch: images a pass. A model
    is generated for them; in a file the Input layers' shapes are changed.

    Raises InputError if it is neither, if the file is not a net, or if it has
    no input whose shape could be changed.
    """
    if model in models.names():
        return models.create(model, "deploy", size=size, batch=batch)
    if not os.path.exists(model):
        raise InputError(f"{model}: no such file, and no model of that name "
                         f"(there are {', '.join(models.names())})")
    net = read_net(model)
    upgrade_inputs(net, model)
    shapes = [shape.dim for layer in net.layer for shape in layer.input_param.shape]
    if size is not None:
        _set([dims for dims in shapes if len(dims) == 4], (2, 3), size, model)
    if batch is not None:
        _set(shapes, (0,), batch, model)
    return net


def shipped(model, file):
    """Return the path of a file that comes with a model in prototxt/MODEL/, or
    None: in the installed package, or in the checkout that this is."""
    package = Path(__file__).resolve().parent
    for root in (package, package.parent.parent):
        path = root / "prototxt" / model / file
        if path.exists():
            return path
    return None


def _set(shapes, axes, value, model):
    if not shapes:
        raise InputError(f"{model}: no Input layer of images to give another size "
                         "or batch; expected a deploy net, which has one")
    for dims in shapes:
        for axis in axes:
            if axis < len(dims):
                dims[axis] = value
