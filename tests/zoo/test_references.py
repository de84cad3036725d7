"""The generated nets give the scores of independent PyTorch ones."""
import pytest
from random_nets import assert_same, forward, random_net
from sknet import models

torch = pytest.importorskip("torch")
import residual_references as references  # noqa: E402
from torch_layers import double  # noqa: E402

# As released: B_fc1's outputs in the units of SKNet-101's second stage are 16.
SQUEEZED_101 = {128: 32, 256: 16, 512: 32, 1024: 64}

# Name, PyTorch's, depth, size: 224 has the fixed window of the last pool; 72
# gives maps of odd and even sizes, 36, 18, 9, 5, 3.
CASES = [
    ("sknet50", references.SKNet, 50, 224),
    ("sknet101", lambda net: references.SKNet(
        net, squeezed=SQUEEZED_101.get), 101, 72),
    ("sknet26", references.SKNet, 26, 72),
    ("resnext50", references.ResNeXt, 50, 72),
    ("resnext101", references.ResNeXt, 101, 72),
    ("senet50", references.SENet, 50, 72),
    ("senet101", references.SENet, 101, 72),
    ("resnext50_bam", references.BAM, 50, 72),
    ("resnext101_bam", references.BAM, 101, 72),
    ("resnext50_cbam", references.CBAM, 50, 72),
    ("resnext101_cbam", references.CBAM, 101, 72)]


@pytest.mark.parametrize("name, reference, depth, size", CASES,
                         ids=[case[0] for case in CASES])
def test_model(name, reference, depth, size, tmp_path):
    net, images = random_net(tmp_path, models.create(name, size=size, batch=2))
    layers = reference(net)
    with torch.no_grad():
        expected = layers.scores(double(images), depth)
    assert not layers.unused
    scores, prob = forward(net, images)
    assert_same(scores, expected)
    assert_same(prob, expected.softmax(1))
