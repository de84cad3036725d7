"""Models whose batch norm is folded, or whose layers are BVLC's alone, give what
they gave."""
import pytest
from random_nets import assert_same, forward, random_net

from sknet import models
from sknet.fold import fold
from sknet.lowering import to_stock
from sknet.net import load
from sknet.weights import files


@pytest.fixture(scope="module")
def pair(request, tmp_path_factory):
    """A model, its random weights' path, images, and their scores."""
    name, size = request.param
    folder = tmp_path_factory.mktemp(name)
    param = models.create(name, size=size, batch=2)
    net, images = random_net(folder, param)
    path = folder / "net.caffemodel"
    net.save(str(path))
    return param, path, images, forward(net, images)[0]


def check(pair, folder, rewrite, kinds):
    """Compare the scores of a rewritten net, in which layers of no type in
    `kinds` may be left."""
    param, path, images, expected = pair
    rewritten, weights = rewrite(param, files.read(path))
    assert kinds.isdisjoint(layer.type for layer in rewritten.layer)
    files.write(folder / "other.caffemodel", weights)
    net, _ = load(rewritten, folder / "other.caffemodel")
    assert_same(forward(net, images)[0], expected)


# At 75 pixels, Inception's own noise in floats is 1e-4.
MODELS = [("senet50", 64), ("resnext50_cbam", 64), ("inception_v3", 107),
          ("dpn92", 64), ("attention56", 64), ("shufflenet_v2_sk_0_5", 64)]


@pytest.mark.parametrize("pair", MODELS, indirect=True,
                         ids=[name for name, _ in MODELS])
def test_folded(pair, tmp_path):
    check(pair, tmp_path, fold, {"CuDNNBatchNorm", "BatchNorm"})


STOCK = [(name, size) for name, size in MODELS if name != "attention56"]


@pytest.mark.parametrize("pair", STOCK, indirect=True,
                         ids=[name for name, _ in STOCK])
def test_stock(pair, tmp_path):
    check(pair, tmp_path, to_stock, {
        "CuDNNBatchNorm", "Axpy", "BroadcastProduct", "ChannelPooling",
        "DepthwiseConvolution"})
