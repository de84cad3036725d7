"""The Inceptions: their figures and sizes, and their scores against timm's."""
import numpy as np
import pytest
from random_nets import make_net
from sknet import models
from sknet.errors import InputError
from sknet.models.graph import Graph
from sknet.models.inception import mean_pool
from sknet.shapes import infer
from sknet.weights.imports import SOURCES
from timm_nets import assert_scores_are_timms, figures

# In millions and G, as published in SKNet's table 2: 27.1 (with the 3.33 of the
# auxiliary classifier), 5.73; 42.0, 12.31; 55.0, 13.22.
FIGURES = {"inception_v3": (23834568, 5713216096),
           "inception_v4": (42679816, 12253974624),
           "inception_resnet_v2": (55843464, 13155794016)}


@pytest.mark.parametrize("name", FIGURES)
def test_figures(name, tmp_path):
    assert figures(tmp_path, name) == FIGURES[name]


@pytest.mark.parametrize("name", FIGURES)
def test_any_size_from_75_fits_the_same_weights(name, tmp_path):
    net = make_net(tmp_path, models.create(name, size=75))
    for size in [*range(75, 96), 224, 299, 320, 331]:
        net.blobs["data"].reshape(1, 3, size, size)
        net.reshape()
        assert net.blobs["classifier"].data.shape == (1, 1000)


@pytest.mark.parametrize("name", FIGURES)
def test_74_pixels_are_too_few(name):
    param = models.create(name, size=75)
    param.layer[0].input_param.shape[0].dim[2:] = [74, 74]
    with pytest.raises(InputError, match="layer reduction_b"):
        infer(param)


@pytest.mark.parametrize("name", FIGURES)
def test_a_fifth_is_dropped_before_the_classifier(name):
    pool, dropout, classifier = models.create(name).layer[-4:-1]
    assert dropout.dropout_param.dropout_ratio == pytest.approx(.2)
    assert dropout.bottom == dropout.top == pool.top == classifier.bottom


def test_padded_means_divide_by_9_everywhere(tmp_path):
    """Where TensorFlow's divide by 4 in the corners, and by 6 at the edges."""
    graph = Graph("means", None, None, None)
    graph.layer("data", "Input", input_param=dict(shape=[dict(dim=(1, 1, 4, 5))]))
    mean_pool(graph, "data", "unit")
    net = make_net(tmp_path, graph.net)
    net.blobs["data"].data[...] = 9
    edge, inside = [4, 6, 6, 6, 4], [6, 9, 9, 9, 6]
    np.testing.assert_allclose(net.forward()["unit/pool"][0, 0],
                               [edge, inside, inside, edge])


# 299: the published window of the last pool. 120: pools that round down.
@pytest.mark.parametrize("size", [299, 120])
@pytest.mark.parametrize("name", FIGURES)
def test_scores_are_timms(name, size, tmp_path):
    timm = pytest.importorskip("timm")
    model = timm.create_model(name)
    # As its Inception-v3 does, and Caffe.
    for module in model.modules():
        if hasattr(module, "count_include_pad"):
            module.count_include_pad = True
    assert_scores_are_timms(tmp_path, name, size, model, SOURCES["timm"][name])
