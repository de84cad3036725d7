"""Batch norm folded into the layers before it, for nets that are deployed.

At test time CuDNNBatchNorm, BatchNorm and Scale are y = a x + b with an a and a b
for each channel, and so is what a convolution's weights and bias do last.
"""
import numpy as np

from sknet.deploy import to_deploy
from sknet.errors import InputError
from sknet.shapes import infer
from sknet.shapes.checks import axis_of
from sknet.weights.attached import attach, detach, new_layer
from sknet.weights.blobs import Blob

# Types that do nothing at test time.
IDENTITIES = ("Dropout", "Split")


def fold(net, weights):
    """Return (net, weights) of the same function without batch norm: the deploy
    net of a NetParameter (see sknet.deploy), and its Weights.

    A batch norm goes into the Convolution, DepthwiseConvolution, Deconvolution,
    InnerProduct or Scale before it if no other layer reads what that gives, and
    otherwise becomes a Scale. All values are computed in double precision.
    Layers that change no longer share their blobs with others.

    Raises InputError if the weights do not fit, or a variance is negative.
    """
    net = to_deploy(net)
    shapes = infer(net)
    layers = _without_identities(attach(net, weights))
    layers = [_as_scale(layer) for layer in layers]
    index = 0
    while index < len(layers):
        before = _maker(layers, index)
        if before and _takes(before, shapes) \
                and _is_affine(layers[index], shapes):
            _merge(before, layers.pop(index))
        else:
            index += 1
    return detach(net, [_single(layer) for layer in layers])


def _without_identities(layers):
    kept = []
    for index, layer in enumerate(layers):
        readers = {top: _readers(layers, index, top) for top in layer.param.top}
        # A result of the net keeps its name, so that one stays.
        if layer.param.type not in IDENTITIES or not all(
                readers[top] or top in layer.param.bottom for top in readers):
            kept.append(layer)
            continue
        bottom, = layer.param.bottom
        for top in readers:
            for reader in readers[top]:
                reader.param.bottom[:] = [bottom if name == top else name
                                          for name in reader.param.bottom]
    return kept


def _readers(layers, index, top):
    """The layers that read a top as layer `index` gives it: up to the one that
    changes it in place."""
    found = []
    for layer in layers[index + 1:]:
        if top in layer.param.bottom:
            found.append(layer)
        if top in layer.param.top:
            break
    return found


def _maker(layers, index):
    """The layer before `index` that its one bottom comes from, if no other layer
    reads that; else None."""
    bottoms = layers[index].param.bottom
    if len(bottoms) != 1:
        return None
    for before in reversed(range(index)):
        if bottoms[0] in layers[before].param.top:
            alone = len(_readers(layers, before, bottoms[0])) == 1
            return layers[before] if alone else None
    return None


def _as_scale(layer):
    """A batch norm as Scale, in doubles; any other layer as it is."""
    param = layer.param
    values = [blob.data.astype(float).reshape(-1) for blob in layer.blobs]
    if param.type == "CuDNNBatchNorm":
        scale, bias, mean, variance = values
        setting = param.batch_norm_param
        if param.HasField("cudnn_batch_norm_param"):
            setting = param.cudnn_batch_norm_param
    elif param.type == "BatchNorm" and _uses_stored(param):
        mean, variance, (factor,) = values
        factor = 1 / factor if factor else 0
        mean, variance = mean * factor, variance * factor
        scale, bias, setting = 1, 0, param.batch_norm_param
    else:
        return layer
    if not (variance + setting.eps > 0).all():
        raise InputError(f"layer {param.name}: a variance of {variance.min():g}; "
                         "expected 0 or more")
    scale = scale / np.sqrt(variance + setting.eps)
    bias = bias - mean * scale
    return new_layer(param.name, "Scale", param.bottom, param.top[0], param,
                     [Blob(scale), Blob(bias)],
                     scale_param=dict(bias_term=True))


def _uses_stored(param):
    """Whether a BatchNorm normalises with its stored statistics, not those of
    the batch, at test time."""
    return not param.batch_norm_param.HasField("use_global_stats") \
        or param.batch_norm_param.use_global_stats


def _is_affine(layer, shapes):
    """Whether it is a Scale with a factor for each channel."""
    setting = layer.param.scale_param
    return layer.param.type == "Scale" and setting.num_axes == 1 \
        and axis_of(shapes[layer.param.bottom[0]], setting.axis) == 1


def _takes(layer, shapes):
    """Whether a layer's blobs can take up an affine map of its top's channels."""
    param = layer.param
    if len(param.bottom) != 1:
        return False
    top, bottom = shapes[param.top[0]], shapes[param.bottom[0]]
    if param.type in ("Convolution", "DepthwiseConvolution", "Deconvolution"):
        return axis_of(bottom, param.convolution_param.axis) == 1
    if param.type == "InnerProduct":
        return len(top) == 2
    return _is_affine(layer, shapes)


def _merge(layer, affine):
    """Make a layer compute what an affine one makes of its top."""
    scale, *added = (blob.data.astype(float) for blob in affine.blobs)
    weights, *bias = (blob.data.astype(float) for blob in layer.blobs)
    bias = sum(added, start=sum(value * scale for value in bias))
    setting = {"InnerProduct": "inner_product_param",
               "Scale": "scale_param"}.get(layer.param.type, "convolution_param")
    setting = getattr(layer.param, setting)
    layer.blobs = [Blob(_scaled(weights, scale, layer.param))]
    setting.bias_term = bool(np.any(bias))
    if setting.bias_term:
        layer.blobs.append(Blob(bias))
    del layer.param.param[:]
    layer.param.top[:] = affine.param.top


def _scaled(weights, scale, param):
    """A layer's weights for outputs that are `scale` times what they were."""
    if param.type == "InnerProduct" and param.inner_product_param.transpose:
        return weights * scale
    if param.type == "Deconvolution":
        # Inputs x outputs of a group: each group's rows have other outputs.
        groups = param.convolution_param.group
        parts = weights.reshape(groups, -1, *weights.shape[1:])
        factors = scale.reshape(groups, 1, -1, *[1] * (weights.ndim - 2))
        return (parts * factors).reshape(weights.shape)
    return weights * scale.reshape(-1, *[1] * (weights.ndim - 1))


def _single(layer):
    """The layer with blobs as Caffe's nets have them."""
    layer.blobs = [Blob(blob.data.astype(np.float32, copy=False))
                   for blob in layer.blobs]
    return layer
