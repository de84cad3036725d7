"""ChannelPooling, BroadcastProduct, Interp and label smoothing against
PyTorch, and CBAM made of them against a few lines of PyTorch."""
import caffe
import numpy as np
import pytest
from layer_nets import backward, forward, make_net, near
from test_broadcast_product import CASES, PRODUCT
from test_channel_pooling import SHAPES
from test_channel_pooling import layer as channel_pooling
from test_interp import LIKE, SIZES
from test_label_smoothing import data, loss_net, run

torch = pytest.importorskip("torch")
functional = torch.nn.functional


def tensor(values):
    return torch.tensor(np.asarray(values, dtype=np.float64),
                        requires_grad=True)


@pytest.mark.parametrize("pool", ["MAX", "AVE"])
@pytest.mark.parametrize("shape", SHAPES)
def test_channel_pooling(tmp_path, shape, pool):
    net = make_net(tmp_path / "net.prototxt", {"x": shape},
                   channel_pooling(pool))
    random = np.random.default_rng(0)
    x = tensor(random.normal(size=shape).astype(np.float32))
    y = (x.max(1, keepdim=True).values if pool == "MAX"
         else x.mean(1, keepdim=True))
    near(forward(net, x=x.detach().numpy()), y.detach(), 1e-5)
    diff = random.normal(size=tuple(y.shape))
    y.backward(torch.tensor(diff))
    near(backward(net, diff)["x"], x.grad, 1e-5)


@pytest.mark.parametrize("a, b", CASES)
def test_broadcast_product(tmp_path, a, b):
    net = make_net(tmp_path / "net.prototxt", {"a": a, "b": b}, PRODUCT % "")
    random = np.random.default_rng(0)
    a, b = tensor(random.normal(size=a)), tensor(random.normal(size=b))
    product = a * b
    near(forward(net, a=a.detach().numpy(), b=b.detach().numpy()),
         product.detach())
    diff = random.normal(size=tuple(product.shape))
    product.backward(torch.tensor(diff))
    got = backward(net, diff)
    near(got["a"], a.grad, 1e-3)
    near(got["b"], b.grad, 1e-3)


@pytest.mark.parametrize("before, after", SIZES)
def test_interp(tmp_path, before, after):
    net = make_net(tmp_path / "net.prototxt",
                   {"x": (2, 3) + before, "like": (2, 3) + after}, LIKE)
    random = np.random.default_rng(0)
    x = tensor(random.normal(size=(2, 3) + before))
    y = functional.interpolate(x, size=after, mode="bilinear",
                               align_corners=True)
    near(forward(net, x=x.detach().numpy()), y.detach(), 1e-5)
    diff = random.normal(size=tuple(y.shape))
    y.backward(torch.tensor(diff))
    near(backward(net, diff)["x"], x.grad, 1e-4)


@pytest.mark.parametrize("ignore", [-100, 1])
@pytest.mark.parametrize("shape", [(6, 10), (2, 5, 3, 4), (16, 1000)])
def test_label_smoothing(tmp_path, shape, ignore):
    """VALID, the default: the mean over the labels that are not ignored."""
    net = loss_net(tmp_path / "net.prototxt", shape,
                   f"label_smoothing: 0.1 ignore_label: {ignore}")
    x, label = data(shape)
    logits = tensor(x)
    expected = functional.cross_entropy(logits, torch.tensor(label),
                                        ignore_index=ignore,
                                        label_smoothing=0.1)
    expected.backward()
    loss, gradient = run(net, x, label)
    np.testing.assert_allclose(loss, expected.item(), rtol=1e-5)
    near(gradient, logits.grad, 1e-6)


SPATIAL_GATE = """
layer { name: 'max' type: 'ChannelPooling' bottom: 'x' top: 'max'
        pooling_param { pool: MAX } }
layer { name: 'mean' type: 'ChannelPooling' bottom: 'x' top: 'mean'
        pooling_param { pool: AVE } }
layer { name: 'both' type: 'Concat' bottom: 'max' bottom: 'mean' top: 'both' }
layer { name: 'conv' type: 'Convolution' bottom: 'both' top: 'conv'
        convolution_param { num_output: 1 kernel_size: 7 pad: 3
                            weight_filler { type: 'xavier' } } }
layer { name: 'gate' type: 'Sigmoid' bottom: 'conv' top: 'gate' }
layer { name: 'y' type: 'BroadcastProduct' bottom: 'x' bottom: 'gate'
        top: 'y' }
"""


def test_spatial_gate_of_cbam(tmp_path):
    """Woo et al., CBAM, 2018, section 3: all of it learns as in PyTorch."""
    shape = (2, 16, 14, 14)
    net = make_net(tmp_path / "net.prototxt", {"x": shape}, SPATIAL_GATE)
    random = np.random.default_rng(0)
    x = tensor(random.normal(size=shape).astype(np.float32))
    weight, bias = (tensor(blob.data) for blob in net.params["conv"])
    pooled = torch.cat([x.max(1, keepdim=True).values,
                        x.mean(1, keepdim=True)], dim=1)
    y = x * torch.sigmoid(functional.conv2d(pooled, weight, bias, padding=3))
    near(forward(net, x=x.detach().numpy()), y.detach(), 1e-5)
    diff = random.normal(size=shape)
    y.backward(torch.tensor(diff))
    near(backward(net, diff)["x"], x.grad, 1e-4)
    near(net.params["conv"][0].diff, weight.grad, 1e-3)
    near(net.params["conv"][1].diff, bias.grad, 1e-3)
