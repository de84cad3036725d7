"""The shapes of each layer type's tops and blobs, from its bottoms' shapes:
what the type's LayerSetUp and Reshape do in Caffe, and what they refuse.

A type is one function with the decorator `rule`. It gets a LayerParameter and
the bottoms' shapes, and returns the tops' shapes and, if the type has blobs,
those too: `tops` or `(tops, blobs)`, as lists.
"""
import math
from dataclasses import dataclass

from sknet.errors import InputError

_RULES = {}
MANY = 1000


def rule(*types, bottoms=1, tops=1):
    """Decorator: the rule of layer types with that many bottoms and tops, each
    a number or (least, most)."""
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
        _expect(least <= len(names) <= most, f"{len(names)} {what}; expected "
                f"{least}{f' to {most}' if least < most < MANY else ''}"
                f"{' or more' if most == MANY else ''}")
    result = function(layer, *bottoms)
    tops, blobs = result if isinstance(result, tuple) else (result, [])
    return tuple(map(tuple, tops)), tuple(map(tuple, blobs))


@dataclass(frozen=True)
class Window:
    """What a convolution or a pool slides: a value for each spatial axis."""
    kernel: tuple
    stride: tuple
    pad: tuple
    dilation: tuple

    @property
    def extent(self):
        """The kernel's size with its holes, in pixels of the bottom."""
        return tuple(dilation * (kernel - 1) + 1
                     for kernel, dilation in zip(self.kernel, self.dilation))


# Data

@rule("Input", bottoms=0, tops=(1, MANY))
def _input(layer):
    return _each(layer, "shape", [shape.dim for shape in layer.input_param.shape])


@rule("DummyData", bottoms=0, tops=(1, MANY))
def _dummy_data(layer):
    param = layer.dummy_data_param
    legacy = [_each(layer, name, getattr(param, name))
              for name in ("num", "channels", "height", "width")
              if getattr(param, name)]
    if legacy:
        _expect(len(legacy) == 4 and not param.shape,
                "expected shape, or num, channels, height and width")
        return list(zip(*legacy))
    return _each(layer, "shape", [shape.dim for shape in param.shape])


@rule("Data", bottoms=0, tops=(1, 2))
def _data(layer):
    size, batch = layer.transform_param.crop_size, layer.data_param.batch_size
    _expect(size > 0, "without crop_size, only its database knows its size")
    means = len(layer.transform_param.mean_value)
    return [(batch, means if means > 1 else 3, size, size),
            (batch,)][:len(layer.top)]


# One value of the top for one of the bottom

@rule("AbsVal", "BNLL", "Clip", "Dropout", "ELU", "Exp", "Log", "Power", "ReLU",
      "Sigmoid", "Swish", "TanH", "Threshold")
def _neuron(layer, bottom):
    return [bottom]


@rule("PReLU")
def _prelu(layer, bottom):
    _axes(bottom, 2)
    return [bottom], [() if layer.prelu_param.channel_shared else bottom[1:2]]


@rule("LRN")
def _lrn(layer, bottom):
    _axes(bottom, 4, 4)
    size = layer.lrn_param.local_size
    _expect(size % 2, f"local_size {size}; expected an odd number")
    return [bottom]


@rule("BatchNorm")
def _batch_norm(layer, bottom):
    _axes(bottom, 2)
    return [bottom], [bottom[1:2], bottom[1:2], (1,)]


@rule("CuDNNBatchNorm")
def _cudnn_batch_norm(layer, bottom):
    _axes(bottom, 2)
    return [bottom], [(1, bottom[1], 1, 1)] * 4


@rule("Scale", bottoms=(1, 2))
def _scale(layer, bottom, scale=None):
    param = layer.scale_param
    top, blobs = _along_axes(param, bottom, scale)
    if param.bias_term:
        blobs = blobs + (blobs if scale is None else [scale])
    return top, blobs


@rule("Bias", bottoms=(1, 2))
def _bias(layer, bottom, bias=None):
    return _along_axes(layer.bias_param, bottom, bias)


@rule("Softmax")
def _softmax(layer, bottom):
    _axis(bottom, layer.softmax_param.axis)
    return [bottom]


# Convolutions and pools

@rule("Convolution", "DepthwiseConvolution", bottoms=(1, MANY), tops=(1, MANY))
def _convolution(layer, *bottoms):
    bottom, axis = bottoms[0], _channel_axis(layer, bottoms)
    window = convolution_window(layer, bottom)
    # C++'s division, which rounds towards 0.
    sizes = [int((size + 2 * pad - extent) / stride) + 1
             for size, extent, stride, pad in zip(
                 bottom[axis + 1:], window.extent, window.stride, window.pad)]
    param = layer.convolution_param
    top = [*bottom[:axis], param.num_output, *sizes]
    weights = (param.num_output, bottom[axis] // param.group, *window.kernel)
    return [top] * len(bottoms), [weights, *_convolution_bias(param)]


@rule("Deconvolution", bottoms=(1, MANY), tops=(1, MANY))
def _deconvolution(layer, *bottoms):
    bottom, axis = bottoms[0], _channel_axis(layer, bottoms)
    window = convolution_window(layer, bottom)
    sizes = [stride * (size - 1) + extent - 2 * pad
             for size, extent, stride, pad in zip(
                 bottom[axis + 1:], window.extent, window.stride, window.pad)]
    param = layer.convolution_param
    top = [*bottom[:axis], param.num_output, *sizes]
    weights = (bottom[axis], param.num_output // param.group, *window.kernel)
    return [top] * len(bottoms), [weights, *_convolution_bias(param)]


@rule("Pooling", tops=(1, 2))
def _pooling(layer, bottom):
    window = pooling_window(layer, bottom)
    floor = layer.pooling_param.round_mode == layer.pooling_param.FLOOR
    top = list(bottom[:2])
    for size, kernel, stride, pad in zip(bottom[2:], window.kernel, window.stride,
                                         window.pad):
        slide = size + 2 * pad - kernel
        pooled = (slide // stride if floor else -(-slide // stride)) + 1
        # The last window starts in the image, not in the padding.
        if any(window.pad) and (pooled - 1) * stride >= size + pad:
            pooled -= 1
        top.append(pooled)
    most = 2 if layer.pooling_param.pool == layer.pooling_param.MAX else 1
    _expect(len(layer.top) <= most, "2 tops; only MAX pools have a mask")
    return [top] * len(layer.top)


@rule("ChannelPooling")
def _channel_pooling(layer, bottom):
    _axes(bottom, 4, 4)
    return [(bottom[0], 1, *bottom[2:])]


@rule("Interp", bottoms=2)
def _interp(layer, bottom, like):
    _axes(bottom, 4, 4)
    _axes(like, 4, 4)
    return [bottom[:2] + like[2:]]


# Fully connected

@rule("InnerProduct")
def _inner_product(layer, bottom):
    param = layer.inner_product_param
    axis = _axis(bottom, param.axis)
    weights = [param.num_output, math.prod(bottom[axis:])]
    if param.transpose:
        weights.reverse()
    bias = [(param.num_output,)] if param.bias_term else []
    return [(*bottom[:axis], param.num_output)], [weights, *bias]


# Several blobs to one

@rule("Eltwise", bottoms=(2, MANY))
def _eltwise(layer, *bottoms):
    _same(*bottoms)
    param = layer.eltwise_param
    _expect(len(param.coeff) in (0, len(bottoms)),
            f"{len(param.coeff)} coefficients for {len(bottoms)} bottoms")
    _expect(not (param.coeff and param.operation == param.PROD),
            "coefficients of a product; only sums have them")
    return bottoms[:1] and [bottoms[0]]


@rule("Concat", bottoms=(1, MANY))
def _concat(layer, *bottoms):
    axis = _old_axis(bottoms[0], layer.concat_param, "concat_dim")
    top = list(bottoms[0])
    for bottom in bottoms[1:]:
        _expect(len(bottom) == len(top) and all(
            size == top[index] for index, size in enumerate(bottom)
            if index != axis),
            f"bottoms {_text(bottoms[0])} and {_text(bottom)}; expected the same "
            f"but for axis {axis}")
        top[axis] += bottom[axis]
    return [top]


@rule("Axpy", bottoms=3)
def _axpy(layer, gate, x, y):
    _axes(x, 2)
    _same(x, y)
    _expect(gate[:2] == x[:2] and math.prod(gate[2:]) == 1,
            f"bottom[0] is {_text(gate)}; expected {_text(x[:2])} for bottom[1], "
            f"which is {_text(x)}")
    return [x]


@rule("BroadcastProduct", bottoms=2)
def _broadcast_product(layer, a, b):
    _expect(len(a) == len(b) and all(m == n or 1 in (m, n) for m, n in zip(a, b)),
            f"bottoms {_text(a)} and {_text(b)}; expected the same axes, but for "
            "those of size 1")
    return [list(map(max, zip(a, b)))]


# One blob in another form, or in parts

@rule("Split", tops=(1, MANY))
def _split(layer, bottom):
    return [bottom] * len(layer.top)


@rule("Slice", tops=(1, MANY))
def _slice(layer, bottom):
    axis = _old_axis(bottom, layer.slice_param, "slice_dim")
    points, parts, size = layer.slice_param.slice_point, len(layer.top), bottom[axis]
    if points:
        _expect(len(points) == parts - 1,
                f"{len(points)} slice points for {parts} tops")
        edges = [0, *points, size]
    else:
        _expect(size % parts == 0, f"{parts} tops of {size} on axis {axis}")
        edges = range(0, size + 1, size // parts)
    _expect(all(a < b for a, b in zip(edges, edges[1:])),
            f"slice points {list(points)} of {size} on axis {axis}")
    return [(*bottom[:axis], b - a, *bottom[axis + 1:])
            for a, b in zip(edges, edges[1:])]


@rule("Reshape")
def _reshape(layer, bottom):
    _not_in_place(layer)
    param = layer.reshape_param
    start = param.axis + (len(bottom) + 1 if param.axis < 0 else 0)
    end = len(bottom) if param.num_axes == -1 else start + param.num_axes
    _expect(0 <= start <= end <= len(bottom), f"axis {param.axis}, num_axes "
            f"{param.num_axes} of {_text(bottom)}")
    dims = list(param.shape.dim)
    wanted = f"dimensions {dims} of {_text(bottom)}"
    _expect(min(dims, default=0) >= -1 and dims.count(-1) <= 1, wanted)
    for index, dim in enumerate(dims):
        if dim == 0:
            _expect(start + index < len(bottom), wanted)
            dims[index] = bottom[start + index]
    top = [*bottom[:start], *dims, *bottom[end:]]
    if -1 in dims:
        known = -math.prod(top)
        _expect(known and math.prod(bottom) % known == 0, wanted)
        top[start + dims.index(-1)] = math.prod(bottom) // known
    _expect(math.prod(top) == math.prod(bottom), wanted)
    return [top]


@rule("Flatten")
def _flatten(layer, bottom):
    _not_in_place(layer)
    start = _axis(bottom, layer.flatten_param.axis)
    end = _axis(bottom, layer.flatten_param.end_axis) + 1
    _expect(start < end, f"axis {start} to {end - 1}")
    return [(*bottom[:start], math.prod(bottom[start:end]), *bottom[end:])]


@rule("Tile")
def _tile(layer, bottom):
    axis, tiles = _axis(bottom, layer.tile_param.axis), layer.tile_param.tiles
    _expect(tiles > 0, f"{tiles} tiles")
    return [(*bottom[:axis], bottom[axis] * tiles, *bottom[axis + 1:])]


@rule("Crop", bottoms=2)
def _crop(layer, bottom, like):
    axis = _axis(bottom, layer.crop_param.axis)
    offsets = list(layer.crop_param.offset) or [0]
    if len(offsets) == 1:
        offsets *= len(bottom) - axis
    _expect(len(offsets) == len(bottom) - axis,
            f"{len(offsets)} offsets for the axes from {axis} of {_text(bottom)}")
    _expect(len(like) == len(bottom) and all(
        size - offset >= wanted for size, offset, wanted in zip(
            bottom[axis:], offsets, like[axis:])),
        f"{_text(like)} from {_text(bottom)}, at {offsets}")
    return [bottom[:axis] + like[axis:]]


@rule("Reduction")
def _reduction(layer, bottom):
    return [bottom[:_axis(bottom, layer.reduction_param.axis)]]


@rule("Silence", bottoms=(1, MANY), tops=0)
def _silence(layer, *bottoms):
    return []


# Scores against labels

@rule("SoftmaxWithLoss", bottoms=2, tops=(0, 2))
def _softmax_with_loss(layer, scores, labels):
    _labels(scores, labels, layer.softmax_param.axis)
    return [(), scores][:len(layer.top)]


@rule("Accuracy", bottoms=2, tops=(1, 2))
def _accuracy(layer, scores, labels):
    axis = _labels(scores, labels, layer.accuracy_param.axis)
    _expect(layer.accuracy_param.top_k <= scores[axis],
            f"top_k {layer.accuracy_param.top_k} of {scores[axis]} classes")
    return [(), (scores[axis],)][:len(layer.top)]


# What the rules share

def convolution_window(layer, bottom):
    """Return the Window of a Convolution, DepthwiseConvolution or Deconvolution
    whose bottom has that shape. Raises InputError if it has none."""
    param = layer.convolution_param
    count = len(bottom) - _axis(bottom, param.axis) - 1

    def values(name, default):
        pair = name.partition("_")[0]
        found = list(getattr(param, name))
        if pair != "dilation" and (param.HasField(f"{pair}_h")
                                   or param.HasField(f"{pair}_w")):
            _expect(count == 2 and not found, f"{pair}_h and {pair}_w; expected "
                    f"2 spatial axes, and no {name}")
            return getattr(param, f"{pair}_h"), getattr(param, f"{pair}_w")
        found = found or [default]
        _expect(len(found) in (1, count),
                f"{len(found)} values of {name} for {count} spatial axes")
        return tuple(found * count if len(found) == 1 else found)

    window = Window(values("kernel_size", 0), values("stride", 1),
                    values("pad", 0), values("dilation", 1))
    return _positive(window)


def pooling_window(layer, bottom):
    """Return the Window of a Pooling layer whose bottom has that shape. Raises
    InputError if it has none."""
    _axes(bottom, 4, 4)
    param = layer.pooling_param

    def values(name):
        pair = name.partition("_")[0]
        sides = [param.HasField(f"{pair}_{side}") for side in "hw"]
        _expect(all(sides) and not param.HasField(name) or not any(sides),
                f"expected {name}, or {pair}_h and {pair}_w")
        if any(sides):
            return getattr(param, f"{pair}_h"), getattr(param, f"{pair}_w")
        return (getattr(param, name),) * 2

    window = Window(values("kernel_size"), values("stride"), values("pad"), (1, 1))
    if param.global_pooling:
        _expect(window == Window((0, 0), (1, 1), (0, 0), (1, 1)),
                "global_pooling with a kernel, stride or pad")
        return Window(bottom[2:], (1, 1), (0, 0), (1, 1))
    _expect(all(pad < kernel for pad, kernel in zip(window.pad, window.kernel))
            or not any(window.kernel), f"pad {_text(window.pad)} of a kernel "
            f"{_text(window.kernel)}; expected less")
    return _positive(window)


def _positive(window):
    _expect(all(window.kernel), "no kernel_size, or one of 0")
    _expect(all(window.stride), "stride 0")
    return window


def _channel_axis(layer, bottoms):
    param, bottom = layer.convolution_param, bottoms[0]
    _expect(len(layer.top) == len(bottoms),
            f"{len(bottoms)} bottoms and {len(layer.top)} tops; expected as many")
    _same(*bottoms)
    axis = _axis(bottom, param.axis)
    if layer.type == "DepthwiseConvolution":
        _axes(bottom, axis + 3, axis + 3)
        _expect(param.group == bottom[axis],
                f"group {param.group}; expected the bottom's {bottom[axis]} channels")
    _expect(param.num_output > 0, "num_output 0")
    _expect(param.group > 0 and bottom[axis] % param.group == 0
            and param.num_output % param.group == 0,
            f"{param.group} groups of {bottom[axis]} channels to {param.num_output}")
    return axis


def _convolution_bias(param):
    return [(param.num_output,)] if param.bias_term else []


def _along_axes(param, bottom, given):
    """Tops and blobs of Scale and Bias: a factor or summand for the axes from
    `axis`, its shape that of the second bottom or part of the first's."""
    if given is None:
        axis = _axis(bottom, param.axis)
        end = len(bottom) if param.num_axes == -1 else axis + param.num_axes
        _expect(axis <= end <= len(bottom), f"axis {param.axis}, num_axes "
                f"{param.num_axes} of {_text(bottom)}")
        return [bottom], [bottom[axis:end]]
    axis = _axis(bottom, param.axis) if given else 0
    _expect(bottom[axis:axis + len(given)] == given,
            f"bottom[1] is {_text(given)}; expected the axes of bottom[0], "
            f"{_text(bottom)}, from axis {axis}")
    return [bottom], []


def _labels(scores, labels, axis):
    axis = _axis(scores, axis)
    _expect(math.prod(scores) // scores[axis] == math.prod(labels),
            f"{_text(labels)} labels for scores {_text(scores)}")
    return axis


def _each(layer, what, values):
    """A value for each top, where they may share one."""
    _expect(len(values) in (1, len(layer.top)),
            f"{len(values)} values of {what} for {len(layer.top)} tops")
    return list(values) * (len(layer.top) // len(values))


def _axis(shape, axis):
    """An axis counted from the front."""
    _expect(-len(shape) <= axis < len(shape), f"axis {axis} of {_text(shape)}")
    return axis % len(shape)


def _old_axis(shape, param, old):
    """The axis of a message with an old name for it."""
    if not param.HasField(old):
        return _axis(shape, param.axis)
    _expect(not param.HasField("axis"), f"axis and {old}; expected one of the two")
    return _axis(shape, getattr(param, old))


def _axes(shape, least, most=MANY):
    _expect(least <= len(shape) <= most, f"bottom is {_text(shape)}; expected "
            f"{least} axes{'' if most == least else ' or more'}")


def _same(*shapes):
    _expect(len(set(shapes)) == 1, f"bottoms {', '.join(map(_text, shapes))}; "
            "expected the same shape")


def _not_in_place(layer):
    _expect(layer.bottom[0] != layer.top[0], "cannot be computed in place")


def _expect(condition, message):
    if not condition:
        raise InputError(message)


def _text(shape):
    return "x".join(map(str, shape)) or "a single value"
