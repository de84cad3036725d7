"""Residual Attention Networks (Wang, Jiang, Qian, Yang, Li, Zhang, Wang, Tang;
CVPR 2017).

Layers have the names of the authors' prototxts, so that their weights fit. Those
exist twice, with TanH in the masks and with the paper's sigmoid, as here.
"""
from dataclasses import dataclass
from typing import Callable

from sknet.models.blocks import (add, average_pool, batch_norm, bn_relu,
                                 classifier, conv, conv_bn, multiply, pool, relu)
from sknet.models.bottleneck import Stage
from sknet.models.registry import register

PAPER = "https://arxiv.org/abs/1704.06904"


def branch(graph, bottom, name, stage, stride, groups=1):
    """top = 1x1(BN-ReLU(3x3(BN-ReLU(1x1(bottom)))))"""
    top = bn_relu(graph, conv(graph, bottom, f"{name}/conv1_1x1", stage.width))
    top = bn_relu(graph, conv(graph, top, f"{name}/conv2_3x3", stage.width,
                              kernel=3, stride=stride, group=groups))
    return conv(graph, top, f"{name}/conv3_1x1", stage.outputs)


def preactivated_unit(graph, bottom, name, stage, stride=1, project=False):
    """top = branch(x) + shortcut, x = BN-ReLU(bottom)
    shortcut = 1x1(x) if `project`, else bottom
    """
    x = bn_relu(graph, bottom)
    top = branch(graph, x, f"{name}/branch1", stage, stride)
    if project:
        bottom = conv(graph, x, f"{name}/branch2/conv1_1x1", stage.outputs,
                      stride=stride)
    return add(graph, [top, bottom], name)


def resnext_unit(graph, bottom, name, stage, stride=1, project=False):
    """top = ReLU(BN(branch(bottom)) + shortcut), the 3x3 in 32 groups
    shortcut = BN(1x1(bottom)) if `project`, else bottom
    """
    top = branch(graph, bottom, f"{name}/branch1", stage, stride, groups=32)
    top = batch_norm(graph, top)
    if project:
        bottom = conv_bn(graph, bottom, f"{name}/branch2/conv1_1x1",
                         stage.outputs, stride=stride)
    return relu(graph, add(graph, [top, bottom], name), f"{name}/relu")


@dataclass(frozen=True)
class Family:
    """Where Attention and AttentionNeXt differ.

    unit: function (graph, bottom, name, stage, stride=, project=) → top.
    activated: function (graph, units' result) → what a convolution outside of
        units gets.
    down, up, product: parts of layers' names.
    """
    unit: Callable
    activated: Callable
    down: str
    up: str
    product: str


ATTENTION = Family(preactivated_unit, bn_relu, "down_sample", "up_sample",
                   "_residual")
ATTENTION_NEXT = Family(resnext_unit, lambda graph, top: top, "down", "up",
                        "/attention_residual")


def hourglass(graph, bottom, name, stage, family, depth, level=1):
    """Down by a pool and up again to the size of `bottom`, with an hourglass
    between the two until there are `depth`; top has the shape of `bottom`."""
    def unit(bottom, part):
        return family.unit(graph, bottom, f"{name}/{part}", stage)

    down, up = family.down, family.up
    top = pool(graph, bottom, f"{name}/{down}/pool{level}_3x3_s2")
    top = unit(top, f"{down}/res{level}_1")
    if level == depth:
        top = unit(top, f"{down}/res{level}_2")
    else:
        inner = hourglass(graph, top, name, stage, family, depth, level + 1)
        skip = unit(top, f"skip/res{level}")
        top = add(graph, [skip, inner], f"{name}/{up}{level}")
        top = unit(top, f"{up}/res{level}_1")
    return graph.layer(f"{name}/{up}/interp_{level}", "Interp", top, bottom)


def attention(graph, bottom, name, stage, family, depth):
    """top = unit((1 + M) * T), T = three units of bottom
    M = sigmoid(1x1(BN-ReLU(1x1(hourglass(first of the three)))))
    """
    first = family.unit(graph, bottom, f"{name}/trunk/res1", stage)
    trunk = family.unit(graph, first, f"{name}/trunk/res2", stage)
    trunk = family.unit(graph, trunk, f"{name}/trunk/res3", stage)
    mask = hourglass(graph, first, f"{name}/mask", stage, family, depth)
    mask = family.activated(graph, mask)
    mask = conv(graph, mask, f"{name}/mask/linear_1", stage.outputs)
    mask = conv(graph, bn_relu(graph, mask), f"{name}/mask/linear_2",
                stage.outputs)
    mask = graph.layer(f"{name}/mask", "Sigmoid", mask)
    product = multiply(graph, [trunk, mask], f"{name}{family.product}")
    top = add(graph, [product, trunk], f"{name}/fusion")
    return family.unit(graph, top, name, stage)


def imagenet(graph, table, family):
    """A 7x7 convolution, a pool, the stages, a pool, the classifier.

    table: stages, whose `units` are attention modules that follow a residual
        unit; in the last, residual units.
    """
    top = bn_relu(graph, conv(graph, "data", "conv1", 64, kernel=7, stride=2))
    top = pool(graph, top, "pool1_3x3_s2")
    *modules, last = table
    for number, (letter, stage) in enumerate(zip("ABC", modules), 1):
        top = family.unit(graph, top, f"pre_res_{number}", stage, project=True,
                          stride=1 if number == 1 else 2)
        for index in range(1, stage.units + 1):
            top = attention(graph, top, f"Attention{letter}_{index}", stage,
                            family, depth=4 - number)
    for index in range(1, last.units + 1):
        top = family.unit(graph, top, f"post_res_4_{index}", last,
                          project=index == 1, stride=2 if index == 1 else 1)
    top = family.activated(graph, top)
    return classifier(graph, average_pool(graph, top, "ave_pool"))


# Its figures are those that SKNet's table 2 has for AttentionNeXt-56.
@register(paper=PAPER)
def attention56(graph):
    """Attention-56"""
    return imagenet(graph, [Stage(1, 64, 4), Stage(1, 128, 4), Stage(1, 256, 4),
                            Stage(3, 512, 4)], ATTENTION)


@register(paper=PAPER, published=(31.9, 6.32))
def attentionnext56(graph):
    """AttentionNeXt-56, 32x4d"""
    return imagenet(graph, [Stage(1, 128), Stage(1, 256), Stage(1, 512),
                            Stage(3, 1024)], ATTENTION_NEXT)


@register(paper=PAPER, published=(51.3, 10.43))
def attention92(graph):
    """Attention-92"""
    return imagenet(graph, [Stage(1, 64, 4), Stage(2, 128, 4), Stage(3, 256, 4),
                            Stage(3, 512, 4)], ATTENTION)
