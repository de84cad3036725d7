"""One model in all the formats that engines read."""
import os
from functools import cached_property
from pathlib import Path

from sknet.pycaffe import caffe
from sknet.text import to_text
from sknet.weights import files
from sknet.weights.blobs import Blob, Layer, Weights


class Source:
    """A deploy net and its weights, as files in a folder as they are asked for.

    weights: a file, or None for random ones that keep signals alive.
    """

    def __init__(self, param, weights, folder):
        self.param, self.folder = param, folder
        self.input, = (top for layer in param.layer if layer.type == "Input"
                       for top in layer.top)
        self.weights = (files.read(weights) if weights
                        else random_weights(self._net()))

    @property
    def shape(self):
        """Of one image: channels x height x width."""
        shape, = (shape.dim for layer in self.param.layer
                  for shape in layer.input_param.shape)
        return tuple(shape)[1:]

    @cached_property
    def prototxt(self):
        return self._write("deploy.prototxt", self.param)

    @cached_property
    def caffemodel(self):
        path = os.path.join(self.folder, "deploy.caffemodel")
        files.write(path, self.weights)
        return path

    @cached_property
    def stock(self):
        """A prototxt and a caffemodel of BVLC's layers alone."""
        from sknet.lowering import to_stock
        param, weights = to_stock(self.param, self.weights, reshape_free=True)
        path = os.path.join(self.folder, "stock.caffemodel")
        files.write(path, weights)
        return self._write("stock.prototxt", param), path

    @cached_property
    def onnx(self):
        import onnx
        from sknet.onnx import export
        path = os.path.join(self.folder, "deploy.onnx")
        onnx.save(export(self.param, self.weights), path)
        return path

    def net(self, batch):
        """A caffe.Net for a batch."""
        net = caffe.Net(self.prototxt, caffe.TEST, weights=self.caffemodel,
                        allow="compute")
        net.blobs[self.input].reshape(batch, *self.shape)
        net.reshape()
        return net

    def _net(self):
        return caffe.Net(self.prototxt, caffe.TEST, allow="compute")

    def _write(self, name, param):
        path = os.path.join(self.folder, name)
        Path(path).write_text(to_text(param), encoding="utf-8")
        return path


def random_weights(net, seed=0):
    """Weights drawn layer by layer, with batch norm's statistics those of a
    random image on its way: else the outputs of deep nets vanish or overflow."""
    import numpy as np
    random = np.random.default_rng(seed)
    for name in net.inputs:
        net.blobs[name].data[...] = random.normal(size=net.blobs[name].data.shape)
    weights = {}
    for index, (name, layer) in enumerate(zip(net._layer_names, net.layers)):
        blobs = [blob.data for blob in layer.blobs]
        if blobs and layer.type in ("BatchNorm", "CuDNNBatchNorm"):
            x = net.blobs[net.bottom_names[name][0]].data
            axes = (0, *range(2, x.ndim))
            mean, var = x.mean(axis=axes), x.var(axis=axes) + 1e-1 * (x ** 2).mean()
            ones, zeros = np.ones_like(mean), np.zeros_like(mean)
            values = ((mean, var, np.ones(1)) if layer.type == "BatchNorm"
                      else (ones, zeros, mean, var))
            for blob, value in zip(blobs, values):
                blob[...] = value.reshape(blob.shape)
        elif blobs and layer.type != "Scale":
            blobs[0][...] = random.normal(0, (2 / blobs[0][0].size) ** .5,
                                          blobs[0].shape)
        if blobs:
            weights[name] = Layer(layer.type, [Blob(blob.copy()) for blob in blobs])
        net._forward(index, index)
    return Weights("", weights)
