"""The generated nets give the scores of independent PyTorch ones."""
from functools import partial

import caffe
import pytest
from random_nets import assert_same, forward, random_net
from sknet import models

torch = pytest.importorskip("torch")
import residual_references as references  # noqa: E402
from torch_layers import double  # noqa: E402

# As released: B_fc1's outputs in the units of SKNet-101's second stage are 16.
SQUEEZED_101 = {128: 32, 256: 16, 512: 32, 1024: 64}

# 224 has the fixed window of the last pool; 72 gives maps of odd and even sizes,
# 36, 18, 9, 5, 3.
CASES = [
    ("sknet50", references.SKNet, 50, 224),
    ("sknet101", partial(references.SKNet, squeezed=SQUEEZED_101.get), 101, 72),
    ("sknet26", references.SKNet, 26, 72),
    ("resnext50", references.ResNeXt, 50, 72),
    ("resnext101", references.ResNeXt, 101, 72),
    ("senet50", references.SENet, 50, 72),
    ("senet101", references.SENet, 101, 72),
    ("resnext50_bam", references.BAM, 50, 72),
    ("resnext101_bam", references.BAM, 101, 72),
    ("resnext50_cbam", references.CBAM, 50, 72),
    ("resnext101_cbam", references.CBAM, 101, 72)]


def assert_same_as(layers, net, images, depth, classes=1000):
    with torch.no_grad():
        expected = layers.scores(double(images), depth, classes)
    assert not layers.unused
    scores, prob = forward(net, images)
    assert_same(scores, expected)
    assert_same(prob, expected.softmax(1))


@pytest.mark.parametrize("name, reference, depth, size", CASES,
                         ids=[case[0] for case in CASES])
def test_model(name, reference, depth, size, tmp_path):
    net, images = random_net(tmp_path, models.create(name, size=size, batch=2))
    assert_same_as(reference(net), net, images, depth)


THREE = ((3, 1, 32), (5, 1, 64), (7, 1, 128))
VARIANTS = [
    (dict(channels=1, num_classes=7), {}),
    (dict(branches="3x3g32,5x5g64,7x7g128"), dict(branches=THREE)),
    (dict(branches="3x3d3,3x3", groups=16),
     dict(branches=((3, 3, 16), (3, 1, 16)))),
    (dict(reduction=8), dict(squeezed=lambda channels: max(channels // 8, 32))),
    (dict(reduction=32, min_width=12),
     dict(squeezed=lambda channels: max(channels // 32, 12)))]


@pytest.mark.parametrize("options, changes", VARIANTS,
                         ids=[str(case[0]) for case in VARIANTS])
def test_variant(options, changes, tmp_path):
    net, images = random_net(tmp_path, models.create("sknet26", size=72, batch=2,
                                                     **options))
    assert_same_as(references.SKNet(net, **changes), net, images, 26,
                   options.get("num_classes", 1000))


def test_frozen_bn_in_training(tmp_path):
    """Stored statistics, rather than the batch's."""
    net, images = random_net(tmp_path, models.create(
        "sknet26", size=72, batch=2, frozen_bn=True), caffe.TRAIN)
    assert_same_as(references.SKNet(net), net, images, 26)
