"""Bottleneck Attention Module (Park, Woo, Lee, Kweon; BMVC 2018) in ResNeXt.

As in the authors' code, which multiplies the two attentions where the paper
adds them.
"""
from sknet.models.blocks import (add, batch_norm, conv, global_pool, multiply,
                                 relu)
from sknet.models.bottleneck import DEPTH_50, DEPTH_101, imagenet
from sknet.models.registry import register
from sknet.models.resnext import unit

PAPER = "https://arxiv.org/abs/1807.06514"
REDUCTION = 16


def bam(graph, bottom, name, channels):
    """top = F + F * sigmoid(channel(F) * spatial(F))

    channel: C → C/16 → C of the mean over H, W.
    spatial: 1x1 to C/16, two 3x3 with dilation 4, 1x1 to 1.
    """
    narrow = channels // REDUCTION

    def conv_bn_relu(bottom, part, **options):
        # The authors' convolutions keep their biases, batch norm or not.
        top = conv(graph, bottom, f"{name}/{part}", narrow, bias=True, **options)
        return relu(graph, batch_norm(graph, top))

    channel = global_pool(graph, bottom, f"{name}/channel/global_pool")
    channel = conv_bn_relu(channel, "channel/fc1")
    channel = conv(graph, channel, f"{name}/channel/fc2", channels, bias=True)
    spatial = conv_bn_relu(bottom, "spatial/reduce")
    for number in (1, 2):
        spatial = conv_bn_relu(spatial, f"spatial/3x3d4_{number}", kernel=3,
                               dilation=4)
    spatial = conv(graph, spatial, f"{name}/spatial/final", 1, bias=True)
    gate = graph.layer(f"{name}/product", "BroadcastProduct", channel, spatial)
    gate = graph.layer(f"{name}/sigmoid", "Sigmoid", gate)
    gated = multiply(graph, [bottom, gate], f"{name}/gated")
    return add(graph, [bottom, gated], name)


def imagenet_bam(graph, table):
    """BAM after each stage but the last."""
    def after(graph, bottom, number):
        if number == len(table):
            return bottom
        return bam(graph, bottom, f"bam{number}", table[number - 1].outputs)
    return imagenet(graph, table, unit, after)


@register(paper=PAPER, published=(25.4, 4.31))
def resnext50_bam(graph):
    """ResNeXt-50 with BAM"""
    return imagenet_bam(graph, DEPTH_50)


@register(paper=PAPER, published=(44.6, 8.05))
def resnext101_bam(graph):
    """ResNeXt-101 with BAM"""
    return imagenet_bam(graph, DEPTH_101)
