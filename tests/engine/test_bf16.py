"""Nets compiled in bf16. Where the CPU has no instructions for it, convolutions but
grouped 3x3 ones run in float: the nets here begin with such a one."""
import ctypes
import platform
from pathlib import Path

import caffe
import numpy as np
import pytest
from compiled_nets import assert_same, make_net, random_inputs, rounded
from sknet.models.graph import Graph
from sknet.models.selective_kernel import Branch, Selection, selective_kernel
from sknet.text import to_text

GROUPED = """
layer { name: 'grouped' type: 'Convolution' bottom: 'data' top: 'x' convolution_param {
        num_output: 16 group: 4 kernel_size: 3 pad: 1 } }
"""


def layer(type, text="", bottoms="x", tops="y"):
    names = [f"bottom: '{name}'" for name in bottoms.split()]
    names += [f"top: '{name}'" for name in tops.split()]
    return (f"layer {{ name: '{type}{tops}' type: '{type}' {' '.join(names)} "
            f"{text} }}\n")


def kinds(folder, layers, within=1e-2, size=(2, 16, 9, 7), outputs=None):
    """Steps of a net in bf16, but those that make its input bf16."""
    net = make_net(folder / "net.prototxt", GROUPED + layers, data=size)
    program = caffe.compile(net, "bf16", outputs=outputs)
    found = assert_same(net, within, program=program)
    assert found[:3] == ["Reorder", "Convert", "Convolution"]
    return found[3:]


def has_amx():
    """And Linux lends this process its registers."""
    if platform.machine() != "x86_64" or platform.system() != "Linux":
        return False
    flags = Path("/proc/cpuinfo").read_text().split()
    arch_prctl, request_permission, tile_data = 158, 0x1023, 18
    return {"amx_tile", "amx_bf16", "avx512_bf16"} <= set(flags) and ctypes.CDLL(
        None).syscall(arch_prctl, request_permission, tile_data) == 0


def grouped(channels, width, dilation=1, stride=1, tops="x", text=""):
    return layer("Convolution", f"convolution_param {{ num_output: {channels} "
                 f"group: {channels // width} kernel_size: 3 pad: {dilation} "
                 f"stride: {stride} dilation: {dilation} {text} }}", "data", tops)


# AMX takes 32 channels at a time.
CHANNELS = pytest.mark.parametrize("channels", [16, 32])


@CHANNELS
def test_rounding(channels, tmp_path):
    """What a convolution by 1 hands on."""
    shape = 3, channels, 8, 8
    net = make_net(tmp_path / "net.prototxt", grouped(channels, 4), data=shape)
    weight, bias = (blob.data for blob in net.params["Convolutionx"])
    weight[...], bias[...] = 0, 0
    weight[np.arange(channels), np.arange(channels) % 4, 1, 1] = 1
    images = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    # Halfway between two neighbours, up and down to the even one; the largest.
    images[0, 0, 0, :4] = 1 + 1 / 256, 1 + 3 / 256, -1 - 1 / 256, 1 + 1 / 128
    images[0, 1, 0, :2] = 3.0e38, 1e-37
    found = caffe.compile(net, "bf16").forward(data=images)["x"]
    np.testing.assert_array_equal(found, rounded(images))
    assert abs(found - images).max() > 0


@CHANNELS
def test_what_is_not_finite_stays_so(channels, tmp_path):
    shape = 1, channels, 12, 12
    net = make_net(tmp_path / "net.prototxt", grouped(channels, 4), data=shape)
    net.params["Convolutionx"][0].data[...] = 1
    images = np.ones(shape, np.float32)
    # A NaN whose upper half alone would be an infinity.
    images.view(np.uint32)[0, 0, 2, 2] = 0x7f800001
    images[0, 5, 9, 2], images[0, 9, 2, 9], images[0, 9, 9, 9] = np.inf, -np.inf, 3.4e38
    found = caffe.compile(net, "bf16").forward(data=images)["x"]
    assert np.isnan(found[0, :4, 1:4, 1:4]).all()
    assert (found[0, 4:8, 8:11, 1:4] == np.inf).all()
    assert (found[0, 8:12, 1:4, 8:11] == -np.inf).all()
    assert (found[0, 8:12, 8:11, 8:11] == np.inf).all()
    assert np.isfinite(found).sum() == found.size - 4 * 4 * 9


@pytest.mark.parametrize("text", [
    "pool: MAX kernel_size: 3 stride: 2", "pool: AVE kernel_size: 3 stride: 2 pad: 1",
    "pool: MAX global_pooling: true"])
def test_pooling(text, tmp_path):
    found = kinds(tmp_path, layer("Pooling", f"pooling_param {{ {text} }}"))
    assert found[:2] == ["Pooling", "Convert"]


def test_a_mean_is_a_float(tmp_path):
    assert kinds(tmp_path, layer(
        "Pooling", "pooling_param { pool: AVE global_pooling: true }")) == ["Pooling"]


@pytest.mark.parametrize("layers, expected", [
    (layer("Eltwise", bottoms="x p") + layer("ReLU", bottoms="y", tops="y"), "Sum"),
    (layer("Eltwise", "eltwise_param { coeff: 2 coeff: -1 coeff: .5 }",
           bottoms="x p x"), "Sum"),
    (layer("Eltwise", "eltwise_param { operation: PROD }", bottoms="x p"), "Gate"),
    (layer("Concat", bottoms="x p"), "Concat"),
    (layer("BatchNorm", bottoms="p"), "Affine")])
def test_after_pooling(layers, expected, tmp_path):
    pool = layer("Pooling", "pooling_param { kernel_size: 3 stride: 1 pad: 1 }",
                 tops="p")
    found = kinds(tmp_path, pool + layers, outputs=["y"])
    gate = ["Convert"] if expected == "Gate" else []  # its factors are floats
    assert found == ["Pooling", *gate, expected, "Convert", "Reorder"]


def test_slice(tmp_path):
    assert kinds(tmp_path, layer("Slice", "slice_param { slice_point: 6 }",
                                 tops="y z")).count("Convert") == 2


@pytest.mark.parametrize("width", [4, 8, 16, 24, 32])
@pytest.mark.parametrize("groups", [4, 8])
@pytest.mark.parametrize("size, stride, dilation", [
    ((9, 33), 1, 1), ((7, 7), 1, 2), ((14, 15), 2, 1), ((10, 6), 2, 2), ((8, 5), 1, 3),
    ((3, 2), 1, 1), ((5, 31), 1, 2)])
def test_grouped_3x3(width, groups, size, stride, dilation, tmp_path):
    channels = groups * width
    net = make_net(tmp_path / "net.prototxt", grouped(
        channels, width, dilation, stride), data=(2, channels, *size))
    program = caffe.compile(net, "bf16")
    assert_same(net, 1e-2, program=program)
    step = program.explain(0)[2]
    assert step["kind"] == "Convolution"
    assert (step["implementation"] == "own AMX") == (
        has_amx() and channels % 32 == 0 and width != 24)


@pytest.mark.parametrize("groups", [16, 2])
@pytest.mark.parametrize("threads", [1, 3])
def test_branches(groups, threads, tmp_path):
    """Of an SK unit, whose attention begins with their mean."""
    graph = Graph("unit", None, None, None)
    selective_kernel(graph, "data", "sk", 64, Selection(
        (Branch(groups=groups), Branch(groups=groups, dilation=2))))
    net = make_net(tmp_path / "net.prototxt", to_text(graph.net), data=(3, 64, 9, 20))
    for name, blobs in net.params.items():
        if "B_fc" in name:  # else the softmax is all or nothing
            blobs[0].data[...] /= 8
    program = caffe.compile(net, "bf16", threads=threads)
    assert_same(net, 2e-2, program=program)
    step, = (step for step in program.explain(0) if step["kind"] == "Branches")
    assert (step["implementation"] == "own AMX") == has_amx()


def test_fallbacks_get_floats(tmp_path):
    found = kinds(tmp_path, layer("TanH", tops="t") + layer(
        "Convolution", "convolution_param { num_output: 16 group: 4 kernel_size: 3 }",
        "t"))
    assert found == ["Convert", "Reorder", "CaffeLayer", "Reorder", "Convert",
                     "Convolution", "Convert", "Reorder"]


def test_activations_take_half_the_memory(tmp_path):
    """Where the float input and output are small beside them."""
    wide = layer("Concat", bottoms="x x x x", tops="w")
    for name, bottom in ("a", "w"), ("b", "a"):
        wide += layer("Convolution", "convolution_param { num_output: 64 group: 16 "
                      "kernel_size: 3 pad: 1 }", bottom, name)
    net = make_net(tmp_path / "net.prototxt", GROUPED + wide + layer(
        "Pooling", "pooling_param { pool: AVE global_pooling: true }", "b"),
        data=(8, 16, 64, 64))
    floats, halves = (caffe.compile(net, precision).activation_bytes
                      for precision in ("f32", "bf16"))
    assert halves < .55 * floats


def test_batches_and_sizes(tmp_path):
    net = make_net(tmp_path / "net.prototxt", GROUPED, data=(2, 16, 9, 9))
    program = caffe.compile(net, "bf16")
    for shape in (1, 16, 9, 9), (5, 16, 20, 4), (2, 16, 9, 9):
        assert_same(net, 1e-2, program=program, data=shape)
    again = random_inputs(net)
    first = program.forward(**again)["x"].copy()
    np.testing.assert_array_equal(program.forward(**again)["x"], first)
