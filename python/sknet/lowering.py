"""Nets of the same function and other layers, for a Caffe that lacks some.

Each function takes a NetParameter and, if there are any, its Weights, and returns
both anew; layers that it does not know stay as they are.
"""
import numpy as np

from sknet.errors import InputError
from sknet.reshape_free import without_reshapes
from sknet.shapes import infer
from sknet.shapes.layers import shapes_of
from sknet.weights.attached import attach, detach, new_layer
from sknet.weights.blobs import Blob


def to_batch_norm_and_scale(net, weights=None):
    """CuDNNBatchNorm → BatchNorm, and in its place Scale named X/scale."""
    return _rewrite(net, attach(net, weights),
                    {"CuDNNBatchNorm": _batch_norm_and_scale})


def to_stock(net, weights=None, reshape_free=False):
    """Only layers that BVLC's Caffe has.

    CuDNNBatchNorm → BatchNorm, Scale
    Axpy → Flatten of the gate, Scale, Eltwise
    BroadcastProduct → Tile or Flatten of the gate, Eltwise or Scale
    ChannelPooling → Reshape, Pooling, Reshape
    Pooling → without round_mode, which importers do not know, if it matters not

    reshape_free: without Reshape, which importers may not know to 4 axes (see
        sknet.reshape_free).

    Raises InputError, naming the layer, where there is no such layer.
    """
    shapes = infer(net)
    layers = attach(net, weights)
    if reshape_free:
        layers = without_reshapes(layers, shapes)
    net, weights = _rewrite(net, layers, {
        "CuDNNBatchNorm": _batch_norm_and_scale,
        "Axpy": _axpy,
        "BroadcastProduct": lambda layer: _product(layer, shapes),
        "ChannelPooling": lambda layer: _channel_pooling(layer, shapes),
        "DepthwiseConvolution": _convolution,
        "Pooling": lambda layer: _pooling(layer, shapes),
        "AugmentedData": _refuse("rotates images or shifts their colours"),
        "Interp": _refuse("resizes with aligned corners"),
        "SoftmaxWithLoss": _hard_loss})
    if reshape_free:
        for layer in net.layer:
            if layer.type == "Reshape":
                raise InputError(f"layer {layer.name}: a Reshape that cannot be "
                                 "done without")
    return net, weights


def _rewrite(net, layers, rules):
    """A rule makes of a WeightedLayer of its type those in its place."""
    return detach(net, [
        new for layer in layers
        for new in rules.get(layer.param.type, lambda layer: [layer])(layer)])


def _refuse(what):
    def rule(layer):
        raise InputError(f"layer {layer.param.name}: {layer.param.type} has no equal "
                         f"in BVLC's Caffe, where no layer {what}")
    return rule


def _hard_loss(layer):
    if layer.param.loss_param.label_smoothing:
        _refuse("smooths labels")(layer)
    return [layer]


def _convolution(layer):
    layer.param.type = "Convolution"
    return [layer]


def _batch_norm_and_scale(layer):
    like = layer.param
    own = like.batch_norm_param
    if like.HasField("cudnn_batch_norm_param"):
        own = like.cudnn_batch_norm_param
    top, = like.top
    blobs = [Blob(blob.data.reshape(-1)) for blob in layer.blobs]
    factor = [Blob(np.ones(1, blob.data.dtype)) for blob in blobs[:1]]
    norm = new_layer(like.name, "BatchNorm", like.bottom, top, like,
                     blobs[2:] + factor,
                     param=[dict(lr_mult=0, decay_mult=0)] * 3)
    setting = norm.param.batch_norm_param
    setting.SetInParent()
    if own.HasField("momentum"):
        setting.moving_average_fraction = own.momentum
    if own.HasField("eps"):
        setting.eps = own.eps
    if own.frozen:
        setting.use_global_stats = True
    scale = new_layer(f"{like.name}/scale", "Scale", [top], top, like, blobs[:2],
                      param=like.param[:2], scale_param=dict(bias_term=True))
    if own.HasField("scale_filler"):
        scale.param.scale_param.filler.CopyFrom(own.scale_filler)
    if own.HasField("bias_filler"):
        scale.param.scale_param.bias_filler.CopyFrom(own.bias_filler)
    return [norm, scale]


def _scaled(blob, gate, top, like):
    """The layers of blob (N x C x H x W) * gate (N x C x 1 x 1)."""
    flat = f"{top}/gate"
    return [new_layer(flat, "Flatten", [gate], flat, like),
            new_layer(top, "Scale", [blob, flat], top, like,
                      scale_param=dict(axis=0, bias_term=False))]


def _axpy(layer):
    layer = layer.param
    gate, x, y = layer.bottom
    product = f"{layer.name}/product"
    return [*_scaled(x, gate, product, layer),
            new_layer(layer.name, "Eltwise", [product, y], layer.top[0], layer,
                      eltwise_param=dict(operation="SUM"))]


def _product(layer, shapes):
    layer = layer.param
    top, = layer.top
    channels = shapes[top][1]
    layers, blobs = [], []
    for index, blob in enumerate(layer.bottom, 1):
        shape = list(shapes[blob])
        if shape[1] != channels:
            tiled = f"{layer.name}/tiled{index}"
            layers.append(new_layer(tiled, "Tile", [blob], tiled, layer,
                                    tile_param=dict(axis=1, tiles=channels)))
            blob, shape[1] = tiled, channels
        blobs.append((shape, blob))
    (small, gate), (large, blob) = sorted(blobs)
    if small == large:
        layers.append(new_layer(layer.name, "Eltwise", [blob, gate], top, layer,
                                eltwise_param=dict(operation="PROD")))
        return layers
    if small != [*large[:2], 1, 1]:
        raise InputError(f"layer {layer.name}: a product of {small} and {large} is "
                         "not possible with the layers of BVLC's Caffe")
    layers += _scaled(blob, gate, layer.name, layer)
    layers[-1].param.top[0] = top
    return layers


def _channel_pooling(layer, shapes):
    layer = layer.param
    _, channels, height, width = shapes[layer.bottom[0]]
    rows, pooled = f"{layer.name}/rows", f"{layer.name}/pooled"
    return [
        new_layer(rows, "Reshape", layer.bottom, rows, layer,
                  reshape_param=dict(shape=dict(dim=[0, 1, channels, -1]))),
        new_layer(pooled, "Pooling", [rows], pooled, layer, pooling_param=dict(
            pool=layer.pooling_param.pool, kernel_h=channels, kernel_w=1)),
        new_layer(layer.name, "Reshape", [pooled], layer.top[0], layer,
                  reshape_param=dict(shape=dict(dim=[0, 1, height, width])))]


def _pooling(layer, shapes):
    bottoms = [shapes[layer.param.bottom[0]]]
    tops, _ = shapes_of(layer.param, bottoms)
    rounded = layer.param.pooling_param.round_mode
    layer.param.pooling_param.ClearField("round_mode")
    if shapes_of(layer.param, bottoms)[0] != tops:
        layer.param.pooling_param.round_mode = rounded
    return [layer]
