"""Lowered nets give the scores of the nets that they come from."""
import caffe
import numpy as np
import pytest
from random_nets import assert_same, forward, make_net, random_net
from sknet import models

# What BVLC's Caffe lacks.
OWN = {"CuDNNBatchNorm", "Axpy", "BroadcastProduct", "ChannelPooling",
       "DepthwiseConvolution", "Interp"}


def lowered_net(folder, net, param, phase=caffe.TEST):
    """A lowered NetParameter as a caffe.Net with the weights of `net`."""
    lowered = make_net(folder, param, phase)
    unset = set(lowered.params)
    for name, layer in zip(net._layer_names, net.layers):
        values = [blob.data for blob in layer.blobs]
        targets = {name: values} if values else {}
        if layer.type == "CuDNNBatchNorm":
            scale, bias, mean, var = values
            targets = {name: [mean, var, np.ones(1)],
                       f"{name}/scale": [scale, bias]}
        for target, values in targets.items():
            unset.remove(target)
            assert len(lowered.params[target]) == len(values)
            for blob, value in zip(lowered.params[target], values):
                assert blob.count == value.size
                blob.data[...] = value.reshape(blob.data.shape)
    assert not unset
    return lowered


@pytest.mark.parametrize("name, lowering, options", [
    ("sknet26", dict(bn="caffe"), {}),
    ("sknet26", dict(layers="stock"), {}),
    ("sknet26", dict(layers="stock"), dict(branches="3x3,5x5g64,7x7g128")),
    ("senet50", dict(layers="stock"), {}),
    ("resnext50_bam", dict(layers="stock"), {}),
    ("resnext50_cbam", dict(layers="stock"), {}),
    ("shufflenet_v2_sk_0_5", dict(layers="stock"), {}),
    ("inception_v3", dict(layers="stock"), {}),
    ("dpn92", dict(layers="stock"), {})], ids=str)
def test_scores(name, lowering, options, tmp_path):
    options = dict(options, size=models.get(name).min_size + 8, batch=2)
    net, images = random_net(tmp_path, models.create(name, **options))
    param = models.create(name, **options, **lowering)
    missing = OWN if "layers" in lowering else {"CuDNNBatchNorm"}
    assert not missing & {layer.type for layer in param.layer}
    lowered = lowered_net(tmp_path, net, param)
    assert_same(forward(lowered, images)[0], forward(net, images)[0])


def test_frozen_batch_norm_in_training(tmp_path):
    """BatchNorm takes the stored statistics in the phase TRAIN, too."""
    options = dict(size=72, batch=2, frozen_bn=True)
    net, images = random_net(tmp_path, models.create("sknet26", **options))
    lowered = lowered_net(tmp_path, net, models.create(
        "sknet26", bn="caffe", **options), caffe.TRAIN)
    assert_same(forward(lowered, images)[0], forward(net, images)[0])
