"""The layer types but convolutions and pools."""
from functools import reduce

import numpy as np

from sknet.onnx.rules import rule
from sknet.shapes.checks import axis_of, expect, renamed_axis_of


# A value for each of the bottom's

@rule("Dropout")
def _identity(layer, x):
    return x


@rule("ReLU")
def _relu(layer, x):
    slope = layer.param.relu_param.negative_slope
    return layer.op("LeakyRelu", x, alpha=slope) if slope else layer.op("Relu", x)


@rule("PReLU")
def _prelu(layer, x):
    slopes = layer.blobs[0].size
    return layer.op("PRelu", x, layer.blob(
        0, (slopes, *(1,) * (len(layer.bottoms[0]) - 2))))


@rule("Sigmoid")
def _sigmoid(layer, x):
    return layer.op("Sigmoid", x)


@rule("TanH")
def _tanh(layer, x):
    return layer.op("Tanh", x)


@rule("ELU")
def _elu(layer, x):
    return layer.op("Elu", x, alpha=layer.param.elu_param.alpha)


@rule("Power")
def _power(layer, x):
    """(shift + scale * x) ^ power"""
    param = layer.param.power_param
    return _powered(layer, x, param.scale, param.shift, param.power)


@rule("Softmax")
def _softmax(layer, x):
    return layer.op("Softmax", x, axis=axis_of(
        layer.bottoms[0], layer.param.softmax_param.axis))


@rule("LRN")
def _lrn(layer, x):
    param = layer.param.lrn_param
    size = param.local_size
    if param.norm_region == param.ACROSS_CHANNELS:
        return layer.op("LRN", x, size=size, alpha=param.alpha, beta=param.beta,
                        bias=param.k)
    # x * (1 + alpha * mean of the squares around it) ^ -beta
    mean = layer.op("AveragePool", layer.op("Mul", x, x), kernel_shape=[size] * 2,
                    pads=[size // 2] * 4, count_include_pad=1)
    return layer.op("Mul", x, _powered(layer, mean, param.alpha, 1, -param.beta))


@rule("CuDNNBatchNorm")
def _cudnn_batch_norm(layer, x):
    own = layer.param.batch_norm_param
    if layer.param.HasField("cudnn_batch_norm_param"):
        own = layer.param.cudnn_batch_norm_param
    return layer.op("BatchNormalization", x,
                    *(layer.blob(index, -1) for index in range(4)),
                    epsilon=own.eps)


@rule("BatchNorm")
def _batch_norm(layer, x):
    param = layer.param.batch_norm_param
    expect(param.use_global_stats or not param.HasField("use_global_stats"),
           "use_global_stats: false; expected a net that does not learn")
    mean, variance, factor = layer.blobs
    factor = factor.ravel()[0]
    factor = 1 / factor if factor else 0
    ones = np.ones(mean.size)
    return layer.op("BatchNormalization", x, layer.constant(ones, "scale"),
                    layer.constant(0 * ones, "bias"),
                    layer.constant(mean.ravel() * factor, "mean"),
                    layer.constant(variance.ravel() * factor, "variance"),
                    epsilon=param.eps)


@rule("Scale")
def _scale(layer, x, factor=None):
    param = layer.param.scale_param
    x = layer.op("Mul", x, _along_axes(layer, param, factor))
    if param.bias_term:
        # The bias has the shape of the factor, which is no blob if given.
        bias = _blob_along_axes(layer, param, len(layer.blobs) - 1)
        x = layer.op("Add", x, bias)
    return x


@rule("Bias")
def _bias(layer, x, summand=None):
    return layer.op("Add", x, _along_axes(layer, layer.param.bias_param, summand))


@rule("InnerProduct")
def _inner_product(layer, x):
    param, bottom = layer.param.inner_product_param, layer.bottoms[0]
    axis = axis_of(bottom, param.axis)
    if axis == 1:
        if len(bottom) > 2:
            x = layer.op("Flatten", x)
        blobs = [layer.blob(index) for index in range(len(layer.blobs))]
        return layer.op("Gemm", x, *blobs, transB=int(not param.transpose))
    weights = layer.blobs[0] if param.transpose else layer.blobs[0].T
    if axis < len(bottom) - 1:
        x = layer.op("Reshape", x, layer.constant([0] * axis + [-1], "shape"))
    x = layer.op("MatMul", x, layer.constant(weights, "0"))
    return layer.op("Add", x, layer.blob(1)) if param.bias_term else x


# Several blobs to one

@rule("Eltwise")
def _eltwise(layer, *values):
    param = layer.param.eltwise_param
    if param.operation == param.MAX:
        return layer.op("Max", *values)
    if param.operation == param.PROD:
        return _chain(layer, "Mul", values)
    factors = param.coeff or [1] * len(values)
    return _chain(layer, "Add", [
        _with(layer, "Mul", value, factor, 1)
        for value, factor in zip(values, factors)])


@rule("Concat")
def _concat(layer, *values):
    return layer.op("Concat", *values, axis=renamed_axis_of(
        layer.bottoms[0], layer.param.concat_param, "concat_dim"))


@rule("Axpy")
def _axpy(layer, gate, x, y):
    axes = len(layer.bottoms[1])
    if len(layer.bottoms[0]) != axes:
        gate = layer.op("Reshape", gate, layer.constant(
            [0, 0] + [1] * (axes - 2), "shape"))
    return layer.op("Add", layer.op("Mul", gate, x), y)


@rule("BroadcastProduct")
def _broadcast_product(layer, a, b):
    return layer.op("Mul", a, b)


# A blob in another form, or in parts

@rule("Split")
def _split(layer, x):
    return [x] * len(layer.tops)


@rule("Slice")
def _slice(layer, x):
    axis = renamed_axis_of(layer.bottoms[0], layer.param.slice_param, "slice_dim")
    sizes = [_fixed(top[axis]) for top in layer.tops]
    parts = layer.op("Split", x, layer.constant(sizes, "split"), axis=axis,
                     outputs=len(sizes))
    return parts


@rule("Reshape")
def _reshape(layer, x):
    param, bottom = layer.param.reshape_param, layer.bottoms[0]
    first = param.axis if param.axis >= 0 else len(bottom) + 1 + param.axis
    end = len(bottom) if param.num_axes == -1 else first + param.num_axes
    dims = param.shape.dim
    copied = {axis: axis for axis in range(first)}
    copied.update((first + index, first + index)
                  for index, dim in enumerate(dims) if dim == 0)
    copied.update(zip(range(first + len(dims), len(layer.tops[0])),
                      range(end, len(bottom))))
    return _to_shape(layer, x, copied)


@rule("Flatten")
def _flatten(layer, x):
    param, bottom = layer.param.flatten_param, layer.bottoms[0]
    first, last = axis_of(bottom, param.axis), axis_of(bottom, param.end_axis)
    copied = {axis: axis for axis in range(first)}
    copied.update(zip(range(first + 1, len(layer.tops[0])),
                      range(last + 1, len(bottom))))
    return _to_shape(layer, x, copied)


@rule("Tile")
def _tile(layer, x):
    param, repeats = layer.param.tile_param, [1] * len(layer.bottoms[0])
    repeats[param.axis] = param.tiles
    return layer.op("Tile", x, layer.constant(repeats, "repeats"))


@rule("Crop")
def _crop(layer, x, like):
    param, bottom = layer.param.crop_param, layer.bottoms[0]
    axes = list(range(axis_of(bottom, param.axis), len(bottom)))
    offsets = list(param.offset) or [0]
    if len(offsets) == 1:
        offsets *= len(axes)
    ends = [offset + _fixed(layer.tops[0][axis])
            for offset, axis in zip(offsets, axes)]
    return layer.op("Slice", x, layer.constant(offsets, "starts"),
                    layer.constant(ends, "ends"), layer.constant(axes, "axes"))


@rule("ChannelPooling")
def _channel_pooling(layer, x):
    param = layer.param.pooling_param
    return layer.op("ReduceMax" if param.pool == param.MAX else "ReduceMean", x,
                    axes=[1])


@rule("Reduction")
def _reduction(layer, x):
    param, bottom = layer.param.reduction_param, layer.bottoms[0]
    axes = list(range(axis_of(bottom, param.axis), len(bottom)))
    if param.operation == param.SUM:
        x = layer.op("ReduceSum", x, layer.constant(axes, "axes"), keepdims=0)
    else:
        x = layer.op({param.ASUM: "ReduceL1", param.SUMSQ: "ReduceSumSquare",
                      param.MEAN: "ReduceMean"}[param.operation], x, axes=axes,
                     keepdims=0)
    return _with(layer, "Mul", x, param.coeff, 1)


@rule("Interp")
def _interp(layer, x, like=None):
    sizes = layer.tops[0][2:]
    if None not in sizes:
        sizes = layer.constant(sizes, "sizes")
    else:
        expect(like, "its size follows from the image's; expected a second bottom")
        sizes = layer.op("Shape", like, start=2)
    sizes = layer.op("Concat", layer.op("Shape", x, end=2), sizes, axis=0)
    return layer.op("Resize", x, "", "", sizes, mode="linear",
                    coordinate_transformation_mode="align_corners")


@rule("Silence")
def _silence(layer, *values):
    return []


# What several rules need

def _with(layer, kind, x, number, neutral):
    """x and a number in a node, unless that changes nothing."""
    if number == neutral:
        return x
    return layer.op(kind, x, layer.constant(float(number), kind.lower()))


def _powered(layer, x, scale, shift, power):
    x = _with(layer, "Mul", x, scale, 1)
    x = _with(layer, "Add", x, shift, 0)
    return _with(layer, "Pow", x, power, 1)


def _chain(layer, kind, values):
    return reduce(lambda a, b: layer.op(kind, a, b), values)


def _along_axes(layer, param, given):
    """The value for each place along some axes of the bottom, the second bottom or
    a blob, with axes of 1 for those that follow: ONNX aligns the last ones."""
    if given is None:
        return _blob_along_axes(layer, param, 0)
    axes = len(layer.bottoms[1])
    missing = _axes_after(layer, param, axes)
    if not axes or not missing:
        return given
    # Not Unsqueeze, which OpenCV 4 takes one axis of at a time.
    return layer.op("Reshape", given, layer.constant(
        [0] * axes + [1] * missing, "shape"))


def _blob_along_axes(layer, param, index):
    blob = layer.blobs[index]
    return layer.blob(index, blob.shape + (1,) * _axes_after(
        layer, param, blob.ndim))


def _axes_after(layer, param, number):
    """How many axes of the bottom follow those that `number` axes lie along."""
    bottom = layer.bottoms[0]
    return len(bottom) - axis_of(bottom, param.axis) - number


def _to_shape(layer, x, copied):
    """Reshape to the top's shape; `copied` says of what axes of the bottom some of
    its axes have their sizes."""
    shape = [size if size is not None else 0 if copied.get(axis) == axis else -1
             for axis, size in enumerate(layer.tops[0])]
    if shape.count(-1) < 2:
        return layer.op("Reshape", x, layer.constant(shape, "shape"))
    # ONNX works out one size; the others are read off the bottom.
    parts = [layer.op("Shape", x, start=copied[axis], end=copied[axis] + 1)
             if size == -1 and axis in copied else layer.constant([size], "size")
             for axis, size in enumerate(shape)]
    return layer.op("Reshape", x, layer.op("Concat", *parts, axis=0))


def _fixed(size):
    expect(size is not None, "cuts along an axis whose size varies")
    return size
