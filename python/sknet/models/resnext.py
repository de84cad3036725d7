"""ResNeXt (Xie, Girshick, Dollár, Tu, He; CVPR 2017), 32x4d."""
from sknet.models.bottleneck import (DEPTH_50, DEPTH_101, bottleneck, grouped,
                                     imagenet)
from sknet.models.registry import register

PAPER = "https://arxiv.org/abs/1611.05431"


def unit(graph, bottom, name, stage, stride, project):
    """A bottleneck around a 3x3 convolution of 32 groups."""
    return bottleneck(graph, bottom, name, stage, grouped(32), stride, project)


@register(paper=PAPER, published=(25.0, 4.24))
def resnext50(graph):
    """ResNeXt-50, 32x4d"""
    return imagenet(graph, DEPTH_50, unit)


@register(paper=PAPER, published=(44.3, 7.99))
def resnext101(graph):
    """ResNeXt-101, 32x4d"""
    return imagenet(graph, DEPTH_101, unit)
