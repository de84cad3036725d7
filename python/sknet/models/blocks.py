"""The pieces that all families are made of.

Each function appends layers to a Graph and returns the name of their output.
Learnable blobs always have their `param`, so that rates can be scaled.
"""
MSRA = dict(type="msra")
GAUSSIAN = dict(type="gaussian", std=0.01)
ZERO = dict(type="constant", value=0)

_WEIGHT = dict(lr_mult=1, decay_mult=1)
_BIAS = dict(lr_mult=2, decay_mult=0)
_NO_DECAY = dict(lr_mult=1, decay_mult=0)
_STATISTIC = dict(lr_mult=0, decay_mult=0)


def conv(graph, bottom, name, channels, kernel=1, stride=1, group=1, dilation=1,
         pad=None, bias=False, filler=MSRA):
    """A convolution.

    kernel: one number, or height and width.
    group: None for one a channel, `channels` being the bottom's (depthwise).
    pad: by default what keeps the size (divided by the stride).
    """
    kind = "Convolution"
    if group is None:
        kind, group = "DepthwiseConvolution", channels
    param = dict(num_output=channels, bias_term=bias, stride=[stride],
                 weight_filler=filler)
    if bias:
        param.update(bias_filler=ZERO)
    if isinstance(kernel, int):
        pad = dilation * (kernel - 1) // 2 if pad is None else pad
        param.update(kernel_size=[kernel])
        if pad > 0:
            param.update(pad=[pad])
    else:
        height, width = kernel
        param.update(kernel_h=height, kernel_w=width)
        if pad is None:
            param.update(pad_h=(height - 1) // 2, pad_w=(width - 1) // 2)
    if group > 1:
        param.update(group=group)
    if dilation > 1:
        param.update(dilation=[dilation])
    return graph.layer(name, kind, bottom,
                       param=[_WEIGHT, _BIAS] if bias else [_WEIGHT],
                       convolution_param=param)


def batch_norm(graph, bottom, eps=None, name=None):
    """CuDNNBatchNorm, not in place: blobs scale, bias, mean, variance."""
    param = dict(frozen=False, momentum=0.95,
                 scale_filler=dict(type="constant", value=1), bias_filler=ZERO)
    if eps:
        param.update(eps=eps)
    return graph.layer(
        name or f"{bottom}/bn", "CuDNNBatchNorm", bottom,
        param=[_NO_DECAY, _NO_DECAY, _STATISTIC, _STATISTIC],
        batch_norm_param=param)


def relu(graph, bottom, name=None):
    """ReLU, in place."""
    return graph.layer(name or f"{bottom}/relu", "ReLU", bottom, tops=[bottom])


def conv_bn(graph, bottom, name, channels, eps=None, **options):
    """conv → batch norm"""
    return batch_norm(graph, conv(graph, bottom, name, channels, **options), eps)


def conv_bn_relu(graph, bottom, name, channels, **options):
    """conv → batch norm → ReLU"""
    return relu(graph, conv_bn(graph, bottom, name, channels, **options),
                f"{name}/relu")


def bn_relu(graph, bottom, **options):
    """batch norm → ReLU, ahead of a convolution (pre-activation)"""
    return relu(graph, batch_norm(graph, bottom, **options))


def reshape(graph, bottom, name, *dims, **fields):
    """Reshape; a dim of 0 is the bottom's, -1 is what is left.

    fields: axis and num_axes of what the dims replace, by default all.
    """
    return graph.layer(name, "Reshape", bottom,
                       reshape_param=dict(shape=dict(dim=dims), **fields))


def concat(graph, bottoms, name, axis=1):
    """Blobs side by side, by default their channels."""
    param = dict(concat_param=dict(axis=axis)) if axis != 1 else {}
    return graph.layer(name, "Concat", *bottoms, **param)


def slices(graph, bottom, name, points, axis=1):
    """The parts of a blob, cut at `points`: `name`1, `name`2, ..."""
    tops = [f"{name}{number}" for number in range(1, len(points) + 2)]
    graph.layer(name, "Slice", bottom, tops=tops,
                slice_param=dict(axis=axis, slice_point=points))
    return tops


def add(graph, bottoms, name, coeff=()):
    """The sum of blobs of one shape, each times its `coeff` if these are given."""
    return graph.layer(name, "Eltwise", *bottoms,
                       eltwise_param=dict(operation="SUM", coeff=coeff))


def multiply(graph, bottoms, name):
    """The product of blobs of one shape."""
    return graph.layer(name, "Eltwise", *bottoms,
                       eltwise_param=dict(operation="PROD"))


def pool(graph, bottom, name, method="MAX", kernel=3, stride=2, **fields):
    """Pooling. Caffe rounds sizes up, unless round_mode="FLOOR"."""
    param = dict(pool=method, kernel_size=kernel, **fields)
    if stride > 1:
        param.update(stride=stride)
    return graph.layer(name, "Pooling", bottom, pooling_param=param)


def global_pool(graph, bottom, name, method="AVE"):
    """The mean or maximum of each channel: N x C x H x W → N x C x 1 x 1."""
    # SENet's fast global pooling on the GPU is part of Caffe's engine.
    return graph.layer(name, "Pooling", bottom, pooling_param=dict(
        pool=method, engine="CAFFE", global_pooling=True))


def average_pool(graph, bottom, name="avepool/7x7", window=7):
    """The mean of the last features, under the published name: in the fixed
    window that was published, or global."""
    if graph.global_pool:
        return global_pool(graph, bottom, name)
    return graph.layer(name, "Pooling", bottom, pooling_param=dict(
        pool="AVE", kernel_size=window, stride=1))


def dropout(graph, bottom, name, ratio):
    """Dropout, in place."""
    return graph.layer(name, "Dropout", bottom, tops=[bottom],
                       dropout_param=dict(dropout_ratio=ratio))


def classifier(graph, bottom):
    """`classifier`: a fully connected layer to the classes' scores."""
    return graph.layer(
        "classifier", "InnerProduct", bottom, param=[_WEIGHT, _BIAS],
        inner_product_param=dict(
            num_output=graph.num_classes, weight_filler=GAUSSIAN,
            bias_filler=ZERO))
