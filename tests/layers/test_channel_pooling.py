"""ChannelPooling against NumPy's max and mean over the channels."""
import caffe
import numpy as np
import pytest
from layer_nets import backward, forward, make_net, near

SHAPES = [(2, 3), (2, 3, 5), (2, 3, 5, 4), (2, 3, 2, 4, 3), (3, 1, 2, 2),
          (2, 64, 56, 56), (1, 2048, 7, 7)]


def layer(pool):
    return ("layer { name: 'pool' type: 'ChannelPooling' bottom: 'x' top: 'y' "
            f"pooling_param {{ pool: {pool} }} }}")


def data(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("shape", SHAPES)
def test_max(tmp_path, shape):
    net = make_net(tmp_path / "net.prototxt", {"x": shape}, layer("MAX"))
    x = data(shape)
    np.testing.assert_array_equal(forward(net, x=x),
                                  x.max(axis=1, keepdims=True))
    diff = data((shape[0], 1) + shape[2:], seed=1)
    expected = np.zeros(shape, np.float32)
    np.put_along_axis(expected, x.argmax(axis=1, keepdims=True), diff, axis=1)
    np.testing.assert_array_equal(backward(net, diff)["x"], expected)


@pytest.mark.parametrize("shape", SHAPES)
def test_mean(tmp_path, shape):
    net = make_net(tmp_path / "net.prototxt", {"x": shape}, layer("AVE"))
    x = data(shape)
    near(forward(net, x=x), x.mean(axis=1, keepdims=True), 1e-5)
    diff = data((shape[0], 1) + shape[2:], seed=1)
    near(backward(net, diff)["x"],
         np.broadcast_to(diff / shape[1], shape), 1e-6)


@pytest.mark.parametrize("pool", ["MAX", "AVE"])
def test_other_shapes_later(tmp_path, pool):
    net = make_net(tmp_path / "net.prototxt", {"x": (2, 3, 4, 4)}, layer(pool))
    for shape in (5, 3, 2, 7), (1, 9, 1, 1), (2, 8, 9, 4):
        x = data(shape)
        reduce = np.max if pool == "MAX" else np.mean
        near(forward(net, x=x), reduce(x, axis=1, keepdims=True))
