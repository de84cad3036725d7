"""Attention-56, AttentionNeXt-56 and Attention-92 against the authors'
prototxts."""
import pytest
from random_nets import assert_same, forward, random_net
from sknet import models
from sknet.profile import profile
from sknet.shapes import infer

# Millions of parameters, without and with batch norm's statistics, and G
# multiply-adds of convolutions and the classifier, counted from the prototxts.
FIGURES = {"attention56": (31.81, 31.88, 6.271),
           "attentionnext56": (31.32, 31.42, 6.419),
           "attention92": (52.47, 52.60, 10.534)}


@pytest.mark.parametrize("name", FIGURES)
def test_figures(name):
    costs = profile(models.create(name))
    assert (round(costs.total("params") / 1e6, 2),
            round(costs.total("params_with_stats") / 1e6, 2),
            round(costs.total("macs") / 1e9, 3)) == FIGURES[name]


@pytest.mark.parametrize("name", FIGURES)
def test_masks_fit_at_any_size(name):
    for size in (*range(64, 97), 224, 321):
        assert infer(models.create(name, size=size))["prob"] == (1, 1000)


# 72 pixels: sizes of 18, 9, 5 and 3, whose halves are rounded up.
@pytest.mark.parametrize("name", FIGURES)
def test_scores_are_those_of_the_prototxts_wiring(name, tmp_path):
    pytest.importorskip("torch")
    from attention_reference import Reference
    from torch_layers import TorchLayers, double

    net, images = random_net(tmp_path, models.create(name, size=72, batch=2,
                                                     num_classes=50))
    layers = TorchLayers(net)
    expected = Reference(name, layers).scores(double(images), 50)
    assert not layers.unused
    assert_same(forward(net, images)[0], expected)
