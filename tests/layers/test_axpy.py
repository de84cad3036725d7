"""Axpy against NumPy's a·X + Y."""
import caffe
import numpy as np
import pytest
from layer_nets import backward, forward, make_net, near

AXPY = ("layer { name: 'axpy' type: 'Axpy' bottom: 'a' bottom: 'x' "
        "bottom: 'y' top: 'f' %s }")


def inputs(shape, a_axes, seed=0):
    random = np.random.default_rng(seed)
    a_shape = (shape[:2] + (1, 1))[:a_axes]
    return {"a": random.normal(size=a_shape), "x": random.normal(size=shape),
            "y": random.normal(size=shape)}


def broadcast(a, shape):
    return a.reshape(shape[:2] + (1,) * (len(shape) - 2))


@pytest.mark.parametrize("a_axes", [2, 4])
@pytest.mark.parametrize("shape", [
    (2, 3), (2, 3, 5), (2, 3, 5, 4), (2, 3, 2, 4, 3), (1, 64, 56, 56)])
def test_formulas(tmp_path, shape, a_axes):
    given = inputs(shape, a_axes)
    net = make_net(tmp_path / "net.prototxt",
                   {name: value.shape for name, value in given.items()},
                   AXPY % "")
    a = broadcast(given["a"], shape)
    top = forward(net, **given)
    near(top, a * given["x"] + given["y"])
    diff = np.random.default_rng(1).normal(size=shape)
    got = backward(net, diff)
    spatial = tuple(range(2, len(shape)))
    near(got["a"], (diff * given["x"]).sum(spatial).reshape(got["a"].shape),
         1e-3)
    near(got["x"], diff * a)
    near(got["y"], diff)


def test_other_shapes_later(tmp_path):
    net = make_net(tmp_path / "net.prototxt",
                   {"a": (2, 3), "x": (2, 3, 4, 4), "y": (2, 3, 4, 4)},
                   AXPY % "")
    for shape in (5, 3, 2, 7), (1, 3, 1, 1), (2, 8, 9, 4):
        given = inputs(shape, 2)
        near(forward(net, **given),
             broadcast(given["a"], shape) * given["x"] + given["y"])


@pytest.mark.parametrize("wanted", range(1, 8))
def test_propagate_down(tmp_path, wanted):
    """As a prototxt asks for it; what is not asked for stays as it is."""
    flags = [bool(wanted >> i & 1) for i in range(3)]
    text = AXPY % " ".join(f"propagate_down: {str(flag).lower()}"
                           for flag in flags)
    for name, dims in ("a", (2, 3)), ("x", (2, 3, 4)), ("y", (2, 3, 4)):
        dims = " ".join(f"dim: {dim}" for dim in dims)
        text = (f"layer {{ name: '{name}' type: 'Parameter' top: '{name}' "
                f"parameter_param {{ shape {{ {dims} }} }} }}\n" + text)
    (tmp_path / "net.prototxt").write_text(
        text + "layer { name: 'loss' type: 'Reduction' bottom: 'f' "
               "top: 'loss' loss_weight: 1 }")
    net = caffe.Net(str(tmp_path / "net.prototxt"), caffe.TRAIN)
    net.forward()
    for name in "axy":
        net.blobs[name].diff[...] = 1234
    net.backward()
    for name, flag in zip("axy", flags):
        assert (net.blobs[name].diff != 1234).all() == flag
