"""DPN-92 and DPN-98: their figures, and their scores against timm's."""
import pytest
from sknet.weights.imports import SOURCES
from timm_nets import assert_scores_are_timms, figures

# In millions and G, as published in SKNet's table 2: 37.7, 6.50; 61.6, 11.70.
FIGURES = {"dpn92": (37668392, 6501684224), "dpn98": (61570728, 11671217152)}


@pytest.mark.parametrize("name", FIGURES)
def test_figures(name, tmp_path):
    assert figures(tmp_path, name) == FIGURES[name]


# 224: the published window of the last pool. 107: odd sizes on the way.
@pytest.mark.parametrize("name, size", [("dpn92", 224), ("dpn92", 107),
                                        ("dpn98", 107)])
def test_scores_are_timms(name, size, tmp_path):
    timm = pytest.importorskip("timm")
    # By default timm's last activation is ELU; the authors' is ReLU.
    model = timm.create_model(name, fc_act_layer="relu")
    assert_scores_are_timms(tmp_path, name, size, model, SOURCES["timm"][name])
