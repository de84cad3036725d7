"""Convolutional Block Attention Module (Woo, Park, Lee, Kweon; ECCV 2018) in
ResNeXt."""
from functools import partial

from sknet.models.blocks import (add, concat, conv, conv_bn, global_pool, relu,
                                 slices)
from sknet.models.bottleneck import (DEPTH_50, DEPTH_101, bottleneck, grouped,
                                     imagenet)
from sknet.models.registry import register

PAPER = "https://arxiv.org/abs/1807.06521"
REDUCTION = 16


def cbam(graph, bottom, name, channels):
    """top = F' * spatial gate(F'), F' = F * channel gate(F)

    channel gate: sigmoid(mlp(mean over H, W) + mlp(maximum over H, W)),
        mlp: C → C/16 → C.
    spatial gate: sigmoid(BN(7x7(maximum and mean over the channels))).
    """
    # The mlp is one: both vectors pass through it as the rows of one blob.
    pooled = [global_pool(graph, bottom, f"{name}/{method.lower()}_pool", method)
              for method in ("AVE", "MAX")]
    gate = concat(graph, pooled, f"{name}/pooled", axis=2)
    gate = relu(graph, conv(graph, gate, f"{name}/fc1", channels // REDUCTION,
                            bias=True))
    gate = conv(graph, gate, f"{name}/fc2", channels, bias=True)
    gate = add(graph, slices(graph, gate, f"{name}/fc2_", [1], axis=2),
               f"{name}/channel_sum")
    gate = graph.layer(f"{name}/channel_gate", "Sigmoid", gate)
    bottom = graph.layer(f"{name}/channel", "BroadcastProduct", bottom, gate)

    pooled = [graph.layer(f"{name}/channel_{method.lower()}", "ChannelPooling",
                          bottom, pooling_param=dict(pool=method))
              for method in ("MAX", "AVE")]
    gate = concat(graph, pooled, f"{name}/channel_pooled")
    gate = conv_bn(graph, gate, f"{name}/7x7", 1, kernel=7)
    gate = graph.layer(f"{name}/spatial_gate", "Sigmoid", gate)
    return graph.layer(f"{name}/spatial", "BroadcastProduct", bottom, gate)


def join(graph, bottoms, name, channels):
    """The sum of the unit's result, attended to, and its shortcut."""
    top, shortcut = bottoms
    return add(graph, [cbam(graph, top, f"{name}/cbam", channels), shortcut], name)


def unit(graph, bottom, name, stage, stride, project):
    """ResNeXt's bottleneck with CBAM before the addition."""
    return bottleneck(graph, bottom, name, stage, grouped(32), stride, project,
                      join=partial(join, channels=stage.outputs))


@register(paper=PAPER, published=(27.7, 4.25))
def resnext50_cbam(graph):
    """ResNeXt-50 with CBAM"""
    return imagenet(graph, DEPTH_50, unit)


@register(paper=PAPER, published=(49.2, 8.00))
def resnext101_cbam(graph):
    """ResNeXt-101 with CBAM"""
    return imagenet(graph, DEPTH_101, unit)
