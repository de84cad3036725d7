"""Selective Kernel Networks (Li, Wang, Hu, Yang; CVPR 2019)."""
from sknet.data.preprocessing import Preprocessing
from sknet.models.blocks import classifier, conv_bn_relu, global_pool, pool
from sknet.models.bottleneck import (DEPTH_50, DEPTH_101, Stage, bottleneck,
                                     imagenet, stages)
from sknet.models.registry import CIFAR10, Dataset, Recipe, register
from sknet.models.selective_kernel import Branch, Selection, selective_kernel

PAPER = "https://arxiv.org/abs/1903.06586"


def sk_unit(selection):
    """ResNeXt's bottleneck around a selective kernel convolution."""
    def middle(graph, bottom, name, width, stride):
        return selective_kernel(graph, bottom, name, width, selection, stride)

    def unit(graph, bottom, name, stage, stride, project):
        return bottleneck(graph, bottom, name, stage, middle, stride, project)
    return unit


@register(paper=PAPER, licence="none stated", released="sknet50_basic",
          published=(27.5, 4.47),
          weights="https://drive.google.com/file/d/1EKanqFkqoU3L6vgSLW3GjPciesZ2rrUH",
          selection=Selection())
def sknet50(graph, selection):
    """SKNet-50"""
    return imagenet(graph, DEPTH_50, sk_unit(selection))


# The released weights have 16 in the second stage, where the formula gives 32.
@register(paper=PAPER, licence="none stated", released="sknet101",
          published=(48.9, 8.46),
          weights="https://drive.google.com/file/d/1NEYIYeSXQeinLGU5GH2hf8T6MJytzt0U",
          selection=Selection(exceptions=((256, 16),)))
def sknet101(graph, selection):
    """SKNet-101"""
    return imagenet(graph, DEPTH_101, sk_unit(selection))


@register(paper=PAPER, selection=Selection())
def sknet26(graph, selection):
    """SKNet-26"""
    return imagenet(graph, [Stage(2, 128), Stage(2, 256), Stage(2, 512),
                            Stage(2, 1024)], sk_unit(selection))


@register(paper=PAPER, remark="The paper gives the backbone and 27.7 M parameters, "
          "but neither branches nor r: of the readings tried, this is the nearest. "
          "Caffe's CIFAR-10 LMDBs hold RGB.", dataset=CIFAR10, min_size=32,
          preprocessing=Preprocessing(shorter_side=32, crop=32,
                                      channels="rgb",
                                      mean=(125, 123, 114), scale=1 / 64),
          recipe=Recipe(batch=128, gpu_batch=128, milestones=(150, 225),
                        epochs=300, weight_decay=5e-4),
          selection=Selection((Branch(1, 16), Branch(3, 16)), reduction=32))
def sknet29(graph, selection):
    """SKNet-29, 16x32d (CIFAR, 32x32)"""
    stem = conv_bn_relu(graph, "data", "conv1/3x3", 64, kernel=3)
    top = stages(graph, stem, [Stage(3, 512, expansion=.5),
                               Stage(3, 1024, expansion=.5),
                               Stage(3, 2048, expansion=.5)], sk_unit(selection))
    return classifier(graph, global_pool(graph, top, "avepool"))


DIGITS = Dataset(folder="build/digits", num_classes=10, train_images=40000,
                 val_images=2000, mirror=False,
                 classes=tuple("0123456789"))


@register(paper=PAPER, licence="the repository's", dataset=DIGITS,
          sha1="41c543e2c917df641f5c35438090c5c0f9f873e3",
          preprocessing=Preprocessing(shorter_side=64, crop=64,
                                      mean=(128, 128, 128), scale=1 / 64),
          recipe=Recipe(batch=32, gpu_batch=32, base_lr=0.05,
                        milestones=(3, 4.5), epochs=5, solver_mode="CPU",
                        random_seed=1),
          selection=Selection(min_width=16, branches=(
              Branch(groups=8), Branch(groups=8, dilation=2))))
def sknet_digits(graph, selection):
    """A small SKNet (handwritten digits, 64x64)"""
    stem = conv_bn_relu(graph, "data", "conv1/3x3_s2", 32, kernel=3, stride=2)
    stem = pool(graph, stem, "pool1/3x3_s2")
    top = stages(graph, stem, [Stage(1, 32), Stage(2, 64), Stage(2, 96),
                               Stage(1, 128)], sk_unit(selection))
    return classifier(graph, global_pool(graph, top, "avepool/7x7"))
