"""What computes a net's output from images: Caffe's layers, one by one, or the net
compiled for this CPU or a GPU, in float or shorter numbers."""
import numpy as np

from sknet.errors import InputError
from sknet.pycaffe import caffe

PRECISIONS = {"compiled": "f32", "compiled-tf32": "tf32", "compiled-f16": "f16",
              "compiled-bf16": "bf16"}  # of caffe.compile


def use_gpu(number):
    """Have the nets and programs that this thread makes from now on compute on a GPU.
    Raises InputError where it cannot be used."""
    try:
        caffe.set_device(number)
        caffe.set_mode_gpu()
    except caffe.Error as error:
        raise InputError(f"--gpu {number}: {error}") from error


def start(net, engine, batch):
    """Return (engine, forward): its name, and a function from N x channels x height x
    width images to the values of the net's one output, which are the caller's.

    net: a caffe.Net with its weights.
    engine: "caffe"; one of PRECISIONS; or None: compiled where it can be.
    batch: images at a time, if it is compiled. Empty ones fill up the last: the size
        stays, and each image's last digits with it.

    Raises InputError where it cannot be compiled, and was to be.
    """
    if engine != "caffe":
        name = engine or "compiled"
        try:
            return name, _compiled(net, batch, PRECISIONS[name])
        except (ImportError, caffe.Error) as error:
            if engine:
                raise InputError(
                    f"--engine {engine}: not possible here: {error}") from error
    return "caffe", _plain(net)


def _plain(net):
    (name,), (output,) = net.inputs, net.outputs

    def forward(images):
        net.blobs[name].reshape(*images.shape)
        net.reshape()
        net.blobs[name].data[...] = images
        return net.forward()[output].copy()
    return forward


def _compiled(net, batch, precision):
    program = caffe.compile(net, precision)
    (name,), (output,) = program.inputs, program.outputs
    blob = program.blobs[name]

    def forward(images):
        blob.reshape(batch, *images.shape[1:])
        found = []
        for start in range(0, len(images), batch):
            part = images[start:start + batch]
            blob.data[:len(part)] = part
            blob.data[len(part):] = 0
            found.append(program.forward()[output][:len(part)].copy())
        return np.concatenate(found)
    return forward
