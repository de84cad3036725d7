"""Convolutions and SK units compiled for the GPU, each kernel in its shapes, compared
with the plain net on the CPU."""
import sys
from pathlib import Path

import caffe
import numpy as np
import pytest
from sknet import models
from sknet.text import to_text
from test_gpu_compiled import WITHIN, assert_same, layer, net_of, on_cpu, random_inputs

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests/zoo"))
from random_nets import random_net  # noqa: E402

TENSOR_CORES = "own Tensor Cores"
# Precisions that Tensor Cores have.
TENSOR = "tf32", "f16", "bf16"


def check(folder, text, shape, precision, after=""):
    """Returns what carries out the convolution `text` of a Reorder's output. Of a
    batch, then of another, then of the first again."""
    net = net_of(folder, layer(f"convolution_param {{ {text} weight_filler {{ type: "
                               "'msra' } bias_filler { type: 'uniform' } }", "data",
                               "x", "x", "Convolution") + after, data=shape)
    program = caffe.compile(net, precision)
    batch, *image = shape
    for images in batch, batch + 2, batch:
        assert_same(net, program, WITHIN[precision], data=(images, *image))
    step, = (step for step in program.explain(0) if step["kind"] == "Convolution")
    return step["implementation"]


@pytest.mark.parametrize("precision", WITHIN)
@pytest.mark.parametrize("text, channels", [
    ("num_output: 24 kernel_size: 1", 40), ("num_output: 7 kernel_size: 1", 20),
    ("num_output: 128 kernel_size: 1 stride: 2", 64),
    ("num_output: 64 kernel_size: 1 stride: 2", 256),
    ("num_output: 10 kernel_size: 1 stride_h: 2 stride_w: 3", 6)])
@pytest.mark.parametrize("size", [(9, 13), (14, 8)])
def test_matrix_products(text, channels, size, precision, tmp_path):
    assert check(tmp_path, text, (3, channels, *size), precision) == "cuBLASLt"


@pytest.mark.parametrize("precision", TENSOR)
@pytest.mark.parametrize("text", [
    "num_output: 64 kernel_size: 7 stride: 2 pad: 3",
    "num_output: 16 kernel_size: 3 stride: 2",
    "num_output: 80 kernel_size: 5 stride: 2 pad_h: 2 pad_w: 1",
    "num_output: 32 kernel_h: 3 kernel_w: 8 stride: 2 pad_h: 1 pad_w: 4"])
@pytest.mark.parametrize("channels, size", [(3, (64, 70)), (1, (9, 8)), (4, (30, 121)),
                                            (2, (23, 250))])
def test_few_channels(text, channels, size, precision, tmp_path):
    shape = (2, channels, *size)
    assert check(tmp_path, text, shape, precision) == TENSOR_CORES
    assert check(tmp_path, text, shape, precision, after=layer(
        "relu_param { negative_slope: .2 }", "x", "x", "relu", "ReLU")) == TENSOR_CORES


def rectified(param, kind="Convolution", after=""):
    return (layer(param, "data", "x", "x", kind) + after
            + layer("", "x", "x", "relu", "ReLU"))


@pytest.mark.parametrize("precision", WITHIN)
@pytest.mark.parametrize("layers, channels", [
    (rectified("convolution_param { num_output: 24 kernel_size: 1 }"), 40),
    (rectified("convolution_param { num_output: 256 kernel_size: 1 }"), 256),
    (rectified("convolution_param { num_output: 16 kernel_size: 1 }", after=layer(
        "", "x data", "x", "sum", "Eltwise")), 16),
    (rectified("convolution_param { num_output: 24 kernel_size: 3 }"), 16),
    (rectified("convolution_param { num_output: 64 kernel_size: 7 stride: 2 pad: 3 }"),
     3),
    (rectified("inner_product_param { num_output: 24 }", "InnerProduct"), 5)])
def test_nan_passes_a_relu(layers, channels, precision, tmp_path):
    """max(x, 0) may be 0 then, in other libraries."""
    net = net_of(tmp_path, layers, data=(2, channels, 12, 13))
    inputs = random_inputs(net)
    inputs["data"][0, 1, 5, 3] = np.nan
    found = caffe.compile(net, precision).forward(**inputs)["x"]
    expected = np.isnan(on_cpu(net, inputs, ["x"])["x"])
    assert expected.any() and not expected.all()
    np.testing.assert_array_equal(np.isnan(found), expected)


GROUPED = [(width, groups, size, stride, dilation)
           for width, groups in ((4, 8), (4, 32), (8, 4), (16, 6), (32, 1), (32, 3))
           for size, stride, dilation in (((9, 12), 1, 1), ((7, 7), 1, 2),
                                          ((56, 57), 1, 2), ((28, 28), 2, 1),
                                          ((31, 60), 2, 2), ((8, 5), 1, 4),
                                          ((1, 1), 1, 1))]


@pytest.mark.parametrize("precision", TENSOR)
@pytest.mark.parametrize("width, groups, size, stride, dilation", GROUPED, ids=str)
def test_grouped_3x3(width, groups, size, stride, dilation, precision, tmp_path):
    channels = width * groups
    text = (f"num_output: {channels} group: {groups} kernel_size: 3 pad: {dilation} "
            f"stride: {stride} dilation: {dilation}")
    # One group is a convolution like any other, but small enough for the kernel.
    assert check(tmp_path, text, (2, channels, *size), precision) == TENSOR_CORES


@pytest.mark.parametrize("precision", TENSOR)
@pytest.mark.parametrize("size, stride, dilation", [
    ((56, 56), 1, 2), ((24, 24), 1, 4), ((54, 54), 2, 3)])
def test_tiles_that_nearly_take_48_kb(size, stride, dilation, precision, tmp_path):
    """Up to which a kernel need not ask for shared memory: with its variables."""
    text = (f"num_output: 128 group: 32 kernel_size: 3 pad: {dilation} "
            f"stride: {stride} dilation: {dilation}")
    assert check(tmp_path, text, (6, 128, *size), precision) == TENSOR_CORES


@pytest.mark.parametrize("precision", WITHIN)
@pytest.mark.parametrize("text, channels", [
    ("num_output: 20 group: 20 kernel_size: 3 pad: 1", 20),
    ("num_output: 12 group: 6 kernel_size: 3 stride: 2", 24),
    ("num_output: 64 group: 2 kernel_size: 5 pad: 2 dilation: 2", 64)])
def test_other_groups(text, channels, precision, tmp_path):
    assert check(tmp_path, text, (2, channels, 11, 14), precision) == "own"


@pytest.mark.parametrize("precision", WITHIN)
@pytest.mark.parametrize("text, channels", [
    ("num_output: 48 kernel_size: 3 pad: 1", 40), ("num_output: 9 kernel_size: 3", 20),
    ("num_output: 32 kernel_h: 1 kernel_w: 7 pad_w: 3", 16),
    ("num_output: 16 kernel_size: 3 pad: 2 dilation: 2 stride: 2", 24),
    ("num_output: 16 kernel_size: 1 pad: 1", 24)])
@pytest.mark.parametrize("slope", [None, 0, .2])
def test_by_cudnn(text, channels, slope, precision, tmp_path):
    after = "" if slope is None else layer(
        f"relu_param {{ negative_slope: {slope} }}", "x", "x", "relu", "ReLU")
    assert check(tmp_path, text, (3, channels, 11, 14), precision, after) == "cuDNN"


@pytest.mark.parametrize("precision", WITHIN)
@pytest.mark.parametrize("kernel", ["kernel_size: 1", "kernel_size: 3 pad: 1",
                                    "kernel_size: 3 pad: 1 group: 16"])
@pytest.mark.parametrize("slope", [None, 0, .2])
def test_a_sum(kernel, slope, precision, tmp_path):
    """With what is added to it, and ReLU, in one step."""
    after = layer("", "x data", "top", "sum", "Eltwise")
    if slope is not None:
        after += layer(f"relu_param {{ negative_slope: {slope} }}", "top", "top",
                       "relu", "ReLU")
    check(tmp_path, f"num_output: 32 {kernel}", (2, 32, 9, 10), precision, after)


@pytest.mark.parametrize("precision", WITHIN)
@pytest.mark.parametrize("branches", ["3x3,3x3d2", "3x3,3x3d2,3x3d3",
                                      "3x3,5x5g64,7x7g128"])
def test_selective_kernels(branches, precision, tmp_path):
    """Of two branches in one step, of three in two, and of kernels of their own."""
    param = models.create("sknet26", size=64, batch=2, branches=branches)
    caffe.set_mode_cpu()
    net, _ = random_net(tmp_path, param)
    caffe.set_mode_gpu()
    # The scores: of random nets the probabilities are next to one-hot.
    program = caffe.compile(net, precision, outputs=["classifier"])
    for batch in 2, 5, 1:
        assert_same(net, program, WITHIN[precision], data=(batch, 3, 64, 64))
    found = [step["kind"] for step in program.explain(0)]
    assert found.count("Select") == 8
    merged = precision in TENSOR and "g64" not in branches
    assert found.count("Branches") == 8 * merged
