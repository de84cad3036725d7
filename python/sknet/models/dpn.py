"""Dual Path Networks (Chen, Li, Xiao, Jin, Yan, Feng; NIPS 2017)."""
from dataclasses import dataclass

from sknet.data.preprocessing import Preprocessing
from sknet.models.blocks import (add, average_pool, bn_relu, classifier, concat,
                                 conv, conv_bn_relu, pool, slices)
from sknet.models.registry import register

PAPER = "https://arxiv.org/abs/1707.01629"
EPS = 1e-3
# The authors' mean, which they state as RGB, in Caffe's order.
PREPROCESSING = Preprocessing(mean=(104, 117, 124), scale=.0167)


@dataclass(frozen=True)
class Stage:
    """width: channels within a unit.
    outputs: channels of the residual path.
    growth: channels that each unit adds to the densely connected path.
    """
    units: int
    width: int
    outputs: int
    growth: int


def split(graph, bottom, name, channels, stage, stride=1):
    """1x1(bottom), its channels split in two: [of the residual path, `channels`
    more]."""
    top = conv(graph, bottom, name, stage.outputs + channels, stride=stride)
    return slices(graph, top, f"{name}_split", [stage.outputs])


def dual_path(graph, bottom, name, stage, groups, stride):
    """Units `name`1, `name`2, ... of which each gives its two paths in a Concat:

    residual = residual + first part of f
    dense = dense, other part of f     (side by side)
    f = 1x1(BN-ReLU(3x3(BN-ReLU(1x1(BN-ReLU(both paths))))))

    Both begin as parts of 1x1(BN-ReLU(bottom)); there, and in the first unit's
    3x3, is the stride.
    """
    top = bn_relu(graph, bottom, eps=EPS, name=f"{name}1/1x1_proj/bn")
    residual, *dense = split(graph, top, f"{name}1/1x1_proj", 2 * stage.growth,
                             stage, stride)
    for number in range(1, stage.units + 1):
        unit = f"{name}{number}"
        top = bn_relu(graph, bottom, eps=EPS)
        top = conv_bn_relu(graph, top, f"{unit}/1x1_reduce", stage.width, eps=EPS)
        top = conv_bn_relu(graph, top, f"{unit}/3x3", stage.width, kernel=3,
                           stride=stride if number == 1 else 1, group=groups,
                           eps=EPS)
        more, grown = split(graph, top, f"{unit}/1x1_increase", stage.growth, stage)
        residual = add(graph, [residual, more], f"{unit}/sum")
        dense.append(grown)
        bottom = concat(graph, [residual, *dense], unit)
    return bottom


def imagenet(graph, channels, table, groups):
    """A 7x7 convolution of that many channels, a pool, stages of dual path units,
    a pool, the classifier."""
    top = conv_bn_relu(graph, "data", "conv1/7x7_s2", channels, kernel=7, stride=2,
                       eps=EPS)
    top = pool(graph, top, "pool1/3x3_s2", pad=1, round_mode="FLOOR")
    for number, stage in enumerate(table, 2):
        top = dual_path(graph, top, f"conv{number}_", stage, groups,
                        stride=1 if number == 2 else 2)
    return classifier(graph, average_pool(graph, bn_relu(graph, top, eps=EPS)))


@register(paper=PAPER, published=(37.7, 6.50), preprocessing=PREPROCESSING)
def dpn92(graph):
    """DPN-92, 32x3d"""
    return imagenet(graph, 64, [
        Stage(3, 96, 256, growth=16), Stage(4, 192, 512, growth=32),
        Stage(20, 384, 1024, growth=24), Stage(3, 768, 2048, growth=128)],
        groups=32)


@register(paper=PAPER, published=(61.6, 11.70), preprocessing=PREPROCESSING)
def dpn98(graph):
    """DPN-98, 40x4d"""
    return imagenet(graph, 96, [
        Stage(3, 160, 256, growth=16), Stage(6, 320, 512, growth=32),
        Stage(20, 640, 1024, growth=32), Stage(3, 1280, 2048, growth=128)],
        groups=40)
