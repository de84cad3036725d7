"""A deploy net in PyTorch, as its users would write it: torch.nn's layers, batch norm a
layer of its own, which torch.compile computes with what is around it."""
from functools import reduce
from operator import add, getitem, mul

import numpy as np
import torch
from torch import fx, nn

from sknet.errors import InputError
from sknet.shapes import shaped_layers
from sknet.shapes.checks import axis_of, expect, renamed_axis_of
from sknet.shapes.window import convolution_window, pooling_window
from sknet.weights.attached import attach

_RULES = {}


def to_torch(net, weights):
    """Return a deploy NetParameter of one input with its Weights as an nn.Module, ready
    for inference on any batch. It gives the last layer's values, as floats.

    Raises InputError for a layer that is not known here, or that moves the batch.
    """
    root, graph, values = nn.Module(), fx.Graph(), {}
    blobs = {layer.param.name: [blob.data for blob in layer.blobs]
             for layer in attach(net, weights)}
    for number, shaped in enumerate(shaped_layers(net)):
        param = shaped.param
        if param.type == "Input":
            tops = [graph.placeholder("images")]
        else:
            layer = _Layer(root, graph, number, shaped, blobs[param.name])
            try:
                expect(param.type in _RULES, "not known for PyTorch")
                tops = _RULES[param.type](layer, *(values[blob] for blob in param.bottom))
            except InputError as error:
                raise InputError(f"layer {param.name} ({param.type}): {error}") from error
        values.update(zip(param.top, tops if isinstance(tops, list) else [tops]))
    graph.output(graph.call_method("float", (values[param.top[0]],)))
    return fx.GraphModule(root, graph).eval()


class _Layer:
    """What a rule has of its layer: shapes at the deploy net's batch, and blobs."""

    def __init__(self, root, graph, number, shaped, blobs):
        self.param, self.bottoms, self.tops = shaped.param, shaped.bottoms, shaped.tops
        self.blobs, self.call = blobs, graph.call_function
        self._root, self._graph, self._number = root, graph, number

    def module(self, module, x, **tensors):
        """The value of an nn.Module, which gets the tensors by their names."""
        name = f"{self.param.type}_{self._number}"
        with torch.no_grad():
            for tensor, values in tensors.items():
                own = getattr(module, tensor)
                own.copy_(_tensor(values).reshape(own.shape))
        self._root.add_module(name, module)
        return self._graph.call_module(name, (x,))

    def blob(self, index, shape):
        name = f"{self.param.type}_{self._number}_{index}"
        self._root.register_buffer(name, _tensor(self.blobs[index]).reshape(shape))
        return self._graph.get_attr(name)

    def method(self, name, *args, **kwargs):
        return self._graph.call_method(name, args, kwargs)

    def reshaped(self, x, shape, like):
        """x as of a shape, whose first size is the batch's as that of `like` is."""
        expect(shape[0] == like[0], "moves the batch")
        return self.method("reshape", x, (-1, *shape[1:]))


def _tensor(values):
    return torch.from_numpy(np.array(values, np.float32))


def _rule(*kinds):
    return lambda function: _RULES.update(dict.fromkeys(kinds, function)) or function


@_rule("Dropout")
def _identity(layer, x):
    return x


@_rule("ReLU")
def _relu(layer, x):
    slope = layer.param.relu_param.negative_slope
    inplace = layer.param.top[0] == layer.param.bottom[0]
    return layer.module(nn.LeakyReLU(slope, inplace) if slope else nn.ReLU(inplace), x)


@_rule("Sigmoid")
def _sigmoid(layer, x):
    return layer.call(torch.sigmoid, (x,))


@_rule("Softmax")
def _softmax(layer, x):
    return layer.module(nn.Softmax(axis_of(
        layer.bottoms[0], layer.param.softmax_param.axis)), x)


@_rule("Convolution", "DepthwiseConvolution")
def _convolution(layer, x):
    param, bottom = layer.param.convolution_param, layer.bottoms[0]
    expect(len(bottom) == 4, "expected images")
    window = convolution_window(layer.param, bottom)
    names = ("weight", "bias")[:len(layer.blobs)]
    return layer.module(
        nn.Conv2d(bottom[1], param.num_output, window.kernel, window.stride, window.pad,
                  window.dilation, param.group, len(names) == 2),
        x, **dict(zip(names, layer.blobs)))


@_rule("InnerProduct")
def _inner_product(layer, x):
    param, bottom = layer.param.inner_product_param, layer.bottoms[0]
    expect(axis_of(bottom, param.axis) == 1, f"axis {param.axis}; expected 1")
    weights, *bias = layer.blobs
    weights = weights.T if param.transpose else weights
    if len(bottom) > 2:
        x = layer.call(torch.flatten, (x, 1))
    return layer.module(nn.Linear(*weights.shape[::-1], bool(bias)), x, weight=weights,
                        **dict(zip(["bias"], bias)))


@_rule("CuDNNBatchNorm")
def _cudnn_batch_norm(layer, x):
    own = layer.param.batch_norm_param
    if layer.param.HasField("cudnn_batch_norm_param"):
        own = layer.param.cudnn_batch_norm_param
    return _normalized(layer, x, own.eps, *layer.blobs)


@_rule("BatchNorm")
def _batch_norm(layer, x):
    mean, variance, factor = layer.blobs
    factor = factor.ravel()[0]
    factor = 1 / factor if factor else 0
    return _normalized(layer, x, layer.param.batch_norm_param.eps, np.ones_like(mean),
                       np.zeros_like(mean), mean * factor, variance * factor)


def _normalized(layer, x, eps, scale, bias, mean, variance):
    bottom = layer.bottoms[0]
    kind = nn.BatchNorm2d if len(bottom) == 4 else nn.BatchNorm1d
    return layer.module(kind(bottom[1], eps), x, weight=scale, bias=bias,
                        running_mean=mean, running_var=variance)


@_rule("Scale")
def _scale(layer, x, factor=None):
    param, bottom = layer.param.scale_param, layer.bottoms[0]
    shape = layer.bottoms[1] if factor else layer.blobs[0].shape
    shape += (1,) * (len(bottom) - axis_of(bottom, param.axis) - len(shape))
    factor = layer.reshaped(factor, shape, bottom) if factor else layer.blob(0, shape)
    if param.bias_term:
        bias = layer.blob(len(layer.blobs) - 1, shape)
        return layer.call(torch.addcmul, (bias, x, factor))
    return layer.call(mul, (x, factor))


@_rule("Axpy")
def _axpy(layer, gate, x, y):
    shape = layer.bottoms[1]
    gate = layer.reshaped(gate, shape[:2] + (1,) * (len(shape) - 2), shape)
    return layer.call(torch.addcmul, (y, gate, x))


@_rule("BroadcastProduct")
def _broadcast_product(layer, a, b):
    return layer.call(mul, (a, b))


@_rule("Eltwise")
def _eltwise(layer, *values):
    param = layer.param.eltwise_param
    if param.operation != param.SUM:
        function = mul if param.operation == param.PROD else torch.maximum
        return reduce(lambda a, b: layer.call(function, (a, b)), values)
    return reduce(lambda a, b: layer.call(add, (a, b)), [
        value if factor == 1 else layer.call(mul, (value, factor))
        for value, factor in zip(values, param.coeff or [1] * len(values))])


@_rule("Concat")
def _concat(layer, *values):
    return layer.call(torch.cat, (values, renamed_axis_of(
        layer.bottoms[0], layer.param.concat_param, "concat_dim")))


@_rule("Slice")
def _slice(layer, x):
    axis = renamed_axis_of(layer.bottoms[0], layer.param.slice_param, "slice_dim")
    parts = layer.call(torch.split, (x, [top[axis] for top in layer.tops], axis))
    return [layer.call(getitem, (parts, index)) for index in range(len(layer.tops))]


@_rule("Reshape", "Flatten")
def _reshape(layer, x):
    return layer.reshaped(x, layer.tops[0], layer.bottoms[0])


@_rule("Pooling")
def _pooling(layer, x):
    param, bottom = layer.param.pooling_param, layer.bottoms[0]
    expect(param.pool != param.STOCHASTIC, "stochastic pooling; expected MAX, AVE")
    window = pooling_window(layer.param, bottom)
    if window.kernel == bottom[2:] and not any(window.pad):
        return layer.method("mean" if param.pool == param.AVE else "amax", x, (2, 3),
                            keepdim=True)
    ceil = param.round_mode != param.FLOOR
    return layer.module(
        nn.MaxPool2d(window.kernel, window.stride, window.pad, ceil_mode=ceil)
        if param.pool == param.MAX else
        nn.AvgPool2d(window.kernel, window.stride, window.pad, ceil), x)


@_rule("ChannelPooling")
def _channel_pooling(layer, x):
    param = layer.param.pooling_param
    return layer.method("amax" if param.pool == param.MAX else "mean", x, 1, keepdim=True)


@_rule("Interp")
def _interp(layer, x, *like):
    return layer.call(nn.functional.interpolate, (x, layer.tops[0][2:]),
                      dict(mode="bilinear", align_corners=True))
