"""ResNeXts, SENets and SKNets in timm and torchvision."""
from sknet.weights.imports.names import numbered, pairs, units

# Units of the stages conv2 to conv5.
DEPTH_50, DEPTH_101 = (3, 4, 6, 3), (3, 4, 23, 3)

_STEM = "conv1/7x7_s2=conv1 conv1/7x7_s2/bn=bn1"
_UNIT = """1x1_reduce=conv1 1x1_reduce/bn=bn1 3x3=conv2 3x3/bn=bn2
           1x1_increase=conv3 1x1_increase/bn=bn3"""
_PROJECTION = "1x1_proj=downsample.0 1x1_proj/bn=downsample.1"


def resnext(depth):
    return dict([*pairs(_STEM), *_stages(depth, _UNIT), ("classifier", "fc")])


def senet(depth):
    return dict([*pairs(_STEM), ("classifier", "fc"), *_stages(
        depth, _UNIT + " 1x1_down=se.fc1 1x1_up=se.fc2", separator="_")])


def legacy_senet(depth):
    return dict([
        *pairs("conv1/7x7_s2=layer0.conv1 conv1/7x7_s2/bn=layer0.bn1 "
               "classifier=last_linear"),
        *_stages(depth, _UNIT + " 1x1_down=se_module.fc1 1x1_up=se_module.fc2",
                 separator="_")])


def sknet(depth):
    return dict([*pairs(_STEM), ("classifier", "fc"), *_stages(depth, """
        1x1_reduce=conv1.conv 1x1_reduce/bn=conv1.bn
        3x3g32=conv2.paths.0.conv 3x3g32/bn=conv2.paths.0.bn
        3x3g32d2=conv2.paths.1.conv 3x3g32d2/bn=conv2.paths.1.bn
        B_fc1=conv2.attn.fc_reduce B_fc1/bn=conv2.attn.bn
        B_fc2=conv2.attn.fc_select
        1x1_increase=conv3.conv 1x1_increase/bn=conv3.bn""")])


def _stages(depth, unit, separator="/"):
    """[(layer, module)] of the stages; each one's first unit has a projection."""
    for stage, count in enumerate(depth, 1):
        ours = numbered(f"conv{stage + 1}_", 1, count)
        theirs = numbered(f"layer{stage}.", 0, count - 1)
        yield from units(ours, theirs, unit, separator)
        yield from units(ours[:1], theirs[:1], _PROJECTION, separator)
