"""ShuffleNetV2 (Ma, Zhang, Zheng, Sun; ECCV 2018) with selective kernels (Li,
Wang, Hu, Yang; CVPR 2019, section 4.1).

The latter only say that selective kernels take the place of the 3x3 depthwise
convolutions: here of all, and with the kernels of their grouped ones, 3x3 without
and with dilation 2. That gives the parameters of their table 3, 1.48 and 2.63 M.
Its multiply-adds, 42.58 and 145.66 M, are 0.4% more and 2.5% less than here; those
of its plain nets, 40.39 and 140.35 M, 0.2% and 3.1% less than torchvision's.
"""
from sknet.models.blocks import (classifier, concat, conv_bn_relu, global_pool,
                                 pool, reshape, slices)
from sknet.models.bottleneck import Stage
from sknet.models.registry import Recipe, register
from sknet.models.selective_kernel import Branch, Selection, selective_kernel

PAPER = "https://arxiv.org/abs/1903.06586"
RECIPE = Recipe(weight_decay=4e-5)
REMARK = ("The paper's table 3 has 42.58 and 145.66 M multiply-adds for 0.5x and "
          "1.0x; what it does not say is read here as in shufflenet_v2.py.")
SELECTION = Selection(reduction=4, branches=(
    Branch(groups=None), Branch(groups=None, dilation=2)))


def shuffle(graph, bottoms, name):
    """The channels of two blobs of one shape: the first of each, the second of
    each, ..."""
    pairs = [reshape(graph, bottom, f"{name}/rows{number}", 0, 1, axis=1,
                     num_axes=1)
             for number, bottom in enumerate(bottoms, 1)]
    pairs = concat(graph, pairs, f"{name}/pairs", axis=2)
    return reshape(graph, pairs, name, -1, axis=1, num_axes=2)


def branch(graph, bottom, name, stage, selection, stride=1):
    """top = 1x1(SK(1x1(bottom))), each 1x1 with BN-ReLU"""
    top = conv_bn_relu(graph, bottom, f"{name}/1x1_1", stage.width)
    top = selective_kernel(graph, top, name, stage.width, selection, stride)
    return conv_bn_relu(graph, top, f"{name}/1x1_2", stage.width)


def unit(graph, bottom, name, stage, selection):
    """top = shuffle(first half of bottom, branch(second half))"""
    first, second = slices(graph, bottom, f"{name}/half", [stage.width])
    second = branch(graph, second, f"{name}/branch2", stage, selection)
    return shuffle(graph, [first, second], name)


def downsampling_unit(graph, bottom, name, inputs, stage, selection):
    """top = shuffle(1x1(SK(bottom)), branch(bottom)), the SKs with stride 2, for
    a bottom of `inputs` channels"""
    first = selective_kernel(graph, bottom, f"{name}/branch1", inputs, selection,
                             stride=2)
    first = conv_bn_relu(graph, first, f"{name}/branch1/1x1", stage.width)
    second = branch(graph, bottom, f"{name}/branch2", stage, selection, stride=2)
    return shuffle(graph, [first, second], name)


def imagenet(graph, table, selection):
    """A 3x3 convolution, a pool, the stages, a 1x1 convolution, a pool, the
    classifier."""
    inputs = 24
    top = conv_bn_relu(graph, "data", "conv1/3x3_s2", inputs, kernel=3, stride=2)
    top = pool(graph, top, "pool1/3x3_s2")
    for number, stage in enumerate(table, 2):
        top = downsampling_unit(graph, top, f"stage{number}_1", inputs, stage,
                                selection)
        for index in range(2, stage.units + 1):
            top = unit(graph, top, f"stage{number}_{index}", stage, selection)
        inputs = stage.outputs
    top = conv_bn_relu(graph, top, "conv5/1x1", 1024)
    return classifier(graph, global_pool(graph, top, "global_pool"))


@register(paper=PAPER, recipe=RECIPE, selection=SELECTION,
          remark=REMARK)
def shufflenet_v2_sk_0_5(graph, selection):
    """ShuffleNetV2 0.5x with selective kernels"""
    return imagenet(graph, [Stage(4, 24), Stage(8, 48), Stage(4, 96)], selection)


@register(paper=PAPER, recipe=RECIPE, selection=SELECTION,
          remark=REMARK)
def shufflenet_v2_sk_1_0(graph, selection):
    """ShuffleNetV2 1.0x with selective kernels"""
    return imagenet(graph, [Stage(4, 58), Stage(8, 116), Stage(4, 232)], selection)
