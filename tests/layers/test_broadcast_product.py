"""BroadcastProduct against NumPy's broadcasting."""
import caffe
import numpy as np
import pytest
from layer_nets import backward, forward, make_net, near

PRODUCT = ("layer { name: 'product' type: 'BroadcastProduct' bottom: 'a' "
           "bottom: 'b' top: 'c' %s }")
CASES = [
    ((2, 3, 5, 4), (2, 3, 5, 4)),
    ((2, 3, 5, 4), (2, 1, 5, 4)),  # a gate of places
    ((2, 3, 5, 4), (2, 3, 1, 1)),  # a gate of channels
    ((2, 3, 1, 1), (2, 1, 5, 4)),  # both joined
    ((2, 3), (1, 3)),
    ((4,), (1,)),
    ((2, 1, 3, 1, 4), (1, 5, 1, 2, 1)),
    ((1, 1, 1, 1), (2, 3, 5, 4)),
    ((4, 64, 56, 56), (4, 1, 56, 56)),
    ((4, 64, 56, 56), (4, 64, 1, 1)),
    ((2, 512, 1, 1), (2, 1, 28, 28)),
]


def inputs(a, b):
    random = np.random.default_rng(0)
    return {"a": random.normal(size=a), "b": random.normal(size=b)}


def summed_to(shape, values):
    """`values` summed over the axes that are 1 in `shape`."""
    axes = tuple(i for i, size in enumerate(shape) if size == 1)
    return values.sum(axis=axes, keepdims=True)


@pytest.mark.parametrize("a, b", CASES + [(b, a) for a, b in CASES])
def test_formulas(tmp_path, a, b):
    net = make_net(tmp_path / "net.prototxt", {"a": a, "b": b}, PRODUCT % "")
    given = inputs(a, b)
    product = given["a"] * given["b"]
    near(forward(net, **given), product)
    diff = np.random.default_rng(1).normal(size=product.shape)
    got = backward(net, diff)
    near(got["a"], summed_to(a, diff * given["b"]), 1e-3)
    near(got["b"], summed_to(b, diff * given["a"]), 1e-3)


def test_other_shapes_later(tmp_path):
    net = make_net(tmp_path / "net.prototxt",
                   {"a": (2, 3, 4, 4), "b": (2, 1, 4, 4)}, PRODUCT % "")
    for a, b in CASES:
        if len(a) == 4:
            given = inputs(a, b)
            near(forward(net, **given), given["a"] * given["b"])
