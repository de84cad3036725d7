"""From a model's name or file to a caffe.Net, with every check that can be
made before Caffe: sknet's errors name what was expected."""
import contextlib

from sknet import models
from sknet.errors import InputError
from sknet.files import in_memory
from sknet.pycaffe import caffe
from sknet.source import read_source
from sknet.text import to_text
from sknet.weights import files
from sknet.weights.fit import Slot
from sknet.weights.verify import check


def allowed(trust, others="compute"):
    """Return what caffe lets a prototxt's layers do: if it is trusted, anything."""
    return "all" if trust else others


def read_model(model, size=None, trust=False):
    """Return the deploy net's NetParameter of a model's name, generated for
    images of `size` pixels, or of a prototxt's path.

    trust: layers may run code, and read and write files.

    Raises InputError if it is neither, or if the file is not a deploy net of
    layers that this Caffe has and that it may have.
    """
    known = model in models.names()
    param = read_source(model, size if known else None)
    if known:
        return param
    _check_types(param, model)
    inputs = [*param.input, *(top for layer in param.layer
                              if layer.type == "Input" for top in layer.top)]
    if len(inputs) != 1:
        named = f" ({', '.join(inputs)})" if inputs else ""
        raise InputError(
            f"{model}: {len(inputs)} inputs{named}; expected a deploy net, which "
            "has one: `sknet generate MODEL --kind deploy` makes them")
    with setting_up(model):
        caffe.Net(model, caffe.TEST, allow=allowed(trust))
    return param


@contextlib.contextmanager
def setting_up(source):
    """What Caffe raises in the block is an InputError that names the file
    `source`."""
    try:
        yield
    except Exception as error:  # a Python layer's may be any
        reason = str(error).partition("\n")[0]
        raise InputError(f"{source}: Caffe cannot set this net up: {reason}") from error


def load(param, weights, trust=False):
    """Return (net, ignored): a NetParameter as a caffe.Net for testing, with
    the weights of a file, and the names of those layers in the file that
    the net lacks.

    Raises InputError if the file holds no weights, others, or such as cannot be
    right.
    """
    stored = files.read(weights)
    # pycaffe takes nets as files only.
    with in_memory(to_text(param)) as path:
        net = caffe.Net(path, caffe.TEST, allow=allowed(trust))
    # Of every type of layer that this Caffe has, known to sknet.shapes or not.
    wanted = {name: Slot(net.layer_dict[name].type,
                         tuple(tuple(blob.shape) for blob in blobs))
              for name, blobs in net.params.items()}
    ignored = check(stored, wanted, weights)
    for name, blobs in net.params.items():
        for blob, found in zip(blobs, stored.layers[name].blobs):
            blob.data[...] = found.data.reshape(blob.data.shape)
    return net, ignored


def _check_types(param, path):
    known = set(caffe.layer_type_list())
    for layer in param.layer:
        if layer.type not in known:
            raise InputError(f"{path}: layer {layer.name} is of the type "
                             f"{layer.type!r}, which this Caffe does not have")
