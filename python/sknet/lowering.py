"""Nets of the same function and other layers, for a Caffe that lacks some.

Each function returns a new NetParameter; layers that it does not know stay as
they are.
"""
from sknet.errors import InputError
from sknet.proto import caffe_pb2
from sknet.shapes import infer


def to_batch_norm_and_scale(net):
    """CuDNNBatchNorm → BatchNorm, and in its place Scale named X/scale."""
    return _rewrite(net, {"CuDNNBatchNorm": _batch_norm_and_scale})


def to_stock(net):
    """Only layers that BVLC's Caffe has.

    CuDNNBatchNorm → BatchNorm, Scale
    Axpy → Reshape of the gate, Scale, Eltwise
    BroadcastProduct → Tile or Reshape of the gate, Eltwise or Scale
    ChannelPooling → Reshape, Pooling, Reshape

    Raises InputError, naming the layer, where there is no such layer.
    """
    shapes = infer(net)
    return _rewrite(net, {
        "CuDNNBatchNorm": _batch_norm_and_scale,
        "Axpy": _axpy,
        "BroadcastProduct": lambda layer: _product(layer, shapes),
        "ChannelPooling": lambda layer: _channel_pooling(layer, shapes),
        "DepthwiseConvolution": _convolution,
        "Interp": _refuse("resizes with aligned corners"),
        "SoftmaxWithLoss": _hard_loss})


def _rewrite(net, rules):
    lowered = caffe_pb2.NetParameter()
    lowered.CopyFrom(net)
    del lowered.layer[:]
    for layer in net.layer:
        lowered.layer.extend(rules.get(layer.type, lambda layer: [layer])(layer))
    return lowered


def _new(name, kind, bottoms, top, like, **fields):
    """A layer in the same phases as the layer `like`."""
    layer = caffe_pb2.LayerParameter(name=name, type=kind, bottom=bottoms,
                                     top=[top], **fields)
    layer.include.extend(like.include)
    layer.exclude.extend(like.exclude)
    return layer


def _refuse(what):
    def rule(layer):
        raise InputError(f"layer {layer.name}: {layer.type} has no equal in BVLC's "
                         f"Caffe, where no layer {what}")
    return rule


def _hard_loss(layer):
    if layer.loss_param.label_smoothing:
        _refuse("smooths labels")(layer)
    return [layer]


def _convolution(layer):
    lowered = caffe_pb2.LayerParameter()
    lowered.CopyFrom(layer)
    lowered.type = "Convolution"
    return [lowered]


def _batch_norm_and_scale(layer):
    own = layer.batch_norm_param
    if layer.HasField("cudnn_batch_norm_param"):
        own = layer.cudnn_batch_norm_param
    top, = layer.top
    norm = _new(layer.name, "BatchNorm", layer.bottom, top, layer,
                param=[dict(lr_mult=0, decay_mult=0)] * 3)
    norm.batch_norm_param.SetInParent()
    if own.HasField("momentum"):
        norm.batch_norm_param.moving_average_fraction = own.momentum
    if own.HasField("eps"):
        norm.batch_norm_param.eps = own.eps
    if own.frozen:
        norm.batch_norm_param.use_global_stats = True
    scale = _new(f"{layer.name}/scale", "Scale", [top], top, layer,
                 param=layer.param[:2], scale_param=dict(bias_term=True))
    if own.HasField("scale_filler"):
        scale.scale_param.filler.CopyFrom(own.scale_filler)
    if own.HasField("bias_filler"):
        scale.scale_param.bias_filler.CopyFrom(own.bias_filler)
    return [norm, scale]


def _scaled(blob, gate, top, like):
    """The layers of blob (N x C x H x W) * gate (N x C x 1 x 1)."""
    flat = f"{top}/gate"
    return [_new(flat, "Reshape", [gate], flat, like,
                 reshape_param=dict(shape=dict(dim=[0, 0]))),
            _new(top, "Scale", [blob, flat], top, like,
                 scale_param=dict(axis=0, bias_term=False))]


def _axpy(layer):
    gate, x, y = layer.bottom
    product = f"{layer.name}/product"
    return [*_scaled(x, gate, product, layer),
            _new(layer.name, "Eltwise", [product, y], layer.top[0], layer,
                 eltwise_param=dict(operation="SUM"))]


def _product(layer, shapes):
    top, = layer.top
    channels = shapes[top][1]
    layers, blobs = [], []
    for index, blob in enumerate(layer.bottom, 1):
        shape = list(shapes[blob])
        if shape[1] != channels:
            tiled = f"{layer.name}/tiled{index}"
            layers.append(_new(tiled, "Tile", [blob], tiled, layer,
                               tile_param=dict(axis=1, tiles=channels)))
            blob, shape[1] = tiled, channels
        blobs.append((shape, blob))
    (small, gate), (large, blob) = sorted(blobs)
    if small == large:
        return [*layers, _new(layer.name, "Eltwise", [blob, gate], top, layer,
                              eltwise_param=dict(operation="PROD"))]
    if small != [*large[:2], 1, 1]:
        raise InputError(f"layer {layer.name}: a product of {small} and {large} is "
                         "not possible with the layers of BVLC's Caffe")
    layers += _scaled(blob, gate, layer.name, layer)
    layers[-1].top[0] = top
    return layers


def _channel_pooling(layer, shapes):
    _, channels, height, width = shapes[layer.bottom[0]]
    rows, pooled = f"{layer.name}/rows", f"{layer.name}/pooled"
    return [
        _new(rows, "Reshape", layer.bottom, rows, layer,
             reshape_param=dict(shape=dict(dim=[0, 1, channels, -1]))),
        _new(pooled, "Pooling", [rows], pooled, layer, pooling_param=dict(
            pool=layer.pooling_param.pool, kernel_h=channels, kernel_w=1)),
        _new(layer.name, "Reshape", [pooled], layer.top[0], layer,
             reshape_param=dict(shape=dict(dim=[0, 1, height, width])))]
