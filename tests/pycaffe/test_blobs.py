"""Blobs and their NumPy views."""
import gc

import caffe
import numpy as np
import pytest
from small_nets import input_layer, python_layer


class Keeper(caffe.Layer):
    """Copies, and keeps what it is given."""

    def reshape(self, bottom, top):
        top[0].reshape(*bottom[0].shape)

    def forward(self, bottom, top):
        self.bottom = bottom[0]
        self.view = bottom[0].data
        top[0].data[...] = self.view


class ReadsTooEarly(caffe.Layer):
    def setup(self, bottom, top):
        top[0].data


def test_view_shares_the_memory(make_net):
    blob = make_net(input_layer(2, 3)).blobs["data"]
    for view in (blob.data, blob.diff):
        assert view.dtype == np.float32
        assert view.shape == (2, 3)
        assert view.flags.c_contiguous and view.flags.writeable
        assert not view.any()
    blob.data[1, 2] = 5
    blob.diff[0, 0] = 7
    assert blob.data.ravel().tolist() == [0, 0, 0, 0, 0, 5]
    assert blob.diff.ravel().tolist() == [7, 0, 0, 0, 0, 0]


def test_view_outlives_net_and_blob(make_net):
    net = make_net(input_layer(1000, 100))
    net.blobs["data"].data[...] = 3
    view = net.blobs["data"].data
    del net
    gc.collect()
    others = [np.full(view.shape, 9, np.float32) for _ in range(20)]
    assert (view == 3).all()
    del others


def test_view_outlives_reshape(make_net):
    blob = make_net(input_layer(100, 100)).blobs["data"]
    old = blob.data
    old[...] = 3
    blob.reshape(200, 100)
    others = [np.full(old.shape, 9, np.float32) for _ in range(20)]
    assert (old == 3).all()
    assert blob.data.shape == (200, 100)
    del others


def test_what_a_python_layer_keeps_is_no_trap(make_net):
    net = make_net(input_layer(100, 100) + python_layer(Keeper))
    net.blobs["data"].data[...] = 3
    net.forward()
    layer = net.layers[1]
    # A fresh object, not the layer's own reference, which owns nothing.
    blob = net._blobs[0]
    assert blob is not layer.bottom
    view = layer.view
    del net, layer
    gc.collect()
    others = [np.full(view.shape, 9, np.float32) for _ in range(20)]
    assert (view == 3).all() and (blob.data == 3).all()
    del others


def test_shape(make_net):
    blob = make_net(input_layer(2, 3, 4)).blobs["data"]
    assert list(blob.shape) == [2, 3, 4]
    assert (blob.num, blob.channels, blob.height, blob.width) == (2, 3, 4, 1)
    assert blob.count == 24
    blob.reshape(*np.zeros((6, 5)).shape)
    assert list(blob.shape) == [6, 5]
    blob.reshape()
    assert blob.data.shape == ()
    blob.reshape(0, 5)
    assert blob.data.shape == (0, 5)
    with pytest.raises(TypeError):
        blob.reshape(num=1)
    with pytest.raises(RuntimeError):
        blob.reshape("a")


def test_no_data_before_the_first_reshape(make_net):
    with pytest.raises(RuntimeError, match="never reshaped"):
        make_net(input_layer(1) + python_layer(ReadsTooEarly))


MEMORY_DATA = """
layer { name: 'data' type: 'MemoryData' top: 'data' top: 'label'
  memory_data_param { batch_size: 2 channels: 1 height: 1 width: 3 } }"""


def test_input_arrays(make_net):
    net = make_net(MEMORY_DATA)
    freed = []

    class Array(np.ndarray):
        def __del__(self):
            freed.append(self.shape)

    values = np.arange(12, dtype=np.float32).reshape(4, 1, 1, 3)
    net.set_input_arrays(values.copy().view(Array), np.zeros(4, np.float32))
    gc.collect()
    assert not freed
    assert (net.forward()["data"] == values[:2]).all()
    assert (net.forward()["data"] == values[2:]).all()
    # The net lets go of them when it gets others.
    net.set_input_arrays(values[:2].copy(), np.zeros(2, np.float32))
    gc.collect()
    assert freed == [(4, 1, 1, 3)]


@pytest.mark.parametrize("data, labels, message", [
    (np.zeros((3, 1, 1, 3), "f"), np.zeros(3, "f"), "multiple of batch size"),
    (np.zeros((2, 1, 1, 3), "f"), np.zeros(4, "f"), "same first"),
    (np.zeros((2, 1, 1, 3), "d"), np.zeros(2, "f"), "must be float32"),
    (np.zeros((2, 3), "f"), np.zeros(2, "f"), "must be 4-d"),
    (np.zeros((2, 2, 1, 3), "f"), np.zeros(2, "f"), "number of channels"),
    (np.zeros((2, 1, 2, 3), "f"), np.zeros(2, "f"), "wrong height"),
    (np.zeros((2, 1, 1, 4), "f"), np.zeros(2, "f"), "wrong width"),
    (np.zeros((2, 1, 1, 6), "f")[..., ::2], np.zeros(2, "f"), "C contiguous"),
])
def test_bad_input_arrays(make_net, data, labels, message):
    with pytest.raises(RuntimeError, match=message):
        make_net(MEMORY_DATA).set_input_arrays(data, labels)


def test_input_arrays_need_a_memory_data_layer(make_net):
    with pytest.raises(RuntimeError, match="MemoryDataLayer"):
        make_net(input_layer(1)).set_input_arrays(
            np.zeros((2, 1, 1, 3), "f"), np.zeros(2, "f"))
