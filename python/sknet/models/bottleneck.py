"""The trunk that ResNeXt (Xie et al. 2017), SENet, BAM, CBAM and SKNet share:
stages of bottleneck units."""
from dataclasses import dataclass

from sknet.models.blocks import (add, average_pool, classifier, conv_bn,
                                 conv_bn_relu, pool, relu)


@dataclass(frozen=True)
class Stage:
    """units: the first projects its shortcut and, but for the first stage, has
    stride 2.
    width: channels within a unit.
    expansion: channels that a unit gives, as a multiple of its width.
    """
    units: int
    width: int
    expansion: float = 2

    @property
    def outputs(self):
        return int(self.width * self.expansion)


def bottleneck(graph, bottom, name, stage, middle, stride, project, join=add,
               prefix="{}/"):
    """top = ReLU(join(BN(1x1(middle(conv-BN-ReLU 1x1(bottom)))), shortcut))
    shortcut = BN(1x1, stride(bottom)) if `project`, else bottom

    middle: function (graph, bottom, name, width, stride) → top.
    join: function (graph, [top, shortcut], name) → top, by default the sum.
    prefix: of the names of the unit's layers.
    """
    prefix = prefix.format(name)
    top = conv_bn_relu(graph, bottom, f"{prefix}1x1_reduce", stage.width)
    top = middle(graph, top, name, stage.width, stride)
    top = conv_bn(graph, top, f"{prefix}1x1_increase", stage.outputs)
    if project:
        bottom = conv_bn(graph, bottom, f"{prefix}1x1_proj", stage.outputs,
                         stride=stride)
    return relu(graph, join(graph, [top, bottom], name), f"{name}/relu")


def grouped(groups, prefix="{}/"):
    """The middle of ResNeXt's bottleneck: 3x3 in `groups` groups."""
    def middle(graph, bottom, name, width, stride):
        return conv_bn_relu(graph, bottom, f"{prefix.format(name)}3x3", width,
                            kernel=3, stride=stride, group=groups)
    return middle


def stages(graph, bottom, table, unit, after=None):
    """Units conv2_1, conv2_2, ..., conv3_1, ... of a table of stages.

    unit: function (graph, bottom, name, stage, stride=, project=) → top.
    after: function (graph, bottom, number of the stage from 1) → top, which
        follows each stage.
    """
    for number, stage in enumerate(table, 1):
        for index in range(1, stage.units + 1):
            bottom = unit(graph, bottom, f"conv{number + 1}_{index}", stage,
                          stride=2 if index == 1 < number else 1,
                          project=index == 1)
        if after:
            bottom = after(graph, bottom, number)
    return bottom


# Units of the nets of 50 and 101 layers, of 32 groups of 4 channels.
DEPTH_50 = [Stage(3, 128), Stage(4, 256), Stage(6, 512), Stage(3, 1024)]
DEPTH_101 = [Stage(3, 128), Stage(4, 256), Stage(23, 512), Stage(3, 1024)]


def imagenet(graph, table, unit, after=None, pool5="avepool/7x7"):
    """A 7x7 convolution, a pool, the stages, a pool named `pool5`, the
    classifier."""
    stem = conv_bn_relu(graph, "data", "conv1/7x7_s2", 64, kernel=7, stride=2)
    stem = pool(graph, stem, "pool1/3x3_s2")
    top = stages(graph, stem, table, unit, after)
    return classifier(graph, average_pool(graph, top, pool5))
