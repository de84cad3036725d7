"""Nets of BVLC's layers alone, with their weights."""
import caffe
import numpy as np
import pytest

from sknet import models
from sknet.data.preprocessing import read_image
from sknet.errors import InputError
from sknet.fold import fold
from sknet.lowering import to_batch_norm_and_scale, to_stock
from sknet.net import load
from sknet.shapes import infer
from sknet.source import shipped
from sknet.text import to_text
from sknet.weights import files
from sknet.weights.blobs import Weights

DIGITS = sorted(shipped("sknet_digits", "images").glob("*.png"))


def scores(param, path, images):
    net, unused = load(param, path)
    assert not unused
    net.blobs["data"].reshape(*images.shape)
    net.blobs["data"].data[...] = images
    net.forward()
    return net.blobs["classifier"].data.copy()


@pytest.fixture(scope="module")
def original():
    """sknet_digits, the path of its weights, its images and their scores."""
    param = models.create("sknet_digits")
    path = shipped("sknet_digits", "sknet_digits.caffemodel")
    preprocessing = models.get("sknet_digits").preprocessing
    images = np.stack([preprocessing(read_image(path)) for path in DIGITS])
    return param, path, images, scores(param, path, images)


WAYS = {
    "batch norm": to_batch_norm_and_scale,
    "stock": to_stock,
    "no Reshape": lambda *pair: to_stock(*pair, reshape_free=True),
    "folded": lambda *pair: to_stock(*fold(*pair)),
    "folded, no Reshape": lambda *pair: to_stock(*fold(*pair), reshape_free=True)}


@pytest.mark.parametrize("way", WAYS)
def test_the_shipped_net(way, original, tmp_path):
    param, path, images, expected = original
    stock, weights = WAYS[way](param, files.read(path))
    files.write(tmp_path / "stock.caffemodel", weights)
    actual = scores(stock, tmp_path / "stock.caffemodel", images)
    assert abs(actual - expected).max() < 1e-5 * abs(expected).max()


def test_no_reshape_is_left():
    param = models.create("sknet50")
    stock, weights = to_stock(param, reshape_free=True)
    assert not weights.layers
    assert {layer.type for layer in stock.layer} == {
        "Input", "Convolution", "BatchNorm", "Scale", "ReLU", "Pooling", "Eltwise",
        "InnerProduct", "Softmax", "Sigmoid", "Flatten"}
    assert [layer.name for layer in stock.layer if layer.type == "Softmax"] == ["prob"]


@pytest.mark.parametrize("branches", ["3x3,3x3d2,5x5", "3x3,3x3d2,5x5,7x7dw"])
def test_units_of_several_branches(branches, tmp_path):
    """Also where scores differ by more than exp can tell in floats."""
    param = models.create("sknet_digits", branches=branches)
    (tmp_path / "net.prototxt").write_text(to_text(param))
    net = caffe.Net(str(tmp_path / "net.prototxt"), caffe.TEST)
    random = np.random.default_rng(0)
    for name, blobs in net.params.items():
        for blob in blobs:
            low = .5 if name.endswith("bn") else -1
            blob.data[...] = random.uniform(low, 1, blob.shape) \
                * (30 if name.endswith("B_fc2") else 1)
    net.save(str(tmp_path / "net.caffemodel"))
    images = random.normal(size=(2, 3, 64, 64))
    expected = scores(param, tmp_path / "net.caffemodel", images)
    stock, weights = to_stock(param, files.read(tmp_path / "net.caffemodel"),
                              reshape_free=True)
    files.write(tmp_path / "stock.caffemodel", weights)
    actual = scores(stock, tmp_path / "stock.caffemodel", images)
    assert abs(actual - expected).max() < 1e-4 * abs(expected).max()
    net.blobs["data"].reshape(*images.shape)
    net.blobs["data"].data[...] = images
    net.forward()
    assert np.ptp(net.blobs["conv3_1/B_fc2"].data) > 100


@pytest.mark.parametrize("name, layer", [
    ("resnext50_cbam", "conv2_1/cbam/channel_max/rows"),
    ("shufflenet_v2_sk_0_5", "stage2_1/rows1")])
def test_reshapes_that_are_needed(name, layer):
    with pytest.raises(InputError, match=f"layer {layer}: a Reshape"):
        to_stock(models.create(name), reshape_free=True)


def test_weights_that_are_missing(original):
    with pytest.raises(InputError, match="layer conv1/3x3_s2: "):
        to_stock(original[0], Weights())


def test_blobs_of_batch_norm():
    param = models.create("sknet_digits")
    weights = files.read(shipped("sknet_digits", "sknet_digits.caffemodel"))
    _, lowered = to_batch_norm_and_scale(param, weights)
    name = "conv1/3x3_s2/bn"
    gamma, beta, mean, variance = (blob.data.reshape(-1) for blob in
                                   weights.layers[name].blobs)
    for found, expected in [(lowered.layers[name], [mean, variance, [1]]),
                            (lowered.layers[f"{name}/scale"], [gamma, beta])]:
        for blob, values in zip(found.blobs, expected, strict=True):
            np.testing.assert_array_equal(blob.data, values)


@pytest.mark.parametrize("size, kept", [(107, False), (109, True)])
def test_rounding_of_pools_only_where_it_matters(size, kept):
    """At 107 pixels all of Inception's windows end at an edge."""
    param, _ = to_stock(models.create("inception_v3", size=size))
    assert kept == any(layer.pooling_param.HasField("round_mode")
                       for layer in param.layer)
    assert infer(param) == infer(to_batch_norm_and_scale(
        models.create("inception_v3", size=size))[0])
