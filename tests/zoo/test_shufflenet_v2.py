"""ShuffleNetV2 with selective kernels against its papers."""
import pytest
from random_nets import assert_same, forward, random_net
from sknet import models
from sknet.attention import units
from sknet.profile import profile
from sknet.shapes import infer

# Parameters and multiply-adds; in SKNet's table 3, 1.48 M and 42.58 M, 2.63 M and
# 145.66 M.
FIGURES = {"shufflenet_v2_sk_0_5": (1478432, 42395968),
           "shufflenet_v2_sk_1_0": (2633780, 149394144)}


@pytest.mark.parametrize("name", FIGURES)
def test_figures(name):
    costs = profile(models.create(name))
    assert (costs.total("params"), costs.total("macs")) == FIGURES[name]


@pytest.mark.parametrize("name", FIGURES)
def test_units_select_from_3x3_and_5x5(name):
    found = units(models.create(name))
    # One in each of 4 + 8 + 4 units, and another in the first of each stage.
    assert len(found) == 19
    assert {unit.kernels for unit in found} == {(3, 5)}


@pytest.mark.parametrize("name", FIGURES)
def test_any_size(name):
    for size in (*range(64, 97), 224, 321):
        assert infer(models.create(name, size=size))["prob"] == (1, 1000)


def test_depthwise_branches_by_name():
    def branches(name, **options):
        return {layer.name.rpartition("/")[2]: layer.convolution_param.group
                for layer in models.create(name, **options).layer
                if layer.name.startswith(("stage3_2/branch2/", "conv3_2/"))
                and layer.type.endswith("Convolution")
                and layer.convolution_param.kernel_size[0] > 1}
    assert branches("shufflenet_v2_sk_0_5", branches="5x5,3x3g2,7x7dwd2") == {
        "5x5dw": 48, "3x3g2": 2, "7x7dwd2": 48}
    assert branches("shufflenet_v2_sk_0_5", groups=4) == {
        "3x3g4": 4, "3x3g4d2": 4}
    assert branches("sknet50", branches="3x3,5x5dw") == {
        "3x3g32": 32, "5x5dw": 256}


# 72 pixels: sizes of 18, 9, 5 and 3.
@pytest.mark.parametrize("name", FIGURES)
def test_scores_are_those_of_the_papers_units(name, tmp_path):
    pytest.importorskip("torch")
    from shufflenet_reference import Reference
    from torch_layers import double

    net, images = random_net(tmp_path, models.create(name, size=72, batch=2,
                                                     num_classes=50))
    reference = Reference(net)
    expected = reference.scores(double(images), name, 50)
    assert not reference.unused
    assert_same(forward(net, images)[0], expected)
