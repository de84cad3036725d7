"""The pieces that SKNets are made of.

Each function appends layers to a Graph and returns the name of their output.
Layers are named and ordered as the authors released them, since weights find
their layers by name.
"""
from dataclasses import dataclass

MSRA = dict(type="msra")
GAUSSIAN = dict(type="gaussian", std=0.01)

_WEIGHT = dict(lr_mult=1, decay_mult=1)
_NO_DECAY = dict(lr_mult=1, decay_mult=0)
_STATISTIC = dict(lr_mult=0, decay_mult=0)


def conv(graph, bottom, name, channels, kernel=1, stride=1, group=1, dilation=1,
         filler=MSRA):
    """A convolution without bias that keeps the size (divided by stride)."""
    param = dict(num_output=channels, bias_term=False, kernel_size=[kernel],
                 stride=[stride], weight_filler=filler)
    if kernel > 1:
        param.update(pad=[dilation * (kernel - 1) // 2])
    if group > 1:
        param.update(group=group)
    if dilation > 1:
        param.update(dilation=[dilation])
    return graph.layer(name, "Convolution", bottom, param=[_WEIGHT],
                       convolution_param=param)


def batch_norm(graph, bottom):
    """CuDNNBatchNorm, not in place: blobs scale, bias, mean, variance."""
    return graph.layer(
        f"{bottom}/bn", "CuDNNBatchNorm", bottom,
        param=[_NO_DECAY, _NO_DECAY, _STATISTIC, _STATISTIC],
        batch_norm_param=dict(
            frozen=False, momentum=0.95,
            scale_filler=dict(type="constant", value=1),
            bias_filler=dict(type="constant", value=0)))


def relu(graph, bottom, name):
    """ReLU, in place."""
    return graph.layer(name, "ReLU", bottom, tops=[bottom])


def conv_bn(graph, bottom, name, channels, **options):
    """conv → batch norm"""
    return batch_norm(graph, conv(graph, bottom, name, channels, **options))


def conv_bn_relu(graph, bottom, name, channels, **options):
    """conv → batch norm → ReLU"""
    return relu(graph, conv_bn(graph, bottom, name, channels, **options),
                f"{name}/relu")


def reshape(graph, bottom, name, *dims):
    """Reshape; a dim of 0 is the bottom's, -1 is what is left."""
    return graph.layer(name, "Reshape", bottom,
                       reshape_param=dict(shape=dict(dim=dims)))


def add(graph, bottoms, name):
    """The sum of blobs of one shape."""
    return graph.layer(name, "Eltwise", *bottoms,
                       eltwise_param=dict(operation="SUM"))


def max_pool(graph, bottom, name):
    """3x3 maximum, stride 2, no padding: Caffe rounds the size up."""
    return graph.layer(name, "Pooling", bottom, pooling_param=dict(
        pool="MAX", kernel_size=3, stride=2))


def global_pool(graph, bottom, name):
    """The mean over each channel: N x C x H x W → N x C x 1 x 1."""
    # SENet's fast global pooling on the GPU is part of Caffe's engine.
    return graph.layer(name, "Pooling", bottom, pooling_param=dict(
        pool="AVE", engine="CAFFE", global_pooling=True))


@dataclass(frozen=True)
class Branch:
    """A kernel to select from: 3x3, grouped, dilated."""
    groups: int
    dilation: int = 1

    @property
    def suffix(self):
        dilated = f"d{self.dilation}" if self.dilation > 1 else ""
        return f"3x3g{self.groups}{dilated}"


def selective_kernel(graph, bottom, name, width, squeezed, branches, stride):
    """The selective kernel convolution (the paper's section 3.1) of two
    branches, of C = `width` channels.

    Split:  U0 = branch 0 (bottom), U1 = branch 1 (bottom), each conv-BN-ReLU
    Fuse:   s = mean over H, W of (U0 + U1)
            z = ReLU(BN(fc1 s)), of `squeezed` values
    Select: a, b = softmax over the branches of fc2 z, C values each
            top = b * U1 + a * U0       (Scale gives a * U0, Axpy the rest)
    """
    tops = [conv_bn_relu(graph, bottom, f"{name}/{branch.suffix}", width,
                         kernel=3, stride=stride, group=branch.groups,
                         dilation=branch.dilation)
            for branch in branches]
    fused = add(graph, tops, f"{name}_3x3")
    z = global_pool(graph, fused, f"{name}/B_global_pool")
    z = conv_bn_relu(graph, z, f"{name}/B_fc1", squeezed, filler=GAUSSIAN)
    z = conv(graph, z, f"{name}/B_fc2", 2 * width, filler=GAUSSIAN)
    z = reshape(graph, z, f"{name}/B_re", 0, 2, -1, 0)
    z = graph.layer(f"{name}/B_softmax", "Softmax", z, softmax_param=dict(axis=1))
    slices = [f"{name}/B_slice0_", f"{name}/B_slice1_"]
    graph.layer(f"{name}/B_slice", "Slice", z, tops=slices,
                slice_param=dict(axis=1, slice_point=[1]))
    b = reshape(graph, slices[1], f"{name}/B_slice1", 0, width, -1, 0)
    a = reshape(graph, slices[0], f"{name}/B_slice0", 0, width, -1, 0)
    a = reshape(graph, a, f"{name}/B_w0/reshape", 0, 0)
    scaled = graph.layer(f"{name}/scale", "Scale", tops[0], a,
                         scale_param=dict(axis=0, bias_term=False))
    return graph.layer(f"{name}/B_axpy", "Axpy", b, tops[1], scaled)


def sk_unit(graph, bottom, name, width, squeezed, branches, stride, project):
    """SK unit: ResNeXt's bottleneck around a selective kernel convolution.

    top = ReLU(BN(1x1(selective kernel(conv-BN-ReLU 1x1(bottom)))) + shortcut)
    shortcut = BN(1x1, stride(bottom)) if `project`, else bottom

    `width` channels within, twice as many out.
    """
    top = conv_bn_relu(graph, bottom, f"{name}/1x1_reduce", width)
    top = selective_kernel(graph, top, name, width, squeezed, branches, stride)
    top = conv_bn(graph, top, f"{name}/1x1_increase", 2 * width)
    if project:
        bottom = conv_bn(graph, bottom, f"{name}/1x1_proj", 2 * width,
                         stride=stride)
    top = add(graph, [top, bottom], name)
    return relu(graph, top, f"{name}/relu")


def average_pool(graph, bottom):
    """`avepool/7x7`: the mean of the last features. A fixed window at 224, as
    released, and under the same name a global pool at any other size."""
    if graph.size != 224:
        return global_pool(graph, bottom, "avepool/7x7")
    return graph.layer("avepool/7x7", "Pooling", bottom, pooling_param=dict(
        pool="AVE", kernel_size=7, stride=1))


def classifier(graph, bottom):
    """`classifier`: a fully connected layer to the classes' scores."""
    return graph.layer(
        "classifier", "InnerProduct", bottom,
        param=[_WEIGHT, dict(lr_mult=2, decay_mult=0)],
        inner_product_param=dict(
            num_output=graph.num_classes, weight_filler=GAUSSIAN,
            bias_filler=dict(type="constant", value=0)))
