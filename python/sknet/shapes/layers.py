"""The shapes of each layer type's tops and blobs, from its bottoms' shapes:
what the type's LayerSetUp and Reshape do in Caffe, and what they refuse.

A type is one function with the decorator `rule`. It gets a LayerParameter and
the bottoms' shapes, and returns the tops' shapes or, if the type has blobs,
the tops' and the blobs'.
"""
import math

from sknet.errors import InputError
from sknet.shapes.checks import (axis_of, axis_range, expect, expect_axes,
                                 expect_channels, expect_same, renamed_axis_of,
                                 text)
from sknet.shapes.window import convolution_window, pooling_window

_RULES = {}
_MANY = math.inf


def rule(*types, bottoms=1, tops=1):
    """Decorator: the function is the rule of layer types with that many bottoms
    and tops, each a number or (least, most)."""
    def add(function):
        for name in types:
            _RULES[name] = function, bottoms, tops
        return function
    return add


def shapes_of(layer, bottoms):
    """Return (tops, blobs), tuples of shapes, of a LayerParameter whose bottoms
    have the given shapes.

    Raises InputError, which does not name the layer, if they do not fit.
    """
    if layer.type not in _RULES:
        raise InputError("a type that is not known here")
    function, *limits = _RULES[layer.type]
    for what, names, limit in zip(("bottoms", "tops"), (layer.bottom, layer.top),
                                  limits):
        least, most = limit if isinstance(limit, tuple) else (limit, limit)
        wanted = (f"{least} or more" if most == _MANY else
                  least if most == least else f"{least} to {most}")
        expect(least <= len(names) <= most,
               f"{len(names)} {what}; expected {wanted}")
    result = function(layer, *bottoms)
    tops, blobs = result if isinstance(result, tuple) else (result, [])
    return tuple(map(tuple, tops)), tuple(map(tuple, blobs))


# Data

@rule("Input", bottoms=0, tops=(1, _MANY))
def _input(layer):
    return _for_each_top(layer, "shape", [
        shape.dim for shape in layer.input_param.shape])


@rule("DummyData", bottoms=0, tops=(1, _MANY))
def _dummy_data(layer):
    param = layer.dummy_data_param
    if param.shape:
        return _for_each_top(layer, "shape", [shape.dim for shape in param.shape])
    return list(zip(*(_for_each_top(layer, field, getattr(param, field))
                      for field in ("num", "channels", "height", "width"))))


@rule("Data", bottoms=0, tops=(1, 2))
def _data(layer):
    return _images(layer, layer.data_param.batch_size)


@rule("AugmentedData", bottoms=0, tops=(1, 2))
def _augmented_data(layer):
    images, listed = layer.data_param, layer.image_data_param
    expect(images.HasField("source") != listed.HasField("source"),
           "expected one source, data_param's or image_data_param's")
    if listed.HasField("source"):
        return _images(layer, listed.batch_size, gray=not listed.is_color)
    return _images(layer, images.batch_size)


# A value for each of the bottom's

@rule("BNLL", "Clip", "Dropout", "ELU", "Exp", "Log", "Power", "ReLU", "Sigmoid",
      "Swish", "TanH", "Threshold")
def _neuron(layer, bottom):
    return [bottom]


@rule("PReLU")
def _prelu(layer, bottom):
    expect_channels(bottom)
    return [bottom], [() if layer.prelu_param.channel_shared else bottom[1:2]]


@rule("LRN")
def _lrn(layer, bottom):
    expect_axes(bottom, 4)
    size = layer.lrn_param.local_size
    expect(size % 2, f"local_size {size}; expected an odd number")
    return [bottom]


@rule("BatchNorm")
def _batch_norm(layer, bottom):
    expect_channels(bottom)
    return [bottom], [bottom[1:2], bottom[1:2], (1,)]


@rule("CuDNNBatchNorm")
def _cudnn_batch_norm(layer, bottom):
    expect_channels(bottom)
    return [bottom], [(1, bottom[1], 1, 1)] * 4


@rule("Scale", bottoms=(1, 2))
def _scale(layer, bottom, factor=None):
    own = _along_axes(layer.scale_param, bottom, factor)
    bias = (own or [factor]) if layer.scale_param.bias_term else []
    return [bottom], own + bias


@rule("Bias", bottoms=(1, 2))
def _bias(layer, bottom, summand=None):
    return [bottom], _along_axes(layer.bias_param, bottom, summand)


@rule("Softmax")
def _softmax(layer, bottom):
    axis_of(bottom, layer.softmax_param.axis)
    return [bottom]


# Convolutions and pools

@rule("Convolution", "Deconvolution", bottoms=(1, _MANY), tops=(1, _MANY))
def _convolution(layer, *bottoms):
    expect(len(layer.top) == len(bottoms),
           f"{len(bottoms)} bottoms and {len(layer.top)} tops; expected as many")
    expect_same(*bottoms)
    bottom, param = bottoms[0], layer.convolution_param
    axis = axis_of(bottom, param.axis)
    channels, outputs, groups = bottom[axis], param.num_output, param.group
    expect(groups and outputs and channels % groups == 0 and outputs % groups == 0,
           f"{channels} channels to {outputs} in {groups} groups")
    window = convolution_window(layer, bottom)
    if layer.type == "Deconvolution":
        weights = channels, outputs // groups, *window.kernel
        sizes = window.deconvolved(bottom[axis + 1:])
    else:
        weights = outputs, channels // groups, *window.kernel
        sizes = window.convolved(bottom[axis + 1:])
    return ([(*bottom[:axis], outputs, *sizes)] * len(bottoms),
            [weights, *_bias_of(param)])


@rule("DepthwiseConvolution", bottoms=(1, _MANY), tops=(1, _MANY))
def _depthwise_convolution(layer, *bottoms):
    axis = axis_of(bottoms[0], layer.convolution_param.axis)
    groups, channels = layer.convolution_param.group, bottoms[0][axis]
    expect_axes(bottoms[0], axis + 3)
    expect(groups == channels, f"group {groups}; expected the number of the "
           f"bottom's channels, {channels}")
    return _convolution(layer, *bottoms)


@rule("Pooling", tops=(1, 2))
def _pooling(layer, bottom):
    param, window = layer.pooling_param, pooling_window(layer, bottom)
    expect(len(layer.top) == 1 or param.pool == param.MAX,
           "2 tops; expected 1 but for MAX, whose second is the mask")
    sizes = window.pooled(bottom[2:], floor=param.round_mode == param.FLOOR)
    return [(*bottom[:2], *sizes)] * len(layer.top)


@rule("ChannelPooling")
def _channel_pooling(layer, bottom):
    expect_channels(bottom)
    _expect_new_top(layer)
    pool = layer.pooling_param.pool
    expect(pool != layer.pooling_param.STOCHASTIC,
           "stochastic pooling; expected MAX or AVE")
    return [(bottom[0], 1, *bottom[2:])]


@rule("Interp", bottoms=(1, 2))
def _interp(layer, bottom, like=None):
    for shape in (bottom, like or bottom):
        expect_axes(shape, 4)
    _expect_new_top(layer)
    param = layer.interp_param
    size, factors = (any(map(param.HasField, pair)) for pair in (
        ("height", "width"), ("zoom_factor", "shrink_factor")))
    expect((like is not None) + size + factors == 1, "expected one of: a second "
           "bottom, height and width, zoom_factor and shrink_factor")
    expect(param.zoom_factor > 0 and param.shrink_factor > 0,
           "a factor below 1")
    expect(param.pad_beg == param.pad_end == 0, "pad_beg or pad_end is not 0")
    if like:
        sizes = like[2:]
    elif size:
        sizes = param.height, param.width
    else:
        sizes = [(size - 1) // param.shrink_factor * param.zoom_factor + 1
                 for size in bottom[2:]]
    return [(*bottom[:2], *sizes)]


@rule("InnerProduct")
def _inner_product(layer, bottom):
    param = layer.inner_product_param
    axis = axis_of(bottom, param.axis)
    weights = param.num_output, math.prod(bottom[axis:])
    return ([(*bottom[:axis], param.num_output)],
            [weights[::-1] if param.transpose else weights, *_bias_of(param)])


# Several blobs to one

@rule("Eltwise", bottoms=(2, _MANY))
def _eltwise(layer, *bottoms):
    expect_same(*bottoms)
    param = layer.eltwise_param
    expect(len(param.coeff) in (0, len(bottoms)),
           f"{len(param.coeff)} coefficients for {len(bottoms)} bottoms")
    expect(not param.coeff or param.operation != param.PROD,
           "coefficients of a product; only sums have them")
    return [bottoms[0]]


@rule("Concat", bottoms=(1, _MANY))
def _concat(layer, *bottoms):
    first = bottoms[0]
    axis = renamed_axis_of(first, layer.concat_param, "concat_dim")
    before, after = first[:axis], first[axis + 1:]
    for other in bottoms[1:]:
        expect(len(other) == len(first) and other[:axis] == before
               and other[axis + 1:] == after,
               f"bottoms {text(first)} and {text(other)}; expected the same but "
               f"for axis {axis}")
    return [(*before, sum(bottom[axis] for bottom in bottoms), *after)]


@rule("Axpy", bottoms=3)
def _axpy(layer, gate, x, y):
    expect_channels(x)
    expect_same(x, y)
    expect(gate[:2] == x[:2] and math.prod(gate[2:]) == 1,
           f"bottom[0] is {text(gate)}; expected {text(x[:2])} for bottom[1], "
           f"which is {text(x)}")
    _expect_new_top(layer)
    return [x]


@rule("BroadcastProduct", bottoms=2)
def _broadcast_product(layer, a, b):
    expect(len(a) == len(b) and all(m == n or 1 in (m, n) for m, n in zip(a, b)),
           f"bottoms {text(a)} and {text(b)}; expected one shape, but for axes "
           "of size 1")
    _expect_new_top(layer)
    return [map(max, zip(a, b))]


# A blob in another form, or in parts

@rule("Split", tops=(1, _MANY))
def _split(layer, bottom):
    _expect_new_top(layer)
    return [bottom] * len(layer.top)


@rule("Slice", tops=(1, _MANY))
def _slice(layer, bottom):
    param, parts = layer.slice_param, len(layer.top)
    axis = renamed_axis_of(bottom, param, "slice_dim")
    size = bottom[axis]
    points = list(param.slice_point)
    if not points:
        expect(size % parts == 0, f"{parts} tops of the {size} of axis {axis}")
        points = list(range(size // parts, size, size // parts))
    edges = [0, *points, size]
    sizes = [end - begin for begin, end in zip(edges, edges[1:])]
    expect(len(sizes) == parts and min(sizes) > 0, f"slice points {points} and "
           f"{parts} tops of the {size} of axis {axis}")
    return [(*bottom[:axis], part, *bottom[axis + 1:]) for part in sizes]


@rule("Reshape")
def _reshape(layer, bottom):
    _expect_new_top(layer)
    param = layer.reshape_param
    # Counted from behind, the axis is a place between axes: -1 follows them all.
    first = param.axis if param.axis >= 0 else len(bottom) + 1 + param.axis
    end = len(bottom) if param.num_axes == -1 else first + param.num_axes
    expect(0 <= first <= end <= len(bottom), f"axis {param.axis}, num_axes "
           f"{param.num_axes} of {text(bottom)}")
    dims, wanted = list(param.shape.dim), math.prod(bottom)
    misfit = f"{text(bottom)} to the dimensions {dims}"
    for index, dim in enumerate(dims):
        if dim == 0:
            expect(first + index < len(bottom), misfit)
            dims[index] = bottom[first + index]
    top = [*bottom[:first], *dims, *bottom[end:]]
    if -1 in dims:
        rest = -math.prod(top)
        expect(rest > 0 and wanted % rest == 0, misfit)
        top[first + dims.index(-1)] = wanted // rest
    expect(min(top, default=1) > 0 and math.prod(top) == wanted, misfit)
    return [top]


@rule("Flatten")
def _flatten(layer, bottom):
    _expect_new_top(layer)
    param = layer.flatten_param
    first, last = axis_of(bottom, param.axis), axis_of(bottom, param.end_axis)
    expect(first <= last, f"axis {param.axis} to {param.end_axis} of {text(bottom)}")
    return [(*bottom[:first], math.prod(bottom[first:last + 1]),
             *bottom[last + 1:])]


@rule("Tile")
def _tile(layer, bottom):
    param = layer.tile_param
    axis = axis_of(bottom, param.axis)
    return [(*bottom[:axis], bottom[axis] * param.tiles, *bottom[axis + 1:])]


@rule("Crop", bottoms=2)
def _crop(layer, bottom, like):
    param = layer.crop_param
    axis = axis_of(bottom, param.axis)
    axes = len(bottom) - axis
    offsets = list(param.offset) or [0]
    if len(offsets) == 1:
        offsets *= axes
    expect(len(offsets) == axes, f"{len(offsets)} offsets for the {axes} axes of "
           f"{text(bottom)} from {axis}")
    expect(len(like) == len(bottom) and all(
        offset + part <= size for size, offset, part in zip(
            bottom[axis:], offsets, like[axis:])),
        f"{text(like)} of {text(bottom)} at the offsets {offsets}")
    return [bottom[:axis] + like[axis:]]


@rule("Reduction")
def _reduction(layer, bottom):
    return [bottom[:axis_of(bottom, layer.reduction_param.axis)]]


@rule("Silence", bottoms=(1, _MANY), tops=0)
def _silence(layer, *bottoms):
    return []


# Scores and labels

@rule("SoftmaxWithLoss", bottoms=2, tops=(0, 1))
def _softmax_with_loss(layer, scores, labels):
    _scored_axis(scores, labels, layer.softmax_param)
    return [()] * len(layer.top)


@rule("Accuracy", bottoms=2, tops=(1, 2))
def _accuracy(layer, scores, labels):
    param = layer.accuracy_param
    classes = scores[_scored_axis(scores, labels, param)]
    expect(param.top_k <= classes, f"top_k {param.top_k} of {classes} classes")
    return [(), (classes,)][:len(layer.top)]


# What several rules need

def _images(layer, batch, gray=False):
    """The tops of a layer that reads images. Its prototxt need not tell the
    number of channels: 3, but for several means, and where colour is dropped."""
    param = layer.transform_param
    expect(param.crop_size, "no crop_size: only its database knows its images' size")
    means = len(param.mean_value)
    channels = means if means > 1 else 1 if gray or param.force_gray else 3
    images = batch, channels, param.crop_size, param.crop_size
    return [images, (batch,)][:len(layer.top)]


def _for_each_top(layer, field, values):
    expect(len(values) in (1, len(layer.top)),
           f"{len(values)} values of {field} for {len(layer.top)} tops")
    return list(values) * (len(layer.top) if len(values) == 1 else 1)


def _along_axes(param, bottom, given):
    """The blobs of a layer with a value for each place along some axes of its
    bottom: the second bottom, if `given`, else a blob."""
    if given is None:
        first, end = axis_range(bottom, param)
        return [bottom[first:end]]
    first = axis_of(bottom, param.axis) if given else 0
    expect(bottom[first:first + len(given)] == given,
           f"bottom[1] is {text(given)}; expected the axes of bottom[0], "
           f"{text(bottom)}, from {first}")
    return []


def _bias_of(param):
    return [(param.num_output,)] if param.bias_term else []


def _expect_new_top(layer):
    expect(layer.bottom[0] not in layer.top, "cannot be computed in place")


def _scored_axis(scores, labels, param):
    """The axis of the classes: each place along the others has a label."""
    axis = axis_of(scores, param.axis)
    expect(math.prod(scores) == scores[axis] * math.prod(labels),
           f"{text(labels)} labels for the scores {text(scores)}")
    return axis
