"""Layers, alone and after each other, compiled: as the plain net computes them."""
import pytest
from compiled_nets import assert_same, make_net


def layer(text, bottom="data", top="top", name="layer", type="Convolution"):
    bottoms = " ".join(f"bottom: '{name}'" for name in bottom.split())
    tops = " ".join(f"top: '{name}'" for name in top.split())
    return f"layer {{ name: '{name}' type: '{type}' {bottoms} {tops} {text} }}\n"


def convolution(text, **names):
    return layer(f"convolution_param {{ {text} }}", **names)


GROUPED = [(width, groups, size, stride, dilation)
           for width, groups in ((4, 4), (4, 2), (8, 3), (16, 2), (32, 2), (24, 2), (12, 2))
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
    ("Concat", "concat_param { axis: 0 }"),
    ("Concat", "concat_param { axis: -1 }")], ids=str)
@pytest.mark.parametrize("shape", [(2, 6, 5, 4), (3, 6), (2, 6, 5)])
def test_two_bottoms(type, text, shape, tmp_path):
    net = make_net(tmp_path / "net.prototxt",
                   layer(text, "data more", type=type), data=shape, more=shape)
    assert_same(net)


def test_slice(tmp_path):
    net = make_net(tmp_path / "net.prototxt", layer(
        "slice_param { slice_point: 1 slice_point: 4 }", top="a b c",
        type="Slice"), data=(2, 6, 5, 4))
    assert_same(net)


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


def test_a_residual_that_is_still_needed(tmp_path):
    net = make_net(tmp_path / "net.prototxt", NORMALIZED
                   + convolution("num_output: 8 kernel_size: 1", bottom="bn",
                                 top="inner", name="inner")
                   + layer("", "bn inner", "sum", "sum", "Eltwise")
                   + layer("eltwise_param { coeff: 1 coeff: -3 }", "sum bn",
                           type="Eltwise"), data=(2, 3, 8, 8))
    assert_same(net)
    assert_same(net, outputs=["bn", "sum", "top"])


def test_in_place(tmp_path):
    """A blob holds what the last layer left there."""
    net = make_net(tmp_path / "net.prototxt",
                   layer("power_param { scale: 2 }", "data", "a", "a", "Power")
                   + layer("", "a", "a", "relu", "ReLU")
                   + layer("", "a", "b", "tanh", "TanH")
                   + layer("", "a b", type="Concat"), data=(2, 3, 4, 4))
    assert_same(net)
    assert_same(net, outputs=["a", "b"])
