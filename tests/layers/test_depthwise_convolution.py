"""DepthwiseConvolution against sums written out in NumPy."""
import numpy as np
import pytest
from layer_nets import backward, forward, make_net, near

CASES = [
    # input, kernel, stride, pad, dilation, outputs a channel
    ((2, 3, 7, 6), (3, 3), (1, 1), (1, 1), 1, 1),
    ((2, 3, 7, 6), (3, 3), (2, 2), (1, 1), 1, 1),
    ((2, 3, 9, 8), (3, 3), (1, 2), (2, 0), 2, 2),
    ((2, 3, 5, 4), (5, 4), (1, 1), (0, 0), 1, 1),  # GENet's gather
    ((2, 3, 6, 5), (2, 5), (3, 1), (0, 3), 1, 2),
    ((1, 32, 28, 28), (3, 3), (1, 1), (1, 1), 1, 1),
]


def layer(shape, kernel, stride, pad, dilation, multiplier):
    return f"""
      layer {{ name: 'conv' type: 'DepthwiseConvolution' bottom: 'x' top: 'y'
        convolution_param {{
          num_output: {shape[1] * multiplier} group: {shape[1]}
          kernel_h: {kernel[0]} kernel_w: {kernel[1]}
          stride_h: {stride[0]} stride_w: {stride[1]}
          pad_h: {pad[0]} pad_w: {pad[1]} dilation: {dilation}
          weight_filler {{ type: 'gaussian' }}
          bias_filler {{ type: 'gaussian' }} }} }}"""


@pytest.mark.parametrize("case", CASES)
def test_formulas(tmp_path, case):
    shape, kernel, stride, pad, dilation, multiplier = case
    net = make_net(tmp_path / "net.prototxt", {"x": shape}, layer(*case))
    weight, bias = (blob.data.astype(float) for blob in net.params["conv"])
    assert weight.shape == (shape[1] * multiplier, 1) + kernel
    random = np.random.default_rng(0)
    x = random.normal(size=shape)
    y = forward(net, x=x)
    diff = random.normal(size=y.shape)
    x_diff = backward(net, diff)["x"]

    # Each kernel point sees the padded input through a strided window.
    padded = np.pad(np.repeat(x, multiplier, axis=1),
                    ((0, 0), (0, 0), (pad[0],) * 2, (pad[1],) * 2))
    padded_diff = np.zeros_like(padded)
    expected = np.zeros(y.shape) + bias[:, None, None]
    weight_diff = np.zeros_like(weight)
    for h in range(kernel[0]):
        for w in range(kernel[1]):
            window = (...,
                      slice(h * dilation, None, stride[0]),
                      slice(w * dilation, None, stride[1]))
            cut = (..., slice(y.shape[2]), slice(y.shape[3]))
            point = weight[:, 0, h, w, None, None]
            expected += point * padded[window][cut]
            padded_diff[window][cut] += point * diff
            weight_diff[:, 0, h, w] = (padded[window][cut] * diff).sum((0, 2, 3))
    near(y, expected)
    near(net.params["conv"][0].diff, weight_diff, 1e-3)
    near(net.params["conv"][1].diff, diff.sum((0, 2, 3)), 1e-3)
    inner = padded_diff[:, :, pad[0]:pad[0] + shape[2],
                        pad[1]:pad[1] + shape[3]]
    near(x_diff, inner.reshape(shape[0], shape[1], multiplier,
                               *shape[2:]).sum(2))


def test_trades_weights_with_convolution(tmp_path):
    """The same prototxt with another type loads the same caffemodel."""
    text = layer(*CASES[0])
    net = make_net(tmp_path / "net.prototxt", {"x": CASES[0][0]}, text)
    net.save(str(tmp_path / "net.caffemodel"))
    other = make_net(tmp_path / "other.prototxt", {"x": CASES[0][0]},
                     text.replace("DepthwiseConvolution", "Convolution"))
    other.copy_from(str(tmp_path / "net.caffemodel"))
    x = np.random.default_rng(0).normal(size=CASES[0][0])
    near(forward(net, x=x), forward(other, x=x))
