"""Selective Kernel Networks (Li, Wang, Hu, Yang; CVPR 2019)."""
from dataclasses import dataclass

from sknet.data.preprocessing import Preprocessing
from sknet.models.blocks import (Branch, average_pool, classifier, conv_bn_relu,
                                 max_pool, sk_unit)
from sknet.models.registry import Dataset, Recipe, register

PAPER = "https://arxiv.org/abs/1903.06586"


@dataclass(frozen=True)
class Stage:
    """units: SK units, the first of which projects its shortcut and, but for
    the first stage, has stride 2.
    width: channels within a unit, half of its outputs.
    squeezed: outputs of a unit's B_fc1; the paper's max(width / 16, 32)."""
    units: int
    width: int
    squeezed: int


def stages(graph, bottom, table, groups):
    """SK units conv2_1, conv2_2, ..., conv3_1, ... with a 3x3 kernel and a 5x5
    one (as a 3x3 with dilation 2), then the classifier."""
    branches = [Branch(groups), Branch(groups, dilation=2)]
    for number, stage in enumerate(table, 2):
        for unit in range(1, stage.units + 1):
            bottom = sk_unit(
                graph, bottom, f"conv{number}_{unit}", stage.width,
                stage.squeezed, branches, stride=2 if unit == 1 < number - 1 else 1,
                project=unit == 1)
    return classifier(graph, average_pool(graph, bottom))


def imagenet(graph, table):
    """The paper's table 1: a 7x7 convolution, a pool, four stages."""
    stem = conv_bn_relu(graph, "data", "conv1/7x7_s2", 64, kernel=7, stride=2)
    return stages(graph, max_pool(graph, stem, "pool1/3x3_s2"), table, groups=32)


@register(paper=PAPER, licence="none stated", released="sknet50_basic")
def sknet50(graph):
    """SKNet-50 (ImageNet)"""
    return imagenet(graph, [Stage(3, 128, 32), Stage(4, 256, 32),
                            Stage(6, 512, 32), Stage(3, 1024, 64)])


@register(paper=PAPER, licence="none stated", released="sknet101")
def sknet101(graph):
    """SKNet-101 (ImageNet)"""
    # The released weights have 16 in the second stage, where the paper has 32.
    return imagenet(graph, [Stage(3, 128, 32), Stage(4, 256, 16),
                            Stage(23, 512, 32), Stage(3, 1024, 64)])


DIGITS = Dataset(folder="build/digits", num_classes=10, train_images=40000,
                 val_images=2000, mirror=False,
                 classes=tuple("0123456789"))


@register(paper=PAPER, licence="the repository's", dataset=DIGITS,
          preprocessing=Preprocessing(shorter_side=64, crop=64,
                                      mean=(128, 128, 128), scale=1 / 64),
          recipe=Recipe(batch=32, gpu_batch=32, base_lr=0.05,
                        milestones=(3, 4.5), epochs=5, solver_mode="CPU",
                        random_seed=1))
def sknet_digits(graph):
    """A small SKNet (handwritten digits, 64x64)"""
    stem = conv_bn_relu(graph, "data", "conv1/3x3_s2", 32, kernel=3, stride=2)
    stem = max_pool(graph, stem, "pool1/3x3_s2")
    return stages(graph, stem, [Stage(1, 32, 16), Stage(2, 64, 16),
                                Stage(2, 96, 16), Stage(1, 128, 16)], groups=8)
