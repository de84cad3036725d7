"""SK units are compiled as what they are."""
from collections import Counter

import pytest
from compiled_nets import assert_same, make_net
from sknet import models
from sknet.text import to_text


def kinds(tmp_path, outputs=None, **options):
    net = make_net(tmp_path / "net.prototxt", to_text(
        models.create("sknet26", size=64, batch=2, **options)))
    # Any weights do: the largest probability is what counts.
    return Counter(assert_same(net, within=1e-4, outputs=outputs))


def test_all_units_are_fused(tmp_path):
    found = kinds(tmp_path)
    assert (found["Branches"], found["Select"]) == (8, 8)
    assert not {"Affine", "Sum", "Gate", "View", "CaffeLayer"} & set(found)


@pytest.mark.parametrize("branches", ["3x3,3x3d2,3x3d3", "3x3,5x5g64,7x7g128"])
def test_other_branches(branches, tmp_path):
    found = kinds(tmp_path, branches=branches)
    assert found["Select"] == 8
    assert not {"Affine", "Gate", "CaffeLayer"} & set(found)


def test_stock_layers(tmp_path):
    assert kinds(tmp_path, layers="stock")["Branches"] == 8


def test_a_unit_whose_attention_is_wanted_stays_open(tmp_path):
    found = kinds(tmp_path, ["conv3_1/B_softmax", "prob"])
    assert (found["Select"], found["Softmax"]) == (7, 2)
