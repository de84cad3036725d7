"""Interp against NumPy's linear interpolation, along one axis and the other."""
import caffe
import numpy as np
import pytest
from layer_nets import backward, forward, make_net, near

LIKE = ("layer { name: 'interp' type: 'Interp' bottom: 'x' bottom: 'like' "
        "top: 'y' }")
SIZES = [((7, 7), (14, 14)), ((14, 14), (28, 28)), ((14, 14), (7, 9)),
         ((5, 4), (5, 4)), ((1, 1), (5, 4)), ((5, 4), (1, 1)),
         ((1, 6), (6, 1)), ((56, 56), (112, 112))]


def matrix(before, after):
    """after x before: what resizing does to each unit vector."""
    places = np.linspace(0, before - 1, after)
    return np.stack([np.interp(places, np.arange(before), unit)
                     for unit in np.eye(before)], axis=1)


def one_bottom(param):
    return ("layer { name: 'interp' type: 'Interp' bottom: 'x' top: 'y' "
            f"interp_param {{ {param} }} }}")


@pytest.mark.parametrize("before, after", SIZES)
def test_like_another_blob(tmp_path, before, after):
    shape, like = (2, 3) + before, (1, 5) + after
    net = make_net(tmp_path / "net.prototxt", {"x": shape, "like": like}, LIKE)
    rows, columns = map(matrix, before, after)
    random = np.random.default_rng(0)
    x = random.normal(size=shape)
    near(forward(net, x=x, like=random.normal(size=like)),
         rows @ x @ columns.T, 1e-5)
    diff = random.normal(size=(2, 3) + after)
    net.blobs["like"].diff[...] = 1234
    got = backward(net, diff)
    near(got["x"], rows.T @ diff @ columns, 1e-4)
    assert (got["like"] == 0).all()


@pytest.mark.parametrize("param, size", [
    ("height: 5 width: 33", (5, 33)),
    ("zoom_factor: 8 pad_beg: 0 pad_end: 0", (49, 65)),  # PSPNet's
    ("shrink_factor: 2", (4, 5)),
    ("shrink_factor: 4 zoom_factor: 3", (4, 7)),
])
def test_size_of_its_own(tmp_path, param, size):
    net = make_net(tmp_path / "net.prototxt", {"x": (2, 3, 7, 9)},
                   one_bottom(param))
    rows, columns = map(matrix, (7, 9), size)
    x = np.random.default_rng(0).normal(size=(2, 3, 7, 9))
    near(forward(net, x=x), rows @ x @ columns.T, 1e-5)
    diff = np.random.default_rng(1).normal(size=(2, 3) + size)
    near(backward(net, diff)["x"], rows.T @ diff @ columns, 1e-4)


def test_the_other_blob_learns_from_its_other_users_alone(tmp_path):
    """Net adds up what each user of a blob leaves as its gradient."""
    net = make_net(tmp_path / "net.prototxt",
                   {"x": (1, 2, 3, 3), "like": (1, 2, 6, 6)},
                   "layer { name: 'user' type: 'Power' bottom: 'like' "
                   "top: 'user' power_param { scale: 2 } }\n" + LIKE +
                   "layer { name: 'sum' type: 'Eltwise' bottom: 'user' "
                   "bottom: 'y' top: 'sum' }")
    net.forward()
    for blob in net.blobs.values():
        blob.diff[...] = 1234
    diff = np.random.default_rng(0).normal(size=(1, 2, 6, 6))
    near(backward(net, diff)["like"], 2 * diff)


def test_other_sizes_later(tmp_path):
    net = make_net(tmp_path / "net.prototxt",
                   {"x": (2, 3, 4, 4), "like": (2, 3, 8, 8)}, LIKE)
    for before, after in SIZES:
        x = np.random.default_rng(0).normal(size=(2, 3) + before)
        near(forward(net, x=x, like=np.zeros((2, 3) + after)),
             matrix(before[0], after[0]) @ x @ matrix(before[1], after[1]).T)
