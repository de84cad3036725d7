"""Squeeze-and-Excitation Networks (Hu, Shen, Sun; CVPR 2018): SE-ResNeXt.

Layers have the released models' names: with `bn="caffe"` the authors'
SE-ResNeXt-50 and -101 caffemodels load.
"""
from functools import partial

from sknet.models.blocks import conv, global_pool, relu
from sknet.models.bottleneck import (DEPTH_50, DEPTH_101, bottleneck, grouped,
                                     imagenet)
from sknet.models.registry import RECIPES, register

PAPER = "https://arxiv.org/abs/1709.01507"
LICENCE = "none stated"
REMARK = "The published weights fit what `--bn caffe` generates."


def excite(graph, bottoms, name, channels):
    """top = gate * increased + shortcut, for bottoms [increased, shortcut]
    gate = sigmoid(up(ReLU(down(mean over H, W of increased)))): C → C/16 → C
    """
    increased, shortcut = bottoms
    gate = global_pool(graph, increased, f"{name}_global_pool")
    gate = conv(graph, gate, f"{name}_1x1_down", channels // 16, bias=True)
    gate = relu(graph, gate)
    gate = conv(graph, gate, f"{name}_1x1_up", channels, bias=True)
    gate = graph.layer(f"{name}_prob", "Sigmoid", gate)
    return graph.layer(name, "Axpy", gate, increased, shortcut)


def unit(graph, bottom, name, stage, stride, project):
    """ResNeXt's bottleneck, its result gated before the addition."""
    return bottleneck(graph, bottom, name, stage, grouped(32, "{}_"), stride,
                      project, join=partial(excite, channels=stage.outputs),
                      prefix="{}_")


@register(paper=PAPER, licence=LICENCE, published=(27.7, 4.25),
          recipe=RECIPES["senet"], remark=REMARK,
          weights="https://drive.google.com/file/d/0BwHV3BlNKkWlQ2Z0Q204V1RITjA")
def senet50(graph):
    """SENet-50 (SE-ResNeXt-50, 32x4d)"""
    return imagenet(graph, DEPTH_50, unit, pool5="pool5/7x7_s1")


@register(paper=PAPER, licence=LICENCE, published=(49.2, 8.00),
          recipe=RECIPES["senet"], remark=REMARK,
          weights="https://drive.google.com/file/d/0BwHV3BlNKkWleklsNzBiZlprblk")
def senet101(graph):
    """SENet-101 (SE-ResNeXt-101, 32x4d)"""
    return imagenet(graph, DEPTH_101, unit, pool5="pool5/7x7_s1")
