"""Caffe's vectors in Python: like lists."""
import gc

import caffe
import pytest
from caffe import _caffe
from small_nets import input_layer

VALUES = {
    "IntVec": [3, 1, 4, 1, 5],
    "StringVec": list("abcde"),
    "DtypeVec": [.5, 1., 2., 0., 8.],
    "BoolVec": [True, False, False, True, True],
}


@pytest.fixture(params=VALUES)
def pair(request):
    """A vector and the list that it should be like."""
    values = VALUES[request.param]
    vector = getattr(_caffe, request.param)()
    vector.extend(values)
    return vector, list(values)


def test_reading(pair):
    vector, values = pair
    assert len(vector) == 5
    assert list(vector) == values
    assert list(reversed(list(vector))) == values[::-1]
    for index in range(-5, 5):
        assert vector[index] == values[index]
    for part in (slice(1, 3), slice(-2, None), slice(None, None, 2), slice(9)):
        assert list(vector[part]) == values[part]
        assert type(vector[part]) is type(vector)
    assert values[2] in vector
    assert object() not in vector
    for index in (5, -6):
        with pytest.raises(IndexError):
            vector[index]


def test_writing(pair):
    vector, values = pair
    for items in (vector, values):
        items[0] = items[-1]
        items[-1] = items[2]
        items.append(items[1])
        items.extend(items[:2])
        del items[1]
        del items[-1]
        del items[1:3]
    assert list(vector) == values


def test_slice_assignment(pair):
    vector, values = pair
    for part, source in ((slice(1, 3), slice(0, 2)), (slice(0, 1), slice(1, 4)),
                         (slice(2, 5), slice(0, 0)),
                         (slice(None, None, 2), slice(0, 2))):
        vector[part] = vector[source]
        values[part] = values[source]
        assert list(vector) == values
    vector[0:1] = values[:2]
    values[0:1] = values[:2]
    assert list(vector) == values
    with pytest.raises(TypeError):
        vector[0] = object()
    with pytest.raises(RuntimeError):
        vector[0:1] = [object()]
    assert list(vector) == values


CHAIN = input_layer(2, 3) + """
layer { name: 'ip' type: 'InnerProduct' bottom: 'data' top: 'ip'
  inner_product_param { num_output: 4 weight_filler { type: 'xavier' } } }
layer { name: 'relu' type: 'ReLU' bottom: 'ip' top: 'relu' }"""


def test_vectors_of_a_net(make_net):
    net = make_net(CHAIN)
    assert list(net._layer_names) == ["data", "ip", "relu"]
    assert [layer.type for layer in net.layers] == [
        "Input", "InnerProduct", "ReLU"]
    assert list(net._bottom_ids(2)) == [1]
    assert list(net._top_ids(2)) == [2]
    assert list(net._blob_loss_weights) == [0, 0, 0]
    # Names are copies; layers are the net's own.
    net._layer_names.append("more")
    assert len(net._layer_names) == 3
    blobs = net.layers[1].blobs
    assert [list(blob.shape) for blob in blobs] == [[4, 3], [4]]
    assert blobs[0] in blobs and net._blobs[0] not in blobs
    blobs.add_blob(5, 6)
    assert list(net.layers[1].blobs[2].shape) == [5, 6]
    blobs[2] = blobs[0]
    blobs[0].data[...] = 7
    assert (net.layers[1].blobs[-1].data == 7).all()
    del blobs[2]
    assert len(net.params["ip"]) == 2


@pytest.mark.parametrize("name", ["layers", "_blobs", "_blob_loss_weights"])
def test_a_vector_keeps_its_net(make_net, name):
    freed = []

    class Watch:
        def __del__(self):
            freed.append(True)

    net = make_net(CHAIN)
    net.watch = Watch()
    vector = getattr(net, name)
    del net
    gc.collect()
    assert not freed and len(vector) == 3
    list(vector)
    del vector
    gc.collect()
    assert freed


def test_elements_outlive_vector_and_net(make_net):
    net = make_net(CHAIN)
    layer, blob = net.layers[1], net._blobs[2]
    weights = layer.blobs
    del net
    gc.collect()
    assert layer.type == "InnerProduct"
    del layer
    gc.collect()
    weights[0].data[...] = 1
    assert blob.data.shape == (2, 4)


def test_types_have_their_names():
    for name in ("BlobVec", "RawBlobVec", "LayerVec", "StringVec", "IntVec",
                 "DtypeVec", "NetVec", "BoolVec"):
        assert len(getattr(_caffe, name)()) == 0
    assert caffe.Layer is _caffe.Layer
