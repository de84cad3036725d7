"""The shapes that are inferred without Caffe, against Caffe's."""
import os
import re

import caffe
import pytest
from google.protobuf import text_format
from PIL import Image

from sknet import models
from sknet.errors import InputError
from sknet.proto import caffe_pb2
from sknet.shapes import infer, shaped_layers
from sknet.text import read_net

from net_files import write_net

PHASES = {"TRAIN": caffe_pb2.TRAIN, "TEST": caffe_pb2.TEST}
KINDS = [(name, kind) for name in models.names()
         for kind in ("deploy", "train_val")]


def parse(text):
    return text_format.Parse(text, caffe_pb2.NetParameter())


def with_inputs(text, **shapes):
    """A layer's text, and before it Input layers of those shapes."""
    inputs = "".join(
        f"layer {{ name: '{name}' type: 'Input' top: '{name}' input_param {{ "
        f"shape {{ {' '.join(f'dim: {dim}' for dim in shape)} }} }} }}\n"
        for name, shape in shapes.items())
    return inputs + text


def layer(kind, bottoms="x", tops="y", **messages):
    """A layer's text; messages are the fields of its parameters' messages."""
    return (f"layer {{ name: 'it' type: '{kind}' "
            + "".join(f"bottom: '{bottom}' " for bottom in bottoms.split())
            + "".join(f"top: '{top}' " for top in tops.split())
            + "".join(f"{name} {{ {fields} }} " for name, fields in messages.items())
            + "}")


def refused_by_caffe(path, phase="TEST"):
    """Whether Caffe does not set the net up."""
    try:
        caffe.Net(path, PHASES[phase])
    except caffe.Error:
        return True
    return False


def check_as_in_caffe(net, path, phase="TEST"):
    """Every top and every blob of a layer has Caffe's shape."""
    write_net(path, net)
    assert not refused_by_caffe(str(path), phase)
    real = caffe.Net(str(path), PHASES[phase])
    layers = shaped_layers(net, PHASES[phase])
    assert infer(net, PHASES[phase]) == {
        name: tuple(blob.shape) for name, blob in real.blobs.items()
        # Caffe inserts Split layers.
        if "_split_" not in name}
    blobs = {layer.param.name: layer.blobs for layer in layers if layer.blobs}
    assert blobs == {name: tuple(tuple(blob.shape) for blob in blobs)
                     for name, blobs in real.params.items()}


def read_from_blobs(net, phase):
    """The net with Input layers in place of those that read a database."""
    shapes = infer(net, PHASES[phase])
    for layer in net.layer:
        if layer.type == "Data":
            layer.type = "Input"
            for top in layer.top:
                layer.input_param.shape.add(dim=shapes[top])
    return net


@pytest.mark.parametrize("name, kind", KINDS)
@pytest.mark.parametrize("size", [None, 160])
def test_every_model(name, kind, size, tmp_path):
    for phase in PHASES if kind == "train_val" else ["TEST"]:
        net = models.create(name, kind, size=size, batch=2)
        check_as_in_caffe(read_from_blobs(net, phase), tmp_path / "net.prototxt",
                          phase)


X = dict(x=(2, 6, 13, 9))
LAYERS = [
    # Data
    (layer("Input", "", "a b", input_param="shape { dim: 3 dim: 4 }"), {}),
    (layer("Input", "", "a b", input_param="shape { dim: 3 } shape { dim: 2 }"), {}),
    (layer("DummyData", "", "a b",
           dummy_data_param="num: 2 channels: [3, 4] height: 5 width: 6"), {}),
    (layer("DummyData", "", "a b",
           dummy_data_param="shape { dim: 3 } shape { dim: 2 dim: 7 }"), {}),
    # A value for each
    *[(layer(kind), X) for kind in (
        "BNLL", "Clip", "Dropout", "ELU", "Exp", "Log", "Power", "ReLU", "Sigmoid",
        "Swish", "TanH", "Threshold", "PReLU", "LRN", "BatchNorm",
        "CuDNNBatchNorm", "Scale", "Bias", "Softmax") if kind != "Clip"],
    (layer("Clip", clip_param="min: 0 max: 1"), X),
    (layer("ReLU", "x", "x"), X),
    (layer("PReLU", prelu_param="channel_shared: true"), X),
    (layer("LRN", lrn_param="local_size: 3 norm_region: WITHIN_CHANNEL"), X),
    (layer("CuDNNBatchNorm"), dict(x=(5, 4))),
    (layer("BatchNorm"), dict(x=(5, 4, 3))),
    *[(layer(kind, **{f"{kind.lower()}_param": fields}), X)
      for kind in ("Scale", "Bias")
      for fields in ("axis: 2", "axis: -2", "num_axes: 2", "axis: 0 num_axes: -1",
                     "num_axes: 0")],
    (layer("Scale", scale_param="bias_term: true axis: 1 num_axes: 2"), X),
    (layer("Scale", "x s", scale_param="axis: 0"), dict(X, s=(2, 6))),
    (layer("Scale", "x s", scale_param="axis: -1"), dict(X, s=(9,))),
    (layer("Scale", "x s", scale_param="bias_term: true"), dict(X, s=(6, 13))),
    (layer("Bias", "x s", bias_param="axis: 2"), dict(X, s=(13, 9))),
    (layer("Softmax", softmax_param="axis: -1"), X),
    # Convolutions
    *[(layer(kind, convolution_param=f"num_output: 6 {fields}"), X)
      for kind in ("Convolution", "DepthwiseConvolution", "Deconvolution")
      for fields in ("group: 6 " + window for window in (
          "kernel_size: 3", "kernel_size: 3 stride: 2 pad: 1",
          "kernel_size: 3 dilation: 2 pad: 2", "kernel_size: 3 kernel_size: 2",
          "kernel_h: 1 kernel_w: 5 pad_h: 0 pad_w: 2 stride_h: 3 stride_w: 2",
          "kernel_size: 3 stride: 2 stride: 1 pad: 1 pad: 3 dilation: 1 dilation: 3",
          "kernel_h: 4 kernel_w: 4 stride: 2 bias_term: false"))],
    (layer("DepthwiseConvolution",
           convolution_param="num_output: 12 group: 6 kernel_size: 3"), X),
    *[(layer(kind, convolution_param="num_output: 9 group: 3 kernel_size: 3"), X)
      for kind in ("Convolution", "Deconvolution")],
    (layer("Convolution", "x z", "y w",
           convolution_param="num_output: 2 kernel_size: 3"), dict(X, z=X["x"])),
    (layer("Convolution", convolution_param="num_output: 4 kernel_size: 1 axis: 0 "
           "pad: 1"), X),
    (layer("Convolution", convolution_param="num_output: 4 kernel_size: 3"),
     dict(x=(2, 3, 7))),
    (layer("Convolution", convolution_param="num_output: 4 kernel_size: 3 "
           "stride: 2 pad: 1"), dict(x=(2, 3, 4, 5, 6))),
    # Where the kernel is larger than the image by less than the stride.
    (layer("Convolution", convolution_param="num_output: 1 kernel_size: 3 "
           "stride: 2"), dict(x=(1, 1, 2, 2))),
    # Pools
    *[(layer("Pooling", pooling_param=fields), X) for fields in (
        "kernel_size: 3 stride: 2", "kernel_size: 3 stride: 2 round_mode: FLOOR",
        "kernel_size: 3 stride: 2 pad: 1", "kernel_size: 2 stride: 3 pad: 1",
        "kernel_size: 2 stride: 2 pad: 1", "kernel_size: 2 stride: 4 pad: 1",
        "pool: AVE kernel_h: 2 kernel_w: 3 stride_h: 3 stride_w: 4 pad_h: 0 pad_w: 2",
        "global_pooling: true", "global_pooling: true pool: AVE engine: CAFFE",
        "kernel_size: 9 stride: 1 pool: AVE")],
    *[(layer("Pooling", pooling_param=f"kernel_size: {kernel} stride: {stride} "
             f"pad: {pad} round_mode: {mode}"), dict(x=(1, 1, size, size + 1)))
      for mode in ("CEIL", "FLOOR") for kernel in (2, 3) for stride in (1, 2, 3)
      for pad in (0, 1) for size in (3, 4, 5, 6)],
    (layer("Pooling", "x", "y mask", pooling_param="kernel_size: 2 stride: 2"), X),
    (layer("ChannelPooling", pooling_param="pool: AVE"), X),
    (layer("ChannelPooling"), dict(x=(2, 3))),
    (layer("Interp", "x z"), dict(X, z=(1, 2, 5, 30))),
    (layer("Interp", interp_param="height: 20 width: 3"), X),
    (layer("Interp", interp_param="zoom_factor: 4"), X),
    (layer("Interp", interp_param="zoom_factor: 2 shrink_factor: 3"), X),
    # Fully connected
    *[(layer("InnerProduct", inner_product_param=f"num_output: 5 {fields}"), X)
      for fields in ("", "axis: 2", "axis: -1 bias_term: false",
                     "transpose: true")],
    # Several to one
    (layer("Eltwise", "x z"), dict(X, z=X["x"])),
    (layer("Eltwise", "x x z", eltwise_param="coeff: 1 coeff: -1 coeff: 2"),
     dict(X, z=X["x"])),
    (layer("Eltwise", "x z", eltwise_param="operation: PROD"), dict(X, z=X["x"])),
    (layer("Concat", "x z"), dict(X, z=(2, 3, 13, 9))),
    (layer("Concat"), X),
    (layer("Concat", "x z x", concat_param="axis: -1"), dict(X, z=(2, 6, 13, 4))),
    (layer("Concat", "x z", concat_param="concat_dim: 2"), dict(X, z=(2, 6, 1, 9))),
    (layer("Axpy", "a x z"), dict(X, a=(2, 6), z=X["x"])),
    (layer("Axpy", "a x z"), dict(X, a=(2, 6, 1, 1), z=X["x"])),
    (layer("BroadcastProduct", "x z"), dict(X, z=(2, 6, 1, 1))),
    (layer("BroadcastProduct", "z x"), dict(X, z=(1, 1, 13, 9))),
    (layer("BroadcastProduct", "x z"), dict(x=(2, 1, 4), z=(1, 3, 4))),
    # Another form, or parts
    (layer("Split", "x", "a b c"), X),
    (layer("Slice", "x", "a b"), X),
    (layer("Slice", "x", "a b c", slice_param="slice_point: 1 slice_point: 4"), X),
    (layer("Slice", "x", "a b", slice_param="axis: -2 slice_point: 12"), X),
    (layer("Slice", "x", "a b c", slice_param="slice_dim: 3"), X),
    *[(layer("Reshape", reshape_param=fields), X) for fields in (
        "shape { dim: 0 dim: 2 dim: -1 dim: 0 }", "shape { dim: 0 dim: 0 dim: -1 }",
        "shape { dim: -1 }", "shape { dim: 3 dim: 2 } axis: 1 num_axes: 1",
        "shape { dim: 1 } axis: -1", "shape { dim: 1 dim: 1 } axis: 2 num_axes: 0",
        "shape { dim: -1 } axis: 2", "shape { dim: -1 dim: 0 } axis: 1 num_axes: 2",
        "shape { dim: -1 } axis: -3 num_axes: 2")],
    *[(layer("Flatten", flatten_param=fields), X)
      for fields in ("", "axis: 2", "end_axis: 2", "axis: -3 end_axis: -2")],
    (layer("Tile", tile_param="tiles: 3"), X),
    (layer("Tile", tile_param="tiles: 3 axis: -1"), X),
    (layer("Crop", "x z"), dict(X, z=(2, 6, 5, 4))),
    (layer("Crop", "x z", crop_param="offset: 3"), dict(X, z=(1, 1, 10, 6))),
    (layer("Crop", "x z", crop_param="axis: 1 offset: 1 offset: 8 offset: 0"),
     dict(X, z=(7, 5, 5, 9))),
    *[(layer("Reduction", reduction_param=fields), X)
      for fields in ("", "axis: 2 operation: MEAN", "axis: -1")],
    (layer("Silence", "x z", ""), dict(X, z=(1,))),
    # Scores and labels
    (layer("SoftmaxWithLoss", "x label"), dict(x=(5, 4), label=(5,))),
    (layer("SoftmaxWithLoss", "x label"), dict(X, label=(2, 1, 13, 9))),
    (layer("Accuracy", "x label", "accuracy classes"), dict(x=(5, 4), label=(5,))),
    (layer("Accuracy", "x label", accuracy_param="top_k: 4 axis: -1"),
     dict(x=(5, 3, 4), label=(15,))),
]


def kinds(value):
    """In a test's name, the types of its layers."""
    return "-".join(re.findall("type: '(\\w+)'", value)) if "type" in value else ""


@pytest.mark.parametrize("text, shapes", LAYERS, ids=kinds)
def test_every_layer(text, shapes, tmp_path):
    check_as_in_caffe(parse(with_inputs(text, **shapes)),
                      tmp_path / "net.prototxt")


def test_a_loss_without_a_top():
    net = parse(with_inputs(layer("SoftmaxWithLoss", "x label", ""),
                            x=(5, 4), label=(5,)))
    assert set(infer(net)) == {"x", "label"}


@pytest.fixture
def one_image(tmp_path):
    """A folder with an image in `images`, its `list` and its `lmdb`."""
    images = tmp_path / "images"
    images.mkdir()
    Image.new("RGB", (30, 20)).save(images / "a.png")
    (tmp_path / "list").write_text("a.png 7\n")
    tool = os.path.join(os.path.dirname(caffe.__file__), "bin/convert_imageset")
    assert os.spawnl(os.P_WAIT, tool, tool, "--encoded", f"{images}/",
                     str(tmp_path / "list"), str(tmp_path / "lmdb")) == 0
    return tmp_path


def test_the_data_layer(one_image):
    """Its images are 3 channels of its crop's size."""
    tmp_path = one_image
    for transform in ("crop_size: 12", "crop_size: 12 mean_value: 9",
                      "crop_size: 12 mean_value: 1 mean_value: 2 mean_value: 3"):
        net = parse(layer("Data", "", "data label", transform_param=transform,
                          data_param=f"source: '{tmp_path}/lmdb' backend: LMDB "
                          "batch_size: 5"))
        assert infer(net) == {"data": (5, 3, 12, 12), "label": (5,)}
        check_as_in_caffe(net, tmp_path / "net.prototxt")
    net.layer[0].top.pop()
    check_as_in_caffe(net, tmp_path / "net.prototxt")
    net.layer[0].transform_param.mean_value.append(4)
    assert infer(net) == {"data": (5, 4, 12, 12)}


@pytest.mark.parametrize("transform", [
    "crop_size: 12", "crop_size: 32 shorter_side: 40", "crop_size: 12 force_gray: true",
    "crop_size: 12 min_area_ratio: 0.1 max_rotation_angle: 5"])
@pytest.mark.parametrize("source", ["lmdb", "list", "gray list"])
def test_the_augmented_data_layer(one_image, source, transform):
    if "shorter" not in transform:
        transform += " mean_value: 7"
    where = (f"source: '{one_image}/lmdb' backend: LMDB" if source == "lmdb" else
             f"source: '{one_image}/list' root_folder: '{one_image}/images/' "
             f"is_color: {str(source == 'list').lower()}")
    fields = {"data_param" if source == "lmdb" else "image_data_param":
              f"{where} batch_size: 5"}
    if "list" in source:
        transform = transform.replace("force_gray: true", "")
    for tops in ("data label", "data"):
        for phase in PHASES:
            check_as_in_caffe(parse(layer("AugmentedData", "", tops,
                                          transform_param=transform, **fields)),
                              one_image / "net.prototxt", phase)


@pytest.mark.parametrize("fields", [
    "input: 'x' input_dim: 2 input_dim: 3 input_dim: 8 input_dim: 9",
    "input: 'x' input_shape { dim: 2 dim: 3 }",
    "input: 'x' input: 'z' input_dim: [2, 3, 8, 9, 1, 1, 4, 5]",
    "input: 'x' input: 'z' input_shape { dim: 2 } input_shape { dim: 4 }"])
def test_old_input_fields(fields, tmp_path):
    check_as_in_caffe(parse(f"{fields} {layer('ReLU')}"), tmp_path / "net.prototxt")


RULES = ("include { phase: TRAIN }", "include { phase: TEST }",
         "exclude { phase: TEST }", "include { min_level: 1 }",
         "include { max_level: 0 }", "exclude { min_level: 0 max_level: 3 }",
         "include { stage: 'a' }", "include { stage: 'a' stage: 'b' }",
         "include { not_stage: 'a' }", "exclude { not_stage: 'b' phase: TRAIN }",
         "include { stage: 'b' } include { phase: TRAIN }")


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("state", ["", "state { stage: 'a' }",
                                   "state { stage: 'b' stage: 'a' }"])
def test_rules_of_phase_level_and_stage(phase, state, tmp_path):
    text = "".join(
        f"layer {{ name: '{number}' type: 'DummyData' top: '{number}' {rule} "
        f"dummy_data_param {{ shape {{ dim: {number + 1} }} }} }}"
        for number, rule in enumerate(RULES))
    check_as_in_caffe(parse(text + state), tmp_path / "net.prototxt", phase)


# A layer, its inputs, what the error says.
BAD = [
    (layer("ReLU", "z"), X, "bottom z"),
    (layer("DummyData", "", "a a", dummy_data_param="shape { dim: 1 }"), {},
     "top a"),
    (layer("Nonsense"), X, "Nonsense.*not known"),
    (layer("Eltwise"), X, "1 bottoms; expected 2 or more"),
    (layer("ReLU", "x", "a b"), X, "2 tops; expected 1"),
    (layer("Scale", "x x x"), X, "3 bottoms; expected 1 to 2"),
    (layer("Split", "x", "z"), dict(X, z=X["x"]), "top z: another layer's"),
    (layer("Input", "", "a b c", input_param="shape { dim: 1 } shape { dim: 1 }"),
     {}, "2 values of shape for 3 tops"),
    (layer("DummyData", "", "a", dummy_data_param="num: 1"), {},
     "0 values of channels"),
    (layer("PReLU"), dict(x=(3,)), "N x C"),
    (layer("CuDNNBatchNorm"), dict(x=(3,)), "x is 3|bottom is 3"),
    (layer("LRN", lrn_param="local_size: 4"), X, "local_size 4"),
    (layer("LRN"), dict(x=(3, 4)), "expected 4 axes"),
    (layer("Scale", "x s"), dict(X, s=(7,)), "bottom\\[1\\] is 7"),
    (layer("Scale", scale_param="axis: 4"), X, "axis 4 of 2x6x13x9"),
    (layer("Bias", bias_param="axis: 2 num_axes: 3"), X, "num_axes 3"),
    (layer("Softmax", softmax_param="axis: 4"), X, "axis 4"),
    *[(layer(kind, convolution_param=fields), X, message)
      for kind in ("Convolution", "Deconvolution") for fields, message in (
          ("num_output: 4 kernel_size: 3 group: 4", "6 channels to 4 in 4 groups"),
          ("num_output: 4 kernel_size: 3 group: 3", "6 channels to 4 in 3 groups"),
          ("kernel_size: 3", "6 channels to 0"),
          ("num_output: 4", "no kernel_size"),
          ("num_output: 4 kernel_size: [1, 1, 1]", "3 values of kernel_size for 2"),
          ("num_output: 4 kernel_size: 3 kernel_h: 3", "no kernel_size|kernel_h"),
          ("num_output: 4 kernel_h: 3", "one of 0"),
          ("num_output: 4 kernel_size: 3 stride: 0", "stride of 0"))],
    (layer("Convolution", convolution_param="num_output: 1 kernel_size: 30"), X,
     "y would be 2x1x-16x-20"),
    (layer("Convolution", "x z", "a b", convolution_param="num_output: 1 "
           "kernel_size: 1"), dict(X, z=(1, 6, 13, 9)), "expected one shape"),
    (layer("Convolution", "x x", convolution_param="num_output: 1 kernel_size: 1"),
     X, "2 bottoms and 1 tops"),
    (layer("DepthwiseConvolution", convolution_param="num_output: 6 kernel_size: 1 "
           "group: 3"), X, "group 3; expected .* 6"),
    (layer("DepthwiseConvolution", convolution_param="num_output: 6 kernel_size: 1 "
           "group: 6"), dict(x=(1, 6, 4)), "expected 4 axes"),
    *[(layer("Pooling", pooling_param=fields), X, message) for fields, message in (
        ("", "no kernel_size"), ("kernel_h: 3", "kernel_h and kernel_w"),
        ("kernel_size: 3 kernel_h: 3 kernel_w: 3", "kernel_h and kernel_w"),
        ("kernel_size: 3 stride: 1 stride_h: 1 stride_w: 1", "stride_h"),
        ("kernel_size: 3 pad: 3", "pad 3x3 of a kernel 3x3"),
        ("kernel_size: 3 pad: 1 pool: STOCHASTIC", "no stochastic"),
        ("kernel_size: 30", "y would be"),
        ("global_pooling: true kernel_size: 3", "global_pooling with a kernel"),
        ("global_pooling: true stride: 2", "global_pooling with"))],
    (layer("Pooling", pooling_param="kernel_size: 1"), dict(x=(1, 2, 3)), "4 axes"),
    (layer("Pooling", "x", "a b", pooling_param="kernel_size: 1 pool: AVE"), X,
     "2 tops"),
    (layer("ChannelPooling"), dict(x=(3,)), "N x C"),
    (layer("ChannelPooling", pooling_param="pool: STOCHASTIC"), X, "MAX or AVE"),
    (layer("ChannelPooling", "x", "x"), X, "in place"),
    (layer("Interp", "x z"), dict(X, z=(1, 2)), "4 axes"),
    (layer("Interp"), X, "expected one of"),
    (layer("Interp", "x z", interp_param="height: 2 width: 2"), dict(X, z=X["x"]),
     "expected one of"),
    (layer("Interp", interp_param="height: 2"), X, "would be 2x6x2x0"),
    (layer("Interp", interp_param="zoom_factor: 0"), X, "factor"),
    (layer("Interp", interp_param="zoom_factor: 2 pad_beg: -1"), X, "pad_beg"),
    (layer("InnerProduct", inner_product_param="num_output: 2 axis: 5"), X,
     "axis 5"),
    (layer("Eltwise", "x z"), dict(X, z=(2, 6, 13, 8)), "2x6x13x9, 2x6x13x8"),
    (layer("Eltwise", "x x", eltwise_param="coeff: 1"), X, "1 coefficients for 2"),
    (layer("Eltwise", "x x", eltwise_param="coeff: [1, 1] operation: PROD"), X,
     "only sums"),
    (layer("Concat", "x z"), dict(X, z=(2, 6, 1, 9)), "but for axis 1"),
    (layer("Concat", "x z"), dict(X, z=(2, 6)), "but for axis 1"),
    (layer("Concat", "x x", concat_param="axis: 1 concat_dim: 1"), X, "one of the"),
    (layer("Axpy", "a x x"), dict(X, a=(2, 5)), "bottom\\[0\\] is 2x5"),
    (layer("Axpy", "a x z"), dict(X, a=(2, 6), z=(2, 6)), "expected one shape"),
    (layer("BroadcastProduct", "x z"), dict(X, z=(2, 6)), "of size 1"),
    (layer("BroadcastProduct", "x z"), dict(X, z=(2, 2, 1, 1)), "of size 1"),
    (layer("BroadcastProduct", "x z", "x"), dict(X, z=(2, 6, 1, 1)), "in place"),
    (layer("Slice", "x", "a b c d"), X, "4 tops of the 6"),
    (layer("Slice", "x", "a b c", slice_param="slice_point: 2"), X, "and 3 tops"),
    (layer("Slice", "x", "a b c", slice_param="slice_point: [4, 2]"), X, "points"),
    *[(layer("Reshape", reshape_param=fields), X, message) for fields, message in (
        ("shape { dim: [-1, -1] }", "dimensions"), ("shape { dim: 5 }", "dimensions"),
        ("shape { dim: [-1, 5] }", "dimensions"), ("shape { dim: -2 }", "dimensions"),
        ("shape { dim: [0, 0, 0, 0, 0] }", "dimensions"),
        ("axis: 3 num_axes: 2", "num_axes 2"), ("axis: 5", "axis 5"))],
    (layer("Reshape", "x", "x", reshape_param="shape { dim: -1 }"), X, "in place"),
    (layer("Flatten", "x", "x"), X, "in place"),
    (layer("Tile"), X, "y would be 2x0x13x9"),
    (layer("Crop", "x z"), dict(X, z=(2, 6, 14, 9)), "14x9 of"),
    (layer("Crop", "x z", crop_param="offset: 1"), dict(X, z=X["x"]), "offsets"),
    (layer("Crop", "x x", crop_param="axis: 1 offset: 1 offset: 1"), X, "2 offsets"),
    (layer("Reduction", reduction_param="axis: -5"), X, "axis -5"),
    (layer("AugmentedData", "", "a", transform_param="crop_size: 2"), {},
     "expected one source"),
    (layer("AugmentedData", "", "a", data_param="source: 'x'",
           image_data_param="source: 'x'"), {}, "expected one source"),
    (layer("SoftmaxWithLoss", "x z"), dict(x=(5, 4), z=(4,)), "4 labels"),
    (layer("SoftmaxWithLoss", "x z", "a b"), dict(x=(5, 4), z=(5,)), "2 tops"),
    (layer("Accuracy", "x z"), dict(x=(5, 4), z=(5, 2)), "5x2 labels"),
    (layer("Accuracy", "x z", accuracy_param="top_k: 5"), dict(x=(5, 4), z=(5,)),
     "top_k 5 of 4"),
    (layer("ReLU") + layer("ReLU", "y", "x"), X, "top x"),
    ("layer { name: 'it' type: 'ReLU' bottom: 'x' top: 'y' include { phase: TEST } "
     "exclude { phase: TRAIN } }", X, "one of the two"),
    (layer("DummyData", "", "a", dummy_data_param="shape { dim: [65536, 32768] }"),
     {}, "below 2\\^31"),
]


@pytest.mark.parametrize("text, shapes, message", BAD, ids=kinds)
def test_what_does_not_fit_is_named_and_refused_by_caffe(text, shapes, message,
                                                         tmp_path):
    path = tmp_path / "bad.prototxt"
    path.write_text(with_inputs(text, **shapes))
    assert refused_by_caffe(str(path))
    with pytest.raises(InputError, match=message) as error:
        infer(read_net(path), source=path)
    assert str(error.value).startswith(f"{path}: layer it")


@pytest.mark.parametrize("text, shapes, message", [
    (layer("Data", "", "a", data_param="batch_size: 2"), {}, "no crop_size"),
    (layer("AugmentedData", "", "a", data_param="source: 'x' batch_size: 2"), {},
     "no crop_size"),
    (layer("Input", "", "a", input_param="shape { dim: 0 }"), {}, "a would be 0"),
    (layer("Slice", "x", "a b", slice_param="slice_point: 6"), X, "slice points"),
    (layer("Flatten", flatten_param="axis: 3 end_axis: 1"), X, "axis 3 to 1"),
    ("input: 'x' input: 'z' input_dim: 1 " + layer("ReLU"), {}, "2 inputs with 1"),
    ("layer { name: 'a' type: 'ReLU' include { phase: TRAIN } }", {},
     "no layers in the phase TEST"),
    ("layers { name: 'a' type: RELU bottom: 'x' top: 'y' }", {},
     "upgrade_net_proto_text"),
], ids=kinds)
def test_what_caffe_lets_pass_or_cannot_tell(text, shapes, message):
    with pytest.raises(InputError, match=message):
        infer(parse(with_inputs(text, **shapes)))
