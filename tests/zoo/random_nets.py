"""Nets of the zoo with random weights that keep their signals alive."""
import caffe
import numpy as np
from sknet.text import to_text


def random_net(folder, param, phase=caffe.TEST, seed=0):
    """(net, images): a deploy NetParameter as a caffe.Net with random weights,
    and the random images that it was given."""
    net = make_net(folder, param, phase)
    images = np.random.default_rng(seed).normal(size=net.blobs["data"].data.shape)
    net.blobs["data"].data[...] = images
    fill(net, seed)
    return net, net.blobs["data"].data.copy()


def make_net(folder, param, phase=caffe.TEST):
    path = folder / "net.prototxt"
    path.write_text(to_text(param))
    return caffe.Net(str(path), phase)


def fill(net, seed=0):
    """Draw all weights, batch norm's scale, bias, mean and variance among them.

    The statistics are drawn around those of the batch in the input blobs, layer
    by layer, or signals would vanish or explode on their way.
    """
    random = np.random.default_rng(seed)
    for index, (layer, name) in enumerate(zip(net.layers, net._layer_names)):
        if layer.type == "CuDNNBatchNorm":
            x = net.blobs[net.bottom_names[name][0]].data
            centre = x.mean(axis=(0, *range(2, x.ndim)))
            spread = x.std()
            draws = (random.uniform(.5, 1.5, centre.size),
                     random.normal(0, .3, centre.size),
                     centre + random.normal(0, .3 * spread, centre.size),
                     random.uniform(.5, 2, centre.size) * spread ** 2)
            for blob, values in zip(layer.blobs, draws):
                blob.data[...] = values.reshape(blob.data.shape)
        elif len(layer.blobs):
            weight, *bias = (blob.data for blob in layer.blobs)
            fan_in = weight[0].size
            weight[...] = random.normal(0, (2 / fan_in) ** .5, weight.shape)
            for values in bias:
                values[...] = random.normal(0, .3, values.shape)
        net._forward(index, index)


def forward(net, images):
    """The classes' scores, before the softmax, and `prob`, as copies."""
    net.blobs["data"].data[...] = images
    net.forward()
    scores, = net.bottom_names["prob"]
    return net.blobs[scores].data.copy(), net.blobs["prob"].data.copy()


def assert_same(actual, expected, within=1e-4):
    """The largest difference, relative to the largest value. Values that do not
    tell one image, or class, from the other are an error, too."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape
    scale = abs(expected).max()
    assert abs(expected[0] - expected[1:]).max() > .05 * scale
    assert expected.std(axis=1).min() > .05 * expected.std()
    difference = abs(actual - expected).max() / scale
    assert difference < within, f"{difference:.1e} of the largest value"
