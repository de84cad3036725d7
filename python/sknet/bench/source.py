"""One model in all the formats that engines read."""
import os
from functools import cached_property
from pathlib import Path

import numpy as np

from sknet.errors import InputError
from sknet.files import in_memory
from sknet.pycaffe import caffe
from sknet.text import to_text
from sknet.weights import files
from sknet.weights.blobs import Blob, Layer, Weights

IMAGES = 8  # that random weights are made with


class Source:
    """A deploy net and its weights, as files in a folder as they are asked for.

    weights: a file, or None for random ones that keep signals alive.
    shape: of one image: channels x height x width.

    Raises InputError if the net has not one input, or the weights cannot be read.
    """

    def __init__(self, param, weights, folder):
        self.param, self.folder = param, folder
        shapes = [tuple(shape.dim) for layer in param.layer
                  for shape in layer.input_param.shape]
        if len(shapes) != 1:
            raise InputError(f"{param.name}: {len(shapes)} inputs; expected one")
        self.shape = shapes[0][1:]
        self.weights = files.read(weights) if weights else random_weights(param)

    @cached_property
    def deploy(self):
        """A prototxt and a caffemodel."""
        return self._write("deploy", self.param, self.weights)

    @cached_property
    def stock(self):
        """The same of BVLC's layers alone."""
        from sknet.lowering import to_stock
        return self._write("stock", *to_stock(self.param, self.weights,
                                              reshape_free=True))

    @cached_property
    def onnx(self):
        import onnx
        from sknet.onnx import export
        path = os.path.join(self.folder, "deploy.onnx")
        onnx.save(export(self.param, self.weights), path)
        return path

    @cached_property
    def torch(self):
        """A module that needs nothing of this package."""
        import torch
        from sknet.bench.pytorch import to_torch
        path = os.path.join(self.folder, "deploy.pt")
        torch.save(to_torch(self.param, self.weights), path)
        return path

    def _write(self, name, param, weights):
        path = os.path.join(self.folder, name)
        Path(f"{path}.prototxt").write_text(to_text(param), encoding="utf-8")
        files.write(f"{path}.caffemodel", weights)
        return f"{path}.prototxt", f"{path}.caffemodel"


def random_weights(param, seed=0):
    """Weights drawn layer by layer, with batch norm's statistics those of random
    images on their way: else the outputs of deep nets vanish or overflow. Its values
    are 1 on the average: with as many below 0 as above, each layer would make small
    differences larger. Values of inner products are about 1: else one class has all."""
    random = np.random.default_rng(seed)
    with in_memory(to_text(param)) as path:
        net = caffe.Net(path, caffe.TEST, allow="compute")
    for name in net.inputs:
        net.blobs[name].reshape(IMAGES, *net.blobs[name].shape[1:])
    net.reshape()
    for name in net.inputs:
        net.blobs[name].data[...] = random.normal(size=net.blobs[name].data.shape)
    weights = {}
    for index, (name, layer) in enumerate(zip(net._layer_names, net.layers)):
        blobs = [blob.data for blob in layer.blobs]
        if blobs and layer.type in ("BatchNorm", "CuDNNBatchNorm"):
            x = net.blobs[net.bottom_names[name][0]].data
            axes = (0, *range(2, x.ndim))
            mean, var = x.mean(axis=axes), x.var(axis=axes) + 1e-1 * (x ** 2).mean()
            mean -= var ** .5  # most pass through a ReLU
            ones, zeros = np.ones_like(mean), np.zeros_like(mean)
            values = ((mean, var, np.ones(1)) if layer.type == "BatchNorm"
                      else (ones, zeros, mean, var))
            for blob, value in zip(blobs, values):
                blob[...] = value.reshape(blob.shape)
        elif blobs and layer.type != "Scale":
            mean_square = 2
            if layer.type == "InnerProduct":
                x = net.blobs[net.bottom_names[name][0]].data
                mean_square = 1 / ((x ** 2).mean() or 1)
            blobs[0][...] = random.normal(0, (mean_square / blobs[0][0].size) ** .5,
                                          blobs[0].shape)
        if blobs:
            weights[name] = Layer(layer.type, [Blob(blob.copy()) for blob in blobs])
        net._forward(index, index)
    return Weights("", weights)
