"""Nets compiled for the GPU, compared with the plain net on the CPU."""
import sys
import threading
from pathlib import Path

import caffe
import numpy as np
import pytest
from devices import MODES
from sknet.models.graph import Graph
from sknet.models.selective_kernel import Branch, Selection, selective_kernel
from sknet.text import to_text

sys.path.append(str(Path(__file__).resolve().parents[1] / "engine"))
from compiled_nets import make_net, plain, random_inputs  # noqa: E402
from test_excitation import CBAM, EXCITE  # noqa: E402
from test_layers import convolution, layer  # noqa: E402

# Of the largest value.
WITHIN = {"f32": 1e-4, "tf32": 1e-2, "f16": 2e-2, "bf16": 1e-1}
# Batches, heights and widths. The third is the first again, with the plan of then;
# in the fourth, few images have positions enough to share out.
SIZES = (2, 8, 6), (5, 4, 20), (2, 8, 6), (1, 56, 60)


def on_cpu(net, inputs, outputs):
    MODES["CPU"]()
    values = plain(net, inputs, outputs)
    MODES["GPU"]()
    return values


def assert_near(actual, expected, within):
    assert list(actual) == list(expected)
    for name, values in expected.items():
        assert actual[name].shape == values.shape, name
        assert np.isfinite(values).all() and np.ptp(values) > 0
        difference = abs(actual[name] - values).max() / abs(values).max()
        assert difference < within, f"{name}: {difference:.1e} of the largest"


def assert_same(net, program, within, **shapes):
    """Three times, of other inputs each: first as it is, then while it is recorded,
    then from the record."""
    for seed in range(3):
        inputs = random_inputs(net, seed, **shapes)
        given = {name: inputs[name] for name in program.inputs}
        assert_near(program.forward(**given),
                    on_cpu(net, inputs, program.outputs), within)


def kinds(program):
    return {step["kind"] for step in program.explain(0)}


def net_of(folder, layers, **shapes):
    MODES["CPU"]()
    net = make_net(folder / "net.prototxt", layers, **shapes)
    MODES["GPU"]()
    return net


# Of x, which a convolution makes and others want too: in f16 and bf16 its numbers
# are of that type. Each with the kind of step that it is for.
POOL = layer("pooling_param { kernel_size: 3 stride: 1 pad: 1 }", "x", "p", "p",
             "Pooling")
OPS = {
    "normalized": ("Affine", layer("", "x", "top", type="BatchNorm")
                   + layer("relu_param { negative_slope: .3 }", "top", "top",
                           "relu", "ReLU")),
    "rectified": ("Affine", layer("", "x", "top", type="ReLU")),
    "sum": ("Sum", POOL + layer("", "x p", "top", type="Eltwise")
            + layer("", "top", "top", "relu", "ReLU")),
    "sum of four": ("Sum", POOL + layer(
        "eltwise_param { coeff: 2 coeff: -1 coeff: .5 coeff: 3 }", "x p x p", "top",
        type="Eltwise")),
    "product": ("Gate", POOL + layer("eltwise_param { operation: PROD }", "x p",
                                     "top", type="Eltwise")),
    "a factor a channel": ("Gate", layer(
        "pooling_param { pool: AVE global_pooling: true }", "x", "gate", "gate",
        "Pooling") + layer("", "gate x x", "top", type="Axpy")),
    "a factor a position": ("Gate", layer(
        "pooling_param { pool: AVE }", "x", "gate", "gate", "ChannelPooling")
        + layer("", "x gate", "top", type="BroadcastProduct")),
    "sigmoid": ("Sigmoid", layer("", "x", "top", type="Sigmoid")),
    "maximum": ("ChannelPooling", layer("pooling_param { pool: MAX }", "x", "top",
                                        type="ChannelPooling")),
    "softmax": ("Softmax", layer("", "x", "top", type="Softmax")),
    "softmax of three axes": ("Softmax", layer(
        "reshape_param { shape { dim: 0 dim: 2 dim: -1 } }", "x", "flat", "flat",
        "Reshape") + layer("", "flat", "top", type="Softmax")),
    "axes of another order": ("Affine", layer(
        "reshape_param { shape { dim: 0 dim: 4 dim: -1 } }", "x", "flat", "flat",
        "Reshape") + layer("", "flat", "top", type="BatchNorm")),
    "concat": ("Concat", POOL + layer("", "x p x", "top", type="Concat")),
    "concat of rows": ("Concat", POOL + layer("concat_param { axis: 2 }", "x p",
                                              "top", type="Concat")),
    "slice": ("Slice", layer("slice_param { slice_point: 1 slice_point: 4 }", "x",
                             "a top c", type="Slice")),
    "slice of rows": ("Slice", layer("slice_param { axis: 2 }", "x", "top b",
                                     type="Slice")),
    "interp": ("Interp", layer("interp_param { height: 9 width: 5 }", "x", "top",
                               type="Interp")),
    "zoom": ("Interp", layer("interp_param { zoom_factor: 2 }", "x", "top",
                             type="Interp")),
    "tanh": ("CaffeLayer", layer("", "x", "top", type="TanH")),
    "inner product": ("InnerProduct", layer(
        "pooling_param { pool: MAX global_pooling: true }", "x", "p", "p", "Pooling")
        + layer("inner_product_param { num_output: 7 }", "p", "top",
                type="InnerProduct")),
}
POOLING = ["pool: MAX kernel_size: 3 stride: 2", "pool: AVE kernel_size: 3 stride: 2",
           "pool: MAX kernel_size: 3 stride: 2 pad: 1",
           "pool: AVE kernel_size: 3 stride: 2 pad: 1 round_mode: FLOOR",
           "pool: MAX kernel_h: 2 kernel_w: 4 stride_h: 1 stride_w: 3",
           "pool: AVE kernel_size: 3 pad: 2", "pool: AVE global_pooling: true",
           "pool: MAX global_pooling: true"]
OPS.update((text, ("Pooling", layer(f"pooling_param {{ {text} }}", "x", "top",
                                    type="Pooling"))) for text in POOLING)


# Packs of 1, 4 and 8 numbers; more channels than threads of a warp.
@pytest.mark.parametrize("channels", [7, 20, 104])
@pytest.mark.parametrize("precision", WITHIN)
@pytest.mark.parametrize("name", OPS)
def test_a_layer(name, precision, channels, tmp_path):
    kind, layers = OPS[name]
    net = net_of(tmp_path, convolution(
        f"num_output: {channels} kernel_size: 1", top="x", name="x") + layers,
        data=(2, 3, 8, 6))
    program = caffe.compile(net, precision, outputs=["x", "top"])
    for batch, *size in SIZES:
        assert_same(net, program, WITHIN[precision], data=(batch, 3, *size))
    assert kind in kinds(program)


@pytest.mark.parametrize("precision", WITHIN)
def test_a_window_of_the_whole_image(precision, tmp_path):
    net = net_of(tmp_path, convolution(
        "num_output: 20 kernel_size: 1", top="x", name="x")
        + layer("pooling_param { pool: AVE kernel_size: 7 }", "x", type="Pooling"),
        data=(2, 3, 7, 7))
    assert_same(net, caffe.compile(net, precision), WITHIN[precision])


@pytest.mark.parametrize("precision", WITHIN)
@pytest.mark.parametrize("layers", [EXCITE, CBAM])
@pytest.mark.parametrize("hidden, outputs", [(3, 7), (20, 104)])
def test_excitation(layers, hidden, outputs, precision, tmp_path):
    layers = layers.replace("num_output: 3", f"num_output: {hidden}")
    layers = layers.replace("num_output: 7", f"num_output: {outputs}")
    net = net_of(tmp_path, layers, data=(3, 36, 5, 4))
    program = caffe.compile(net, precision)
    for batch in 3, 1, 19:
        assert_same(net, program, WITHIN[precision], data=(batch, 36, 6, 7))
    assert "Excitation" in kinds(program)


@pytest.mark.parametrize("precision", WITHIN)
@pytest.mark.parametrize("channels", [7, 20, 104])
@pytest.mark.parametrize("branches", [2, 3, 9])
def test_selection(branches, channels, precision, tmp_path):
    graph = Graph("unit", num_classes=0, size=0, global_pool=True)
    selective_kernel(graph, "data", "unit", channels, Selection(tuple(
        Branch(3, groups=1, dilation=1 + i) for i in range(branches)), min_width=33))
    net = net_of(tmp_path, to_text(graph.net), data=(2, 5, 9, 8))
    program = caffe.compile(net, precision)
    for batch in 2, 19, 1:
        assert_same(net, program, WITHIN[precision], data=(batch, 5, 11, 10))
    assert "Select" in kinds(program)


@pytest.mark.parametrize("precision", WITHIN)
@pytest.mark.parametrize("parts", [2, 3])
def test_shuffle(parts, precision, tmp_path):
    names = ["x", "y", "z"][:parts]
    row = "reshape_param { shape { dim: 1 } axis: 2 num_axes: 0 }"
    layers = "".join(
        convolution("num_output: 20 kernel_size: 1", top=name, name=name)
        + layer(row, name, f"{name}/row", f"{name}/row", "Reshape") for name in names)
    net = net_of(tmp_path, layers + layer(
        "concat_param { axis: 2 }", " ".join(f"{name}/row" for name in names), "rows",
        "rows", "Concat") + layer(
        "reshape_param { shape { dim: -1 } axis: 1 num_axes: 2 }", "rows",
        type="Reshape"), data=(2, 3, 8, 6))
    program = caffe.compile(net, precision)
    for batch, *size in SIZES:
        assert_same(net, program, WITHIN[precision], data=(batch, 3, *size))
    assert "Interleave" in kinds(program)


@pytest.mark.parametrize("a, b", [
    ((2, 6, 1, 4), (2, 1, 5, 4)), ((2, 6, 1, 1), (2, 1, 5, 4)), ((3, 1), (1, 70)),
    ((2, 64, 5, 4), (1, 64, 1, 4)), ((3, 70, 80, 2), (1, 1, 80, 1)),
    ((2, 6, 3, 5, 4), (2, 6, 1, 5, 1)), ((2, 1, 5, 4), (2, 1, 1, 1))], ids=str)
def test_products(a, b, tmp_path):
    net = net_of(tmp_path, layer("", "a b", type="BroadcastProduct"), a=a, b=b)
    assert_same(net, caffe.compile(net), 1e-6)


@pytest.mark.parametrize("channels", [2, 3, 31, 33, 100])
@pytest.mark.parametrize("size", [(1, 3), (5, 7), (40, 33)])
def test_layouts(channels, size, tmp_path):
    """There and back: to the channels last, for a pooling of single values."""
    net = net_of(tmp_path, layer(
        "pooling_param { kernel_size: 1 stride: 1 }", type="Pooling"),
        data=(3, channels, *size))
    program = caffe.compile(net)
    images = random_inputs(net)["data"]
    np.testing.assert_array_equal(program.forward(data=images)["top"], images)
    assert kinds(program) == {"Reorder", "Pooling"}


NET = (convolution("num_output: 32 kernel_size: 3 pad: 1", top="conv", name="conv")
       + layer("", "conv", "conv", "relu", "ReLU")
       + convolution("num_output: 32 group: 4 kernel_size: 3 pad: 1", bottom="conv",
                     top="grouped", name="grouped")
       + layer("", "conv grouped", "sum", "sum", "Eltwise")
       + layer("pooling_param { kernel_size: 3 stride: 2 }", "sum", "pool", "pool",
               "Pooling")
       + layer("pooling_param { pool: AVE global_pooling: true }", "pool", "mean",
               "mean", "Pooling")
       + layer("inner_product_param { num_output: 10 }", "mean", "scores", "scores",
               "InnerProduct"))


@pytest.mark.parametrize("precision", WITHIN)
def test_batches(precision, tmp_path):
    net = net_of(tmp_path, NET, data=(2, 3, 16, 16))
    program = caffe.compile(net, precision)
    for batch in 1, 256, 7, 1:
        assert_same(net, program, WITHIN[precision], data=(batch, 3, 16, 16))


@pytest.mark.parametrize("precision", WITHIN)
def test_the_record_gives_the_same(precision, tmp_path):
    net = net_of(tmp_path, NET, data=(2, 3, 16, 16))
    program = caffe.compile(net, precision)
    inputs = [random_inputs(net, seed) for seed in (1, 2)]
    found = [program.forward(**inputs[i])["scores"].copy() for i in (0, 1, 0, 1, 0)]
    assert abs(found[0] - found[1]).max() > 0
    for i in 2, 3, 4:
        np.testing.assert_array_equal(found[i], found[i % 2])


NOT_FINITE = ["rectified", "sum", "sum of four", "a factor a channel",
              "a factor a position", "softmax", "sigmoid", "interp", "maximum",
              POOLING[0], POOLING[1], POOLING[-2], POOLING[-1]]


@pytest.mark.parametrize("precision", WITHIN)
@pytest.mark.parametrize("name", NOT_FINITE)
def test_nan_goes_where_it_goes_on_the_cpu(name, precision, tmp_path):
    net = net_of(tmp_path, convolution(
        "num_output: 40 kernel_size: 1", top="x", name="x") + OPS[name][1],
        data=(2, 3, 8, 6))
    inputs = random_inputs(net)
    inputs["data"][0, 1, 5, 3] = np.nan
    program = caffe.compile(net, precision, outputs=["x", "top"])
    expected = np.isnan(on_cpu(net, inputs, ["top"])["top"])
    found = np.isnan(program.forward(**inputs)["top"])
    assert expected[0].any() and not expected[1].any()
    np.testing.assert_array_equal(found, expected)


def test_beside_a_plain_net(tmp_path):
    """Taking turns on one card."""
    net = net_of(tmp_path, NET, data=(4, 3, 16, 16))
    program = caffe.compile(net)
    other = caffe.Net(str(tmp_path / "net.prototxt"), caffe.TEST)
    for name, blobs in net.params.items():
        for index, blob in enumerate(blobs):
            other.params[name][index].data[...] = blob.data
    for seed in range(5):
        inputs = random_inputs(net, seed)
        expected = on_cpu(net, inputs, ["scores"])
        other.blobs["data"].data[...] = inputs["data"]
        other.forward()
        assert_near(program.forward(**inputs), expected, 1e-4)
        assert_near({"scores": other.blobs["scores"].data}, expected, 1e-4)


def test_programs_in_threads(tmp_path):
    nets = {}
    for name, seed in ("one", 0), ("other", 5):
        MODES["CPU"]()
        nets[name] = make_net(tmp_path / f"{name}.prototxt", NET, seed=seed,
                              data=(2, 3, 16, 16))
        MODES["GPU"]()
    shapes = (2, 3, 16, 16), (5, 3, 9, 20)
    inputs = [random_inputs(nets["one"], data=shape) for shape in shapes]
    expected = {name: [on_cpu(net, each, ["scores"])["scores"] for each in inputs]
                for name, net in nets.items()}
    found = {}

    def run(name):
        caffe.set_mode_gpu()
        program = caffe.compile(nets[name])
        found[name] = [program.forward(**inputs[i])["scores"].copy()
                       for i in [0, 0, 0, 1, 1, 1] * 10]

    threads = [threading.Thread(target=run, args=[name]) for name in nets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name in nets:
        for i, scores in enumerate(found[name]):
            assert_near({"scores": scores},
                        {"scores": expected[name][i % 6 // 3]}, 1e-4)


@pytest.mark.parametrize("type", ["TanH", "LRN"])
def test_from_a_thread_in_cpu_mode(type, tmp_path):
    """Caffe's own layer then computes on the CPU, in the middle of a program."""
    net = net_of(tmp_path, convolution("num_output: 20 kernel_size: 3", top="x",
                                       name="x")
                 + layer("", "x", "y", "y", type)
                 + convolution("num_output: 8 kernel_size: 3", bottom="y",
                               name="z"), data=(2, 3, 16, 16))
    program = caffe.compile(net)
    for mode in "GPU", "CPU", "GPU":
        for seed in 1, 2:
            inputs = random_inputs(net, seed)
            expected = on_cpu(net, inputs, ["top"])
            MODES[mode]()
            assert_near(program.forward(**inputs), expected, 1e-4)
    assert "CaffeLayer" in kinds(program)


def test_a_view_of_an_input(tmp_path):
    net = net_of(tmp_path, layer("", type="Flatten"), data=(2, 3, 4, 5))
    program = caffe.compile(net)
    for seed in 1, 2, 3:
        images = random_inputs(net, seed)["data"]
        found = program.forward(data=images)["top"]
        np.testing.assert_array_equal(found, images.reshape(2, 60))
