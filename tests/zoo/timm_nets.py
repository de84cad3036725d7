"""Models of the zoo, counted, and beside timm's."""
import numpy as np
from random_nets import assert_same, forward, make_net
from sknet import models
from sknet.weights.imports import fill


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
    """A model of the zoo, of the weights of timm's, which gets random ones, scores
    random images of that size as timm's does.

    table: of sknet.weights.imports, for the two.
    """
    param = models.create(name, size=size, batch=2)
    randomise(model.eval())
    weights = fill(param, {key: value.numpy() for key, value
                           in model.state_dict().items()}, table, "timm")
    assert_same_scores(folder, param, weights, model)


def assert_same_scores(folder, param, weights, model):
    """A NetParameter with Weights scores random images as a model of PyTorch."""
    import torch
    net = make_net(folder, param)
    for layer, blobs in net.params.items():
        for blob, found in zip(blobs, weights.layers[layer].blobs):
            blob.data[...] = found.data
    images = np.random.default_rng(0).normal(size=net.blobs["data"].data.shape)
    images[1] *= 2
    scores, _ = forward(net, images)
    with torch.no_grad():
        expected = model(torch.tensor(images, dtype=torch.float32))
    assert_same(scores, expected, within=1e-5)


def randomise(model):
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
