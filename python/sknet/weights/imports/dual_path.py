"""Dual Path Networks in timm, where a batch norm belongs to the convolution that
follows it."""
from sknet.weights.imports.names import pairs

# Units of the stages conv2 to conv5.
DEPTH_92, DEPTH_98 = (3, 4, 20, 3), (3, 6, 20, 3)


def dpn(depth):
    features = {layer: f"features.{module}" for layer, module in _features(depth)}
    return {**features, "classifier": "classifier"}


def _features(depth):
    yield from pairs("conv1/7x7_s2=conv1_1.conv conv1/7x7_s2/bn=conv1_1.bn")
    bottom = "pool1/3x3_s2"
    for stage, count in enumerate(depth, 2):
        projection = f"conv{stage}_1.c1x1_w_s{1 if stage == 2 else 2}"
        yield f"conv{stage}_1/1x1_proj/bn", f"{projection}.bn"
        yield f"conv{stage}_1/1x1_proj", f"{projection}.conv"
        for number in range(1, count + 1):
            unit = f"conv{stage}_{number}"
            yield f"{bottom}/bn", f"{unit}.c1x1_a.bn"
            yield f"{unit}/1x1_reduce", f"{unit}.c1x1_a.conv"
            yield f"{unit}/1x1_reduce/bn", f"{unit}.c3x3_b.bn"
            yield f"{unit}/3x3", f"{unit}.c3x3_b.conv"
            yield f"{unit}/3x3/bn", f"{unit}.c1x1_c.bn"
            yield f"{unit}/1x1_increase", f"{unit}.c1x1_c.conv"
            bottom = unit
    yield f"{bottom}/bn", "conv5_bn_ac.bn"
