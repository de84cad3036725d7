"""Models of the zoo, counted, and beside timm's."""
import numpy as np
from random_nets import assert_same, forward, make_net
from sknet import models


def figures(folder, name):
    """(learnable parameters, multiply-adds of convolutions and the classifier)
    of a model at its published size, counted in caffe.Net."""
    param = models.create(name)
    net = make_net(folder, param)
    params = macs = 0
    for layer in param.layer:
        blobs = list(net.params.get(layer.name, []))
        if layer.type == "CuDNNBatchNorm":
            blobs = blobs[:2]  # after them come the statistics
        params += sum(blob.count for blob in blobs)
        if layer.type in ("Convolution", "InnerProduct"):
            pixels = net.blobs[layer.top[0]].data.shape[2:]
            macs += blobs[0].count * int(np.prod(pixels))
    return params, macs


def assert_scores_are_timms(folder, name, size, model, table):
    """A model of the zoo scores random images of that size as timm's does, which
    gets random weights and shares them.

    table: {layer's name: name of timm's module}, of all that have weights.
    """
    import torch
    _randomise(model.eval())
    net = make_net(folder, models.create(name, size=size, batch=2))
    _load(net, model.state_dict(), table)
    images = np.random.default_rng(0).normal(size=(2, 3, size, size))
    images[1] *= 2
    scores, _ = forward(net, images)
    with torch.no_grad():
        expected = model(torch.tensor(images, dtype=torch.float32))
    assert_same(scores, expected, within=1e-5)


def _randomise(model):
    """Draw all weights, so that values neither vanish nor explode on their way,
    nor do differences: random batch norms that adapt to their batch would blow
    rounding errors up to 1e-4 in nets of this depth."""
    import torch
    generator = torch.Generator().manual_seed(0)
    for name, value in model.state_dict().items():
        if name.endswith("running_var"):
            value.uniform_(.5, 2, generator=generator)
        elif value.ndim > 1:
            fan_in = value[0].numel()
            value.normal_(0, (2 / fan_in) ** .5, generator=generator)
        elif name.endswith("weight"):  # batch norm's scale
            value.uniform_(.5, 1.5, generator=generator)
        elif value.ndim == 1:
            value.normal_(0, .1, generator=generator)


def _load(net, state, table):
    """Give a caffe.Net all of a timm model's weights."""
    state = {name: value.numpy() for name, value in state.items()
             if not name.endswith("num_batches_tracked")}
    assert set(table) == set(net.params)
    for layer, blobs in net.params.items():
        for blob, part in zip(blobs, ("weight", "bias", "running_mean",
                                      "running_var")):
            value = state.pop(f"{table[layer]}.{part}")
            assert _essential(blob.data.shape) == _essential(value.shape), layer
            blob.data[...] = value.reshape(blob.data.shape)
    assert not state, "not in the net"


def _essential(shape):
    """A shape without axes of 1 at its ends: Caffe's statistics may have some,
    and a convolution that is a fully connected layer has."""
    return tuple(np.trim_zeros(np.subtract(shape, 1)) + 1)
