"""Convolutions by Winograd's algorithm against the formula's sums, of doubles."""
import caffe
import numpy as np
import pytest
from compiled_nets import RESIDUAL, convolution, has, make_net, random_inputs

CONVOLUTION = """
layer {{ name: 'conv' type: 'Convolution' bottom: 'data' top: 'conv'
        convolution_param {{ num_output: {outputs} kernel_h: {kernel[0]}
                             kernel_w: {kernel[1]} pad_h: {pad[0]} pad_w: {pad[1]} }} }}
"""
KERNELS = [(3, 3), (1, 3), (3, 1), (5, 5), (1, 7), (7, 1)]
# Images smaller than a window, of whole windows, and not; channels of one vector of 8
# or 16 floats, of panels of one, two and three, and of several.
SHAPES = [(16, 16, (1, 1, 2)), (16, 48, (3, 4, 4)), (32, 80, (2, 9, 7)),
          (8, 24, (1, 5, 13)), (176, 208, (1, 14, 15)), (24, 8, (2, 40, 31))]


def convolved(net, data, pad):
    weights, bias = (blob.data.astype("d") for blob in net.params["conv"])
    padded = np.pad(data.astype("d"), ((0, 0), (0, 0), (pad[0],) * 2, (pad[1],) * 2))
    windows = np.lib.stride_tricks.sliding_window_view(padded, weights.shape[2:], (2, 3))
    return np.einsum("nihwyx,oiyx->nohw", windows, weights,
                     optimize=True) + bias[:, None, None]


def assert_close(found, expected, most=1e-5):
    error = np.abs(found - expected).max() / np.abs(expected).max()
    assert error < most, error


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("kernel", KERNELS, ids=str)
@pytest.mark.parametrize("inputs, outputs, place", SHAPES, ids=str)
def test_sums(inputs, outputs, place, kernel, threads, tmp_path):
    batch, *size = place
    pad = tuple(taps // 2 for taps in kernel)
    net = make_net(tmp_path / "net.prototxt",
                   CONVOLUTION.format(outputs=outputs, kernel=kernel, pad=pad)
                   + RESIDUAL,
                   data=(batch, inputs, *size), more=(batch, outputs, *size))
    given = random_inputs(net)
    program = caffe.compile(net, threads=threads)
    step = convolution(program)  # with the sum and the ReLU in it
    assert "relu" in step["layers"]
    if has("avx2"):
        assert step["implementation"].startswith("own Winograd AVX")
    sums = convolved(net, given["data"], pad) + given["more"]
    assert_close(program.forward(**given)["out"], np.where(sums > 0, sums, sums / 4))


def test_a_summand_that_is_needed_again(tmp_path):
    """The sum does not take its place."""
    net = make_net(tmp_path / "net.prototxt",
                   CONVOLUTION.format(outputs=16, kernel=(3, 3), pad=(1, 1)) + RESIDUAL
                   + "layer { name: 'again' type: 'Eltwise' bottom: 'out' bottom: 'more'"
                   " top: 'again' }",
                   data=(2, 8, 9, 9), more=(2, 16, 9, 9))
    given = random_inputs(net)
    program = caffe.compile(net)
    assert "relu" in convolution(program)["layers"]
    sums = convolved(net, given["data"], (1, 1)) + given["more"]
    assert_close(program.forward(**given)["again"],
                 np.where(sums > 0, sums, sums / 4) + given["more"])


def test_in_a_program_of_bf16(tmp_path):
    net = make_net(tmp_path / "net.prototxt",
                   CONVOLUTION.format(outputs=16, kernel=(3, 3), pad=(1, 1)) + RESIDUAL,
                   data=(2, 8, 9, 9), more=(2, 16, 9, 9))
    given = random_inputs(net)
    sums = convolved(net, given["data"], (1, 1)) + given["more"]
    assert_close(caffe.compile(net, "bf16").forward(**given)["out"],
                 np.where(sums > 0, sums, sums / 4), 1e-2)


@pytest.mark.parametrize("pad", [(0, 0), (2, 0), (1, 3)])
def test_paddings_and_other_sizes(pad, tmp_path):
    net = make_net(tmp_path / "net.prototxt",
                   CONVOLUTION.format(outputs=16, kernel=(3, 3), pad=pad),
                   data=(2, 16, 6, 7))
    data = random_inputs(net)["data"].ravel()
    program = caffe.compile(net)
    for shape in ((2, 16, 6, 7), (1, 16, 40, 30), (3, 16, 3, 3)):
        given = np.resize(data, shape)
        assert_close(program.forward(data=given)["conv"], convolved(net, given, pad))


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
def test_rounding(kernel, tmp_path):
    """Sums of products err by 0.5e-6 to 1.4e-6 here; with the points 2 and -2, 3x3 and
    5x5 by 4e-6 and more."""
    pad = tuple(taps // 2 for taps in kernel)
    net = make_net(tmp_path / "net.prototxt",
                   CONVOLUTION.format(outputs=64, kernel=kernel, pad=pad),
                   data=(1, 128, 16, 16))
    data = np.maximum(random_inputs(net)["data"], 0)
    assert_close(caffe.compile(net).forward(data=data)["conv"],
                 convolved(net, data, pad), 3.5e-6)


def test_other_convolutions_are_not_affected(tmp_path):
    """Weights that would take too much memory; and what has strides or dilation."""
    for outputs, more in ((512, ""), (16, "stride_h: 2 stride_w: 1"),
                          (16, "stride_h: 1 stride_w: 2"), (16, "dilation: 2"),
                          (16, "group: 2")):
        net = make_net(tmp_path / "net.prototxt", CONVOLUTION.format(
            outputs=outputs, kernel=(3, 3), pad=(1, 1)).replace(
                "kernel_h", f"{more} kernel_h"), data=(1, 512, 7, 7))
        data = random_inputs(net)["data"]
        program = caffe.compile(net)
        assert "Winograd" not in convolution(program)["implementation"]
        assert_close(program.forward(data=data)["conv"], net.forward(data=data)["conv"])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_goes_no_further_than_its_windows(value, tmp_path):
    net = make_net(tmp_path / "net.prototxt",
                   CONVOLUTION.format(outputs=16, kernel=(3, 3), pad=(1, 1))
                   + RESIDUAL.replace("0.25", "0"),
                   data=(2, 16, 24, 24), more=(2, 16, 24, 24))
    given = random_inputs(net)
    given["data"][0, 3, 9, 9] = value
    found = ~np.isfinite(caffe.compile(net).forward(**given)["out"])
    assert found[0, :, 8:11, 8:11].all()
    # Windows of six have four outputs, from each fourth on.
    assert not found[1].any() and not found[0, :, :, 12:].any()
    assert not found[0, :, 12:].any() and not found[0, :, :8].any()
    assert not found[0, :, :, :8].any()
