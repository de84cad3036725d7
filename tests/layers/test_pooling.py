"""Max pooling of what a diverged training holds."""
import caffe
import numpy as np
import pytest
from layer_nets import backward, forward, make_net

POOL = ("layer { name: 'pool' type: 'Pooling' bottom: 'x' top: 'y' "
        "pooling_param { pool: MAX kernel_size: 2 stride: 2 } }")
MASK = POOL.replace("top: 'y'", "top: 'y' top: 'mask'")


@pytest.mark.parametrize("value", [np.nan, -np.inf, -3.4028235e38])
def test_windows_without_a_larger_value(tmp_path, value):
    """The gradient goes to a value of the window, and nowhere else."""
    net = make_net(tmp_path / "net.prototxt", {"x": (1, 1, 4, 4)}, POOL,
                   caffe.TRAIN)
    x = np.full((1, 1, 4, 4), value, np.float32)
    np.testing.assert_array_equal(forward(net, x=x), x[..., ::2, ::2])
    diff = backward(net, np.float32([[[[1, 2], [3, 4]]]]))["x"]
    windows = diff.reshape(2, 2, 2, 2).swapaxes(1, 2).reshape(4, 4)
    np.testing.assert_array_equal(windows.sum(1), [1, 2, 3, 4])
    np.testing.assert_array_equal((windows != 0).sum(1), 1)


@pytest.mark.parametrize("place", range(4))
def test_nan_stays(tmp_path, place):
    net = make_net(tmp_path / "net.prototxt", {"x": (1, 1, 2, 2)}, POOL,
                   caffe.TRAIN)
    x = np.float32([1, 2, 3, 4])
    x[place] = np.nan
    assert np.isnan(forward(net, x=x.reshape(1, 1, 2, 2))).all()
    assert backward(net, np.ones((1, 1, 1, 1)))["x"].ravel()[place] == 1


def test_the_mask_is_a_place_in_the_image(tmp_path):
    net = make_net(tmp_path / "net.prototxt", {"x": (1, 1, 2, 2)}, MASK)
    net.blobs["x"].data[...] = -np.inf
    net.forward()
    assert net.blobs["mask"].data.item() == 0
