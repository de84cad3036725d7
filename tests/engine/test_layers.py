"""Layers, alone and after each other, compiled: as the plain net computes them."""
import caffe
import numpy as np
import pytest
from compiled_nets import assert_same, make_net, random_inputs


def layer(text, bottom="data", top="top", name="layer", type="Convolution"):
    bottoms = " ".join(f"bottom: '{name}'" for name in bottom.split())
    tops = " ".join(f"top: '{name}'" for name in top.split())
    return f"layer {{ name: '{name}' type: '{type}' {bottoms} {tops} {text} }}\n"


def convolution(text, **names):
    return layer(f"convolution_param {{ {text} }}", **names)


GROUPED = [(width, groups, size, stride, dilation)
           for width, groups in ((4, 4), (4, 2), (8, 3), (16, 2), (32, 2), (24, 2), (12, 2), (3, 16),
                                  (6, 4), (5, 8))
           for size, stride, dilation in (((9, 12), 1, 1), ((7, 7), 1, 2),
                                          ((14, 15), 2, 1), ((10, 6), 2, 2),
                                          ((8, 5), 1, 3), ((1, 1), 1, 1))]


@pytest.mark.parametrize("width, groups, size, stride, dilation", GROUPED,
                         ids=str)
def test_grouped_3x3(width, groups, size, stride, dilation, tmp_path):
    channels = width * groups
    net = make_net(tmp_path / "net.prototxt", convolution(
        f"num_output: {channels} group: {groups} kernel_size: 3 pad: {dilation} "
        f"stride: {stride} dilation: {dilation}"), data=(2, channels, *size))
    assert_same(net)


@pytest.mark.parametrize("text", [
    "num_output: 5 kernel_size: 1", "num_output: 6 kernel_size: 3 pad: 1",
    "num_output: 6 kernel_size: 3 pad: 1 group: 3 bias_term: false",
    "num_output: 12 kernel_size: 3 group: 6 stride: 2",
    "num_output: 4 kernel_h: 1 kernel_w: 7 pad_h: 0 pad_w: 3",
    "num_output: 4 kernel_size: 5 stride_h: 2 stride_w: 3 pad: 2",
    "num_output: 4 kernel_size: 3 stride: 2", "num_output: 8 kernel_size: 2 "
    "stride: 2 pad: 1", "num_output: 4 kernel_size: 3 dilation: 4 pad: 2"])
def test_convolution(text, tmp_path):
    net = make_net(tmp_path / "net.prototxt", convolution(text),
                   data=(3, 6, 10, 11))
    assert_same(net)


@pytest.mark.parametrize("text", [
    "pool: MAX kernel_size: 3 stride: 2", "pool: AVE kernel_size: 3 stride: 2",
    "pool: MAX kernel_size: 3 stride: 2 pad: 1",
    "pool: AVE kernel_size: 3 stride: 2 pad: 1",
    "pool: AVE kernel_size: 3 stride: 2 pad: 1 round_mode: FLOOR",
    "pool: MAX kernel_h: 2 kernel_w: 5 stride_h: 1 stride_w: 3",
    "pool: AVE kernel_size: 5 pad: 4", "pool: AVE global_pooling: true",
    "pool: MAX global_pooling: true"])
@pytest.mark.parametrize("size", [(8, 8), (9, 12), (5, 7)])
def test_pooling(text, size, tmp_path):
    net = make_net(tmp_path / "net.prototxt", layer(
        f"pooling_param {{ {text} }}", type="Pooling"), data=(2, 70, *size))
    assert_same(net)


@pytest.mark.parametrize("shape", [(2, 6, 5, 4), (3, 6), (2, 6, 5)])
@pytest.mark.parametrize("type, text", [
    ("ReLU", ""), ("ReLU", "relu_param { negative_slope: 0.3 }"),
    ("BatchNorm", ""), ("CuDNNBatchNorm", ""), ("Scale", ""),
    ("Scale", "scale_param { bias_term: true }"), ("Bias", ""),
    ("Sigmoid", ""), ("Softmax", ""), ("Dropout", ""), ("Flatten", ""),
    ("InnerProduct", "inner_product_param { num_output: 7 }"),
    ("InnerProduct", "inner_product_param { num_output: 7 transpose: true }"),
    ("Reshape", "reshape_param { shape { dim: 0 dim: -1 dim: 2 } }"),
    # of Caffe's own layers
    ("TanH", ""), ("Power", "power_param { power: 3 shift: 0.5 }"),
    ("LRN", ""), ("BatchNorm", "batch_norm_param { use_global_stats: false }"),
    ("Softmax", "softmax_param { axis: 0 }")], ids=str)
def test_one_bottom(type, text, shape, tmp_path):
    if type == "LRN":
        shape = (*shape, 1, 1)[:4]
    net = make_net(tmp_path / "net.prototxt", layer(text, type=type), data=shape)
    assert_same(net)


@pytest.mark.parametrize("type, text", [
    ("Eltwise", ""), ("Eltwise", "eltwise_param { coeff: 2 coeff: -0.5 }"),
    ("Eltwise", "eltwise_param { operation: PROD }"),
    ("Eltwise", "eltwise_param { operation: MAX }"), ("Concat", ""),
    ("Concat", "concat_param { axis: 0 }"), ("Concat", "concat_param { concat_dim: 1 }"),
    ("Concat", "concat_param { axis: -1 }")], ids=str)
@pytest.mark.parametrize("shape", [(2, 6, 5, 4), (3, 6), (2, 6, 5)])
def test_two_bottoms(type, text, shape, tmp_path):
    net = make_net(tmp_path / "net.prototxt",
                   layer(text, "data more", type=type), data=shape, more=shape)
    assert_same(net)


@pytest.mark.parametrize("text", ["slice_point: 1 slice_point: 4", "axis: 0",
                                  "axis: 2", "axis: -1 slice_point: 1",
                                  "slice_dim: 2"])
def test_slice(text, tmp_path):
    tops = "a b c" if text.count("point") > 1 else "a b"
    net = make_net(tmp_path / "net.prototxt", layer(
        f"slice_param {{ {text} }}", top=tops, type="Slice"), data=(2, 6, 4, 4))
    assert assert_same(net)[1] == "Slice"


@pytest.mark.parametrize("axis", [0, 1, 2, 3])
def test_concat(axis, tmp_path):
    shapes = [[2, 3, 4, 5], [2, 3, 4, 5]]
    shapes[1][axis] = 7
    net = make_net(tmp_path / "net.prototxt", layer(
        f"concat_param {{ axis: {axis} }}", "data more", type="Concat"),
        data=shapes[0], more=shapes[1])
    assert "Concat" in assert_same(net)


def test_shuffle(tmp_path):
    """Channels in turns, as the zoo's ShuffleNets take them."""
    row = "reshape_param { shape { dim: 1 } axis: 2 num_axes: 0 }"
    names = ("data", "more", "third")
    net = make_net(
        tmp_path / "net.prototxt",
        "".join(layer(row, name, name + "/row", name + "/row", "Reshape")
                for name in names)
        + layer("concat_param { axis: 2 }", " ".join(n + "/row" for n in names),
                "rows", "rows", "Concat")
        + layer("reshape_param { shape { dim: -1 } axis: 1 num_axes: 2 }", "rows",
                type="Reshape"), **dict.fromkeys(names, (2, 6, 5, 4)))
    assert set(assert_same(net)) == {"Reorder", "Interleave"}
    for batch in (1, 3):
        assert_same(net, **dict.fromkeys(names, (batch, 6, 3, 7)))


@pytest.mark.parametrize("a, b", [
    ((2, 6, 5, 4), (2, 6, 5, 4)), ((2, 6, 5, 4), (2, 6, 1, 1)),
    ((2, 6, 5, 4), (2, 1, 5, 4)), ((2, 1, 1, 4), (2, 6, 5, 4)),
    ((2, 6, 5, 4), (1, 6, 1, 4)), ((2, 1, 5, 4), (2, 1, 1, 1)),
    ((3, 70, 80, 2), (1, 1, 80, 1)), ((2, 6), (1, 6)), ((2, 6, 3, 5, 4),
                                                       (2, 6, 1, 5, 1))], ids=str)
def test_broadcast_product(a, b, tmp_path):
    net = make_net(tmp_path / "net.prototxt",
                   layer("", "a b", type="BroadcastProduct"), a=a, b=b)
    assert "Gate" in assert_same(net)


@pytest.mark.parametrize("a, b", [
    ((2, 6, 1, 4), (2, 1, 5, 4)), ((2, 6, 1, 1), (2, 1, 5, 4)),
    ((2, 1, 5, 4), (2, 6, 1, 1)), ((2, 1, 5, 1), (1, 3, 1, 4)), ((3, 1), (1, 70))])
def test_a_product_that_neither_has_whole(a, b, tmp_path):
    net = make_net(tmp_path / "net.prototxt", layer(
        "", "a b", type="BroadcastProduct"), a=a, b=b)
    found = assert_same(net)
    assert "Gate" in found and "CaffeLayer" not in found


@pytest.mark.parametrize("pool", ["MAX", "AVE"])
@pytest.mark.parametrize("shape", [(2, 37, 5, 4), (1, 70, 2, 3), (3, 6), (2, 6, 5)])
def test_channel_pooling(pool, shape, tmp_path):
    net = make_net(tmp_path / "net.prototxt", layer(
        f"pooling_param {{ pool: {pool} }}", type="ChannelPooling"), data=shape)
    assert "ChannelPooling" in assert_same(net)
    data = random_inputs(net)["data"]
    for channel in range(shape[1]):
        data[:, channel] = np.nan
        assert np.isnan(caffe.compile(net).forward(data=data)["top"]).all()
        data[:, channel] = 0


@pytest.mark.parametrize("text", ["height: 9 width: 5", "zoom_factor: 2",
                                  "shrink_factor: 3", "height: 1 width: 1"])
def test_interp(text, tmp_path):
    net = make_net(tmp_path / "net.prototxt", layer(
        f"interp_param {{ {text} }}", type="Interp"), data=(2, 5, 7, 8))
    assert "Interp" in assert_same(net)


def test_interp_to_the_size_of_another(tmp_path):
    net = make_net(tmp_path / "net.prototxt", layer("", "data more", type="Interp"),
                   data=(2, 5, 1, 8), more=(2, 1, 6, 11))
    assert "Interp" in assert_same(net)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


@pytest.mark.filterwarnings("ignore:.* encountered in:RuntimeWarning")
@pytest.mark.parametrize("type, function", [("Sigmoid", sigmoid),
                                            ("Softmax", softmax)])
def test_large_and_small_values(type, function, tmp_path):
    net = make_net(tmp_path / "net.prototxt", layer("", type=type), data=(8, 5))
    values = np.array([[0, 1e4, -1e4, 50, 88], [-80, -87, -88, -90, -100],
                       [80, 87, 88.5, 90, 100], [np.inf, 0, 1, 2, 3],
                       [-np.inf, 0, 1, 2, 3], [np.nan, 0, 1, 2, 3],
                       [1e-30, -1e-30, 1e-7, -1e-7, 0], [3.3, 1.2, -7, 20, -20]])
    actual = caffe.compile(net).forward(data=values)["top"]
    np.testing.assert_allclose(actual, function(values), rtol=2e-6, atol=1e-37)


@pytest.mark.parametrize("gate", [(2, 6), (2, 6, 1, 1)])
def test_axpy(gate, tmp_path):
    net = make_net(tmp_path / "net.prototxt", layer("", "a x y", type="Axpy"),
                   a=gate, x=(2, 6, 5, 4), y=(2, 6, 5, 4))
    assert_same(net)


@pytest.mark.parametrize("shape", [(2, 6, 5, 4), (2, 6, 5), (2, 6, 3, 5, 4)])
def test_scale_of_two_bottoms(shape, tmp_path):
    net = make_net(tmp_path / "net.prototxt", layer(
        "scale_param { axis: 0 }", "data gate", type="Scale"),
        data=shape, gate=(2, 6))
    assert "Gate" in assert_same(net)


NORMALIZED = (convolution("num_output: 8 kernel_size: 3 bias_term: false",
                          top="conv")
              + layer("", "conv", "bn", "bn", "CuDNNBatchNorm")
              + layer("", "bn", "bn", "relu", "ReLU"))


def test_what_follows_a_convolution_is_folded(tmp_path):
    net = make_net(tmp_path / "net.prototxt", NORMALIZED, data=(2, 3, 8, 8))
    assert assert_same(net) == ["Reorder", "Convolution", "Reorder"]


def test_nothing_is_folded_that_others_read(tmp_path):
    net = make_net(tmp_path / "net.prototxt", NORMALIZED + layer(
        "", "conv bn", type="Concat"), data=(2, 3, 8, 8))
    assert "Affine" in assert_same(net)


def test_residual(tmp_path):
    net = make_net(tmp_path / "net.prototxt", NORMALIZED
                   + convolution("num_output: 8 kernel_size: 1", bottom="bn",
                                 top="inner", name="inner")
                   + layer("", "bn inner", "sum", "sum", "Eltwise")
                   + layer("", "sum", "sum", "sum/relu", "ReLU"),
                   data=(2, 3, 8, 8))
    assert assert_same(net) == ["Reorder", "Convolution", "Convolution",
                                "Reorder"]


@pytest.mark.parametrize("first, second, fused", [
    (1, -.3, True), (.5, 1, False), (2, .3, False)])
def test_a_residual_with_factors(first, second, fused, tmp_path):
    net = make_net(tmp_path / "net.prototxt", NORMALIZED
                   + convolution("num_output: 8 kernel_size: 1", bottom="bn",
                                 top="inner", name="inner")
                   + layer(f"eltwise_param {{ coeff: {first} coeff: {second} }}",
                           "bn inner", type="Eltwise"), data=(2, 3, 8, 8))
    assert ("Sum" not in assert_same(net)) == fused


def test_a_residual_that_is_still_needed(tmp_path):
    net = make_net(tmp_path / "net.prototxt", NORMALIZED
                   + convolution("num_output: 8 kernel_size: 1", bottom="bn",
                                 top="inner", name="inner")
                   + layer("", "bn inner", "sum", "sum", "Eltwise")
                   + layer("eltwise_param { coeff: 1 coeff: -3 }", "sum bn",
                           type="Eltwise"), data=(2, 3, 8, 8))
    assert_same(net)
    assert_same(net, outputs=["bn", "sum", "top"])


def test_a_residual_of_another_shape(tmp_path):
    """Of a program that had sums of the same shape."""
    net = make_net(tmp_path / "net.prototxt",
                   convolution("num_output: 8 kernel_size: 1", top="conv", name="conv")
                   + layer("", "conv more", type="Eltwise"),
                   data=(1, 8, 4, 4), more=(1, 8, 4, 4))
    assert assert_same(net).count("Sum") == 0
    with pytest.raises(caffe.Error, match="more, is 1 8 2 2"):
        caffe.compile(net).forward(data=np.zeros((1, 8, 40, 40)),
                                   more=np.zeros((1, 8, 2, 2)))


def test_in_place(tmp_path):
    """A blob holds what the last layer left there."""
    net = make_net(tmp_path / "net.prototxt",
                   layer("power_param { scale: 2 }", "data", "a", "a", "Power")
                   + layer("", "a", "a", "relu", "ReLU")
                   + layer("", "a", "b", "tanh", "TanH")
                   + layer("", "a b", type="Concat"), data=(2, 3, 4, 4))
    assert_same(net)
    assert_same(net, outputs=["a", "b"])
