"""Inception-ResNet-v2 (Szegedy, Ioffe, Vanhoucke, Alemi; AAAI 2017).

As in the authors' TensorFlow code, which differs from the paper: it begins as
Inception-v3 does, its units are wider, and so is the last layer.
"""
from sknet.models.blocks import add, conv, relu
from sknet.models.inception import (MIN_SIZE, PREPROCESSING, Conv, head,
                                    inception, max_pool, mean_pool, stem)
from sknet.models.registry import register

STEM_3 = [
    [Conv("1x1", 96)],
    [Conv("5x5_reduce", 48), Conv("5x5", 64)],
    [Conv("3x3_reduce", 64), Conv("3x3_1", 96), Conv("3x3_2", 96)],
    [mean_pool, Conv("pool_proj", 64)]]

A = [
    [Conv("1x1", 32)],
    [Conv("3x3_reduce", 32), Conv("3x3", 32)],
    [Conv("3x3_2_reduce", 32), Conv("3x3_2", 48), Conv("3x3_3", 64)]]

REDUCTION_A = [
    [Conv("3x3", 384, stride=2)],
    [Conv("3x3_reduce", 256), Conv("3x3_1", 256), Conv("3x3_2", 384, stride=2)],
    [max_pool]]

B = [
    [Conv("1x1", 192)],
    [Conv("1x7_reduce", 128), Conv("1x7", 160), Conv("7x1", 192)]]

REDUCTION_B = [
    [Conv("3x3_reduce", 256), Conv("3x3", 384, stride=2)],
    [Conv("3x3_2_reduce", 256), Conv("3x3_2", 288, stride=2)],
    [Conv("3x3_3_reduce", 256), Conv("3x3_3", 288), Conv("3x3_4", 320, stride=2)],
    [max_pool]]

C = [
    [Conv("1x1", 192)],
    [Conv("1x3_reduce", 192), Conv("1x3", 224), Conv("3x1", 256)]]


def residual(graph, bottom, name, branches, channels, scale):
    """top = bottom + scale * 1x1(the branches side by side)

    channels: of bottom.
    """
    top = inception(graph, bottom, name, branches, f"{name}/concat")
    top = conv(graph, top, f"{name}/up", channels, bias=True)
    return add(graph, [bottom, top], name, coeff=[1, scale])


def residuals(graph, bottom, name, branches, channels, scale, times):
    """Units `name`1, `name`2, ... of residual → ReLU in a row."""
    for number in range(1, times + 1):
        bottom = relu(graph, residual(graph, bottom, f"{name}{number}", branches,
                                      channels, scale))
    return bottom


@register(paper="https://arxiv.org/abs/1602.07261", published=(55.0, 13.22),
          preprocessing=PREPROCESSING, min_size=MIN_SIZE)
def inception_resnet_v2(graph):
    """Inception-ResNet-v2"""
    top = inception(graph, stem(graph), "stem3", STEM_3)
    top = residuals(graph, top, "inception_a", A, 320, scale=.17, times=10)
    top = inception(graph, top, "reduction_a", REDUCTION_A)
    top = residuals(graph, top, "inception_b", B, 1088, scale=.1, times=20)
    top = inception(graph, top, "reduction_b", REDUCTION_B)
    top = residuals(graph, top, "inception_c", C, 2080, scale=.2, times=9)
    top = residual(graph, top, "inception_c10", C, 2080, scale=1)
    return head(graph, Conv("1x1", 1536)(graph, top, "conv7"))
