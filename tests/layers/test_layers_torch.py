"""The layers against PyTorch."""
import caffe
import numpy as np
import pytest
from layer_nets import backward, forward, make_net, near
from test_depthwise_convolution import CASES
from test_depthwise_convolution import layer as depthwise

torch = pytest.importorskip("torch")
functional = torch.nn.functional


def tensor(values):
    return torch.tensor(np.asarray(values, dtype=np.float64),
                        requires_grad=True)


@pytest.mark.parametrize("phase", [caffe.TRAIN, caffe.TEST])
@pytest.mark.parametrize("shape", [(8, 3), (4, 3, 6, 5), (2, 3, 3, 4, 2),
                                   (4, 64, 14, 14)])
def test_batch_norm(tmp_path, shape, phase):
    net = make_net(tmp_path / "net.prototxt", {"x": shape},
                   "layer { name: 'bn' type: 'CuDNNBatchNorm' bottom: 'x' "
                   "top: 'y' batch_norm_param { momentum: 0.8 eps: 1e-3 } }",
                   phase)
    random = np.random.default_rng(0)
    for blob in net.params["bn"]:
        blob.data[...] = random.uniform(0.5, 2, blob.data.shape)
    scale, bias, mean, var = (blob.data.astype(float).ravel()
                              for blob in net.params["bn"])
    scale, bias = tensor(scale), tensor(bias)
    mean, var = torch.tensor(mean), torch.tensor(var)
    for _ in range(2):
        x = tensor(random.normal(1, 2, shape))
        y = functional.batch_norm(x, mean, var, scale, bias,
                                  training=phase == caffe.TRAIN, momentum=0.2,
                                  eps=1e-3)
        near(forward(net, x=x.detach().numpy()), y.detach())
        near(net.params["bn"][2].data.ravel(), mean)
        near(net.params["bn"][3].data.ravel(), var)
        diff = random.normal(size=shape)
        scale.grad = bias.grad = None
        y.backward(torch.tensor(diff))
        near(backward(net, diff)["x"], x.grad)
        if phase == caffe.TRAIN:
            near(net.params["bn"][0].diff.ravel(), scale.grad, 1e-3)
            near(net.params["bn"][1].diff.ravel(), bias.grad, 1e-3)


@pytest.mark.parametrize("case", CASES)
def test_depthwise_convolution(tmp_path, case):
    shape, _, stride, pad, dilation, _ = case
    net = make_net(tmp_path / "net.prototxt", {"x": shape}, depthwise(*case))
    random = np.random.default_rng(0)
    x = tensor(random.normal(size=shape))
    weight, bias = (tensor(blob.data) for blob in net.params["conv"])
    y = functional.conv2d(x, weight, bias, stride, pad, dilation, shape[1])
    near(forward(net, x=x.detach().numpy()), y.detach())
    diff = random.normal(size=tuple(y.shape))
    y.backward(torch.tensor(diff))
    near(backward(net, diff)["x"], x.grad)
    near(net.params["conv"][0].diff, weight.grad, 1e-3)
    near(net.params["conv"][1].diff, bias.grad, 1e-3)


@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 6, 5), (2, 3, 3, 4, 2)])
def test_axpy(tmp_path, shape):
    net = make_net(tmp_path / "net.prototxt",
                   {"a": shape[:2], "x": shape, "y": shape},
                   "layer { name: 'axpy' type: 'Axpy' bottom: 'a' bottom: 'x' "
                   "bottom: 'y' top: 'f' }")
    random = np.random.default_rng(0)
    a, x, y = (tensor(random.normal(size=size))
               for size in (shape[:2], shape, shape))
    f = a.reshape(shape[:2] + (1,) * (len(shape) - 2)) * x + y
    near(forward(net, a=a.detach().numpy(), x=x.detach().numpy(),
                 y=y.detach().numpy()), f.detach())
    diff = random.normal(size=shape)
    f.backward(torch.tensor(diff))
    got = backward(net, diff)
    for name, value in ("a", a), ("x", x), ("y", y):
        near(got[name], value.grad)
