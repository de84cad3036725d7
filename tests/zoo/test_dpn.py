"""DPN-92 and DPN-98: their figures, and their scores against timm's."""
import pytest
from timm_nets import assert_scores_are_timms, figures

# In millions and G, as published in SKNet's table 2: 37.7, 6.50; 61.6, 11.70.
FIGURES = {"dpn92": (37668392, 6501684224), "dpn98": (61570728, 11671217152)}
UNITS = {"dpn92": (3, 4, 20, 3), "dpn98": (3, 6, 20, 3)}


@pytest.mark.parametrize("name", FIGURES)
def test_figures(name, tmp_path):
    assert figures(tmp_path, name) == FIGURES[name]


def layers(units):
    """Pairs (layer, timm's module). There, a batch norm belongs to the
    convolution that follows it."""
    yield "conv1/7x7_s2", "conv1_1.conv"
    yield "conv1/7x7_s2/bn", "conv1_1.bn"
    bottom = "pool1/3x3_s2"
    for stage, count in enumerate(units, 2):
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


# 224: the published window of the last pool. 107: odd sizes on the way.
@pytest.mark.parametrize("name, size", [("dpn92", 224), ("dpn92", 107),
                                        ("dpn98", 107)])
def test_scores_are_timms(name, size, tmp_path):
    timm = pytest.importorskip("timm")
    # By default timm's last activation is ELU; the authors' is ReLU.
    model = timm.create_model(name, fc_act_layer="relu")
    table = {layer: f"features.{module}" for layer, module in layers(UNITS[name])}
    assert_scores_are_timms(tmp_path, name, size, model,
                            {**table, "classifier": "classifier"})
