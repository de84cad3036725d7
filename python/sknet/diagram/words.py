"""What is in a unit, in a few words."""
from collections import Counter
from itertools import groupby

from sknet.shapes.window import convolution_window, pooling_window

_CONVOLUTIONS = ("Convolution", "DepthwiseConvolution", "Deconvolution")
# What follows the layers that are named, without being named itself.
_FOLLOWING = ("BatchNorm", "CuDNNBatchNorm", "Scale", "Bias", "ReLU", "PReLU",
              "Dropout", "Slice")
_NAMES = {"Input": "input", "Data": "images and labels",
          "AugmentedData": "images and labels", "Softmax": "softmax",
          "SoftmaxWithLoss": "softmax loss", "Accuracy": "accuracy",
          "Interp": "resize", "LRN": "local response normalization"}
_MOST = 8  # rows


def rows_of(unit, branches, placed):
    """Return the text of a Unit: rows, of columns side by side, of lines.

    branches: the names of SK units' branches' convolutions.
    placed: the names of the net's layers whose values have a place in the image.
    """
    named = [layer for layer in unit.layers if _text(layer)]
    makers = {top: layer for layer in reversed(unit.layers)
              for top in layer.param.top if top not in layer.param.bottom}
    is_sum, projection = _shortcut(unit, makers, len(named))
    named = [layer for layer in named if layer is not projection]
    rows = _branches_of_concat(unit, makers, named)
    if rows:
        named = named[sum(map(len, rows[0])):]
    rows += _rows(named, branches,
                  placed if unit.layers[-1].param.name in placed else None)
    if is_sum:
        rows.append([["+ shortcut" + (
            f" · {_text(projection)}" if projection else "")]])
    return rows or [[[unit.layers[-1].param.type.lower()]]]


def _text(layer):
    """A layer in words; none for those that go without saying."""
    param = layer.param
    if param.type in _CONVOLUTIONS:
        return " · ".join([_kernel(layer), *_features(layer)])
    if param.type == "Pooling":
        window = pooling_window(param, layer.bottoms[0])
        name = "max pool" if param.pooling_param.pool == 0 else "average pool"
        if param.pooling_param.global_pooling:
            return f"global {name}"
        return " · ".join([f"{name} {_by(window.kernel)}", *_stride(window)])
    if param.type == "InnerProduct":
        return f"fully connected · {layer.tops[0][-1]}"
    return _NAMES.get(param.type, "")


def _kernel(layer):
    window = convolution_window(layer.param, layer.bottoms[0])
    name = "deconvolution " if layer.param.type == "Deconvolution" else ""
    if window.extent == window.kernel:
        return name + _by(window.kernel)
    return (f"{name}{_by(window.extent)} ({_by(window.kernel)}, dilation "
            f"{max(window.dilation)})")


def _features(layer):
    groups, channels = layer.param.convolution_param.group, layer.bottoms[0][1]
    yield str(layer.tops[0][1])
    if groups > 1:
        yield "depthwise" if groups == channels else f"{groups} groups"
    yield from _stride(convolution_window(layer.param, layer.bottoms[0]))


def _stride(window):
    if max(window.stride) > 1:
        same = len(set(window.stride)) == 1
        yield f"stride {window.stride[0] if same else _by(window.stride)}"


def _rows(layers, branches, placed):
    """A row for each layer, like ones as one, the branches side by side, and one
    for those that are not `placed` where others of the unit are."""
    def kind(layer):
        if placed is not None and layer.param.name not in placed:
            return "gate"
        return "branch" if layer.param.name in branches else _text(layer)

    rows, selected = [], 0
    for text, alike in groupby(layers, kind):
        alike = list(alike)
        if text == "branch":
            selected = len(alike)
            rows.append([[_kernel(layer), " · ".join(_features(layer))]
                         for layer in alike])
        elif text == "gate":
            rows += [[[line]] for line in _gate(alike, selected)]
        else:
            rows.append([[f"{len(alike)} × {text}" if len(alike) > 1 else text]])
    if len(rows) <= _MOST:
        return rows
    kinds = Counter(
        f"{_kernel(layer)} convolution" if layer.param.type in _CONVOLUTIONS
        else _text(layer) for layer in layers)
    return [[[f"{number} × {text}"]] for text, number in kinds.most_common(_MOST)]


def _gate(layers, branches):
    """What the whole image decides, by the numbers of channels."""
    layers = [layer for layer in layers if layer.param.type in _CONVOLUTIONS]
    if layers:
        channels = [layers[0].bottoms[0][1], *(layer.tops[0][1] for layer in layers)]
        if branches:
            channels[-1] = f"{branches} × {channels[-1] // branches}"
        yield ("select: " if branches else "gate: ") + " → ".join(map(str, channels))


def _shortcut(unit, makers, number):
    """Return whether a unit of that many named layers ends in a sum with what it
    begins with, and the convolution that this goes through on the way, if any."""
    sums = [layer.param for layer in unit.layers if layer.param.type == "Axpy"
            or layer.param.type == "Eltwise"
            and layer.param.eltwise_param.operation == 1]
    if not sums or number < 2:
        return False, None
    summands = sums[-1].bottom[1:] if sums[-1].type == "Axpy" else sums[-1].bottom
    for layer in [_source(blob, makers) for blob in summands]:
        if layer is None:
            return True, None
        if layer.param.type in _CONVOLUTIONS \
                and _source(layer.param.bottom[0], makers) is None:
            return True, layer
    return False, None


def _source(blob, makers):
    """The layer in a unit that a blob is from, but for those that only follow."""
    layer = makers.get(blob)
    while layer and layer.param.type in _FOLLOWING:
        layer = makers.get(layer.param.bottom[0])
    return layer


def _branches_of_concat(unit, makers, named):
    """A row of the branches whose results a unit puts side by side, if its first
    named layers are theirs."""
    concats = [layer for layer in unit.layers if layer.param.type == "Concat"]
    if not concats:
        return []
    columns = [[layer for layer in _chain(blob, makers) if _text(layer)]
               for blob in concats[-1].param.bottom]
    first = named[:sum(map(len, columns))]
    if not all(columns) or {layer.param.name for layer in first} != {
            layer.param.name for column in columns for layer in column}:
        return []
    return [[list(map(_text, column)) for column in columns]]


def _chain(blob, makers):
    """The layers of a unit that lead to a blob, by their first bottoms."""
    chain = []
    while blob in makers:
        chain.insert(0, makers[blob])
        blob = chain[0].param.bottom[0] if chain[0].param.bottom else None
    return chain


def _by(sizes):
    return "×".join(map(str, sizes))
