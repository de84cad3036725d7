"""Nets of a layer or two in ONNX Runtime give what caffe.Net gives, at two batches
from one file."""
import caffe
import numpy as np
import pytest
from google.protobuf import text_format
from sknet.errors import InputError
from sknet.onnx import export
from sknet.proto import caffe_pb2

from onnx_nets import assert_equal, checked, exported, weights_of

IMAGE = (2, 6, 9, 7)
# Type and the rest of a layer, with the shapes of its bottoms (else IMAGE).
CASES = [
    ("Convolution", "convolution_param { num_output: 4 kernel_size: 3 }"),
    ("Convolution", "convolution_param { num_output: 4 kernel_size: 3 pad: 2 "
     "stride: 2 dilation: 2 group: 2 bias_term: false }"),
    ("Convolution", "convolution_param { num_output: 9 kernel_h: 1 kernel_w: 5 "
     "pad_h: 0 pad_w: 2 stride_h: 2 stride_w: 1 group: 3 }"),
    ("Convolution", "convolution_param { num_output: 4 kernel_size: 3 "
     "kernel_size: 2 stride: 1 stride: 2 dilation: 2 dilation: 1 }"),
    ("Convolution", "convolution_param { num_output: 4 kernel_size: 3 }",
     (2, 3, 8)),
    ("Convolution", "top: 'z' convolution_param { num_output: 4 kernel_size: 3 }",
     IMAGE, IMAGE),
    ("DepthwiseConvolution", "convolution_param { num_output: 12 kernel_size: 3 "
     "pad: 1 stride: 2 group: 6 }"),
    ("Deconvolution", "convolution_param { num_output: 4 kernel_size: 4 stride: 2 "
     "pad: 1 }"),
    ("Deconvolution", "convolution_param { num_output: 6 kernel_size: 3 stride: 3 "
     "dilation: 2 group: 3 bias_term: false }"),
    ("CuDNNBatchNorm", "batch_norm_param { eps: 0.01 }"),
    ("CuDNNBatchNorm", "cudnn_batch_norm_param { eps: 0.1 frozen: true }"),
    ("CuDNNBatchNorm", "", (2, 6)),
    ("CuDNNBatchNorm", "", (2, 6, 3, 2, 2)),
    ("BatchNorm", "batch_norm_param { eps: 0.01 }"),
    ("BatchNorm", "batch_norm_param { use_global_stats: true }", (2, 6)),
    ("Scale", ""),
    ("Scale", "scale_param { bias_term: true }"),
    ("Scale", "scale_param { axis: 1 num_axes: 2 bias_term: true }"),
    ("Scale", "scale_param { axis: -1 bias_term: true }"),
    ("Scale", "scale_param { axis: 1 num_axes: -1 }"),
    ("Scale", "scale_param { num_axes: 0 bias_term: true }"),
    ("Scale", "scale_param { axis: 0 }", IMAGE, (2, 6)),
    ("Scale", "scale_param { axis: 0 }", IMAGE, IMAGE),
    ("Scale", "scale_param { axis: 0 }", IMAGE, (2,)),
    ("Bias", ""),
    ("Bias", "bias_param { axis: 2 }"),
    ("Bias", "bias_param { axis: 0 }", IMAGE, (2, 6, 9)),
    ("ReLU", ""),
    ("ReLU", "relu_param { negative_slope: 0.3 }"),
    ("PReLU", ""),
    ("PReLU", "prelu_param { channel_shared: true }"),
    ("PReLU", "", (2, 6)),
    ("Sigmoid", ""),
    ("TanH", ""),
    ("ELU", "elu_param { alpha: 0.7 }"),
    ("Dropout", "dropout_param { dropout_ratio: 0.3 }"),
    ("Power", ""),
    ("Power", "power_param { scale: -2 }"),
    ("Power", "power_param { power: 3 scale: 0.5 shift: 1 }"),
    ("Power", "power_param { power: 0 shift: 2 }"),
    ("Power", "power_param { power: -2 scale: 0 shift: 2 }"),
    ("LRN", ""),
    ("LRN", "lrn_param { local_size: 3 alpha: 0.5 beta: 0.6 k: 2 }"),
    ("LRN", "lrn_param { local_size: 3 alpha: 0.5 norm_region: WITHIN_CHANNEL }"),
    ("Softmax", ""),
    ("Softmax", "softmax_param { axis: -1 }"),
    ("InnerProduct", "inner_product_param { num_output: 5 }"),
    ("InnerProduct", "inner_product_param { num_output: 5 bias_term: false }",
     (2, 6)),
    ("InnerProduct", "inner_product_param { num_output: 5 transpose: true }"),
    ("InnerProduct", "inner_product_param { num_output: 5 axis: 2 }"),
    ("InnerProduct", "inner_product_param { num_output: 5 axis: -1 "
     "transpose: true bias_term: false }"),
    ("Eltwise", "", IMAGE, IMAGE, IMAGE),
    ("Eltwise", "eltwise_param { coeff: 1 coeff: -2 }", IMAGE, IMAGE),
    ("Eltwise", "eltwise_param { operation: PROD }", IMAGE, IMAGE, IMAGE),
    ("Eltwise", "eltwise_param { operation: MAX }", IMAGE, IMAGE, IMAGE),
    ("Concat", "", IMAGE, (2, 3, 9, 7)),
    ("Concat", "concat_param { axis: -1 }", IMAGE, (2, 6, 9, 2)),
    ("Concat", "concat_param { concat_dim: 2 }", IMAGE),
    ("Slice", "top: 'z'"),
    ("Slice", "top: 'z' slice_param { slice_dim: 2 slice_point: 2 }"),
    ("Slice", "top: 'z' top: 'w' slice_param { axis: -1 slice_point: 1 "
     "slice_point: 5 }"),
    ("Split", "top: 'z'"),
    ("Reshape", "reshape_param { shape { dim: 0 dim: 2 dim: -1 dim: 0 } }",
     (2, 6, 1, 1)),
    ("Reshape", "reshape_param { shape { dim: -1 dim: 14 } axis: 1 }"),
    ("Reshape", "reshape_param { shape { dim: 2 dim: 3 } axis: 1 num_axes: 1 }"),
    ("Reshape", "reshape_param { shape { dim: 1 } axis: -1 num_axes: 0 }"),
    ("Reshape", "reshape_param { shape { dim: -1 dim: 0 } }", (2, 6, 6)),
    ("Flatten", ""),
    ("Flatten", "flatten_param { axis: 1 end_axis: 2 }"),
    ("Flatten", "flatten_param { axis: 0 end_axis: 1 }"),
    ("Tile", "tile_param { axis: 1 tiles: 3 }"),
    ("Tile", "tile_param { axis: -1 tiles: 2 }"),
    ("Crop", "crop_param { axis: 2 offset: 3 offset: 1 }", IMAGE, (2, 1, 4, 5)),
    ("Crop", "crop_param { axis: -1 offset: 1 }", IMAGE, (2, 6, 9, 3)),
    ("Axpy", "", (2, 6, 1, 1), IMAGE, IMAGE),
    ("Axpy", "", (2, 6), IMAGE, IMAGE),
    ("BroadcastProduct", "", IMAGE, (2, 6, 1, 1)),
    ("BroadcastProduct", "", (2, 1, 9, 7), (2, 6, 1, 7)),
    ("ChannelPooling", "pooling_param { pool: MAX }"),
    ("ChannelPooling", "pooling_param { pool: AVE }"),
    ("Interp", "", IMAGE, (2, 1, 14, 5)),
    ("Interp", "interp_param { height: 1 width: 15 }"),
    ("Interp", "interp_param { zoom_factor: 3 shrink_factor: 2 }"),
    ("Reduction", "reduction_param { axis: 1 }"),
    ("Reduction", "reduction_param { axis: -1 operation: MEAN coeff: 2 }"),
    ("Reduction", "reduction_param { axis: 2 operation: ASUM }"),
    ("Reduction", "reduction_param { axis: 1 operation: SUMSQ coeff: 0.5 }"),
]


def make(folder, kind, rest, *shapes):
    """(NetParameter, caffe.Net with random weights) of a layer with inputs of
    these shapes."""
    shapes = shapes or (IMAGE,)
    text = ""
    for number, shape in enumerate(shapes):
        dims = " ".join(f"dim: {dim}" for dim in shape)
        text += (f"layer {{ name: 'x{number}' type: 'Input' top: 'x{number}' "
                 f"input_param {{ shape {{ {dims} }} }} }}\n")
    bottoms = " ".join(f"bottom: 'x{number}'" for number in range(len(shapes)))
    text += f"layer {{ name: 'layer' type: '{kind}' {bottoms} top: 'y' {rest} }}"
    return from_text(folder, text)


def from_text(folder, text):
    path = folder / "net.prototxt"
    path.write_text(text)
    net = caffe.Net(str(path), caffe.TEST)
    random = np.random.default_rng(0)
    for blobs in net.params.values():
        for blob in blobs:
            blob.data[...] = random.uniform(.5, 2, blob.data.shape)
    return text_format.Parse(text, caffe_pb2.NetParameter()), net


def random_inputs(net, batch, size=None):
    random = np.random.default_rng(batch)
    shapes = {name: list(net.blobs[name].data.shape) for name in net.inputs}
    for shape in shapes.values():
        shape[0] = batch
        shape[2:] = size or shape[2:]
    return {name: random.normal(1, 2, shape) for name, shape in shapes.items()}


@pytest.mark.parametrize("case", CASES, ids=lambda case: " ".join(
    map(str, case)).replace("_param", ""))
def test_layer(tmp_path, case):
    param, net = make(tmp_path, *case)
    session = exported(param, net)
    for batch in 2, 3:
        inputs = random_inputs(net, batch)
        assert_equal(session, net, inputs, 1e-5)


POOLS = [
    "kernel_size: 3 stride: 2", "kernel_size: 3 stride: 2 pad: 1",
    "kernel_size: 2 stride: 2",
    "kernel_size: 3 pad: 1", "kernel_size: 5 stride: 3 pad: 2",
    "kernel_h: 3 kernel_w: 2 stride_h: 2 stride_w: 1 pad_h: 1 pad_w: 0",
    "kernel_size: 3 stride: 2 round_mode: FLOOR",
    "kernel_size: 3 stride: 2 pad: 1 round_mode: FLOOR",
    "global_pooling: true"]
# Those whose windows depend on the size: some begin in the padding.
POOLS_OF_A_SIZE = [
    "kernel_size: 2 stride: 2 pad: 1", "kernel_size: 2 stride: 3 pad: 1",
    "kernel_size: 3 stride: 3 pad: 2",
    "kernel_h: 2 kernel_w: 3 stride_h: 3 stride_w: 2 pad: 1",
    "kernel_h: 3 kernel_w: 2 stride: 3 pad: 1"]
SIZES = [(9, 7), (8, 10), (11, 5), (6, 12)]


@pytest.mark.parametrize("pool", ["MAX", "AVE"])
@pytest.mark.parametrize("window", POOLS + POOLS_OF_A_SIZE)
def test_pool(tmp_path, window, pool):
    for size in SIZES:
        param, net = make(tmp_path, "Pooling", f"pooling_param {{ pool: {pool} "
                          f"{window} }}", (2, 3, *size))
        session = exported(param, net)
        for batch in 2, 3:
            inputs = random_inputs(net, batch)
            # Below 0, so that no padding could pass as a maximum.
            inputs["x0"] = -1 - abs(inputs["x0"])
            assert_equal(session, net, inputs, 1e-5)


@pytest.mark.parametrize("pool", ["MAX", "AVE"])
@pytest.mark.parametrize("window", POOLS)
def test_pool_of_any_size(tmp_path, window, pool):
    param, net = make(tmp_path, "Pooling", f"pooling_param {{ pool: {pool} "
                      f"{window} }}", (2, 3, 9, 7))
    session = exported(param, net, dynamic_size=True)
    for size in SIZES:
        inputs = random_inputs(net, 3, size)
        inputs["x0"] = -1 - abs(inputs["x0"])
        assert_equal(session, net, inputs, 1e-5)


@pytest.mark.parametrize("param", [
    "shape { dim: 0 dim: 1 } axis: 1 num_axes: 1",
    "shape { dim: 3 dim: -1 } axis: 1", "shape { dim: 0 dim: 3 dim: 2 dim: -1 }",
    "shape { dim: 0 dim: 0 dim: 0 dim: -1 }", "shape { dim: 1 } num_axes: 0",
    "shape { dim: -1 } axis: 2",
    "shape { dim: 2 dim: 3 } axis: 1 num_axes: 1"])
def test_reshape_of_any_size(tmp_path, param):
    """Where axes whose sizes are not known move, too."""
    param, net = make(tmp_path, "Reshape", f"reshape_param {{ {param} }}")
    session = exported(param, net, dynamic_size=True)
    for size in SIZES:
        assert_equal(session, net, random_inputs(net, 3, size), 1e-6)


@pytest.mark.parametrize("window", POOLS_OF_A_SIZE)
def test_pools_whose_windows_depend_on_the_size_need_one(tmp_path, window):
    param, net = make(tmp_path, "Pooling", f"pooling_param {{ {window} }}",
                      (2, 3, 9, 7))
    with pytest.raises(InputError, match=r"layer layer \(Pooling\): kernel \d, "):
        export(param, weights_of(net), dynamic_size=True)


def test_window_outside_of_the_image(tmp_path):
    param, net = make(tmp_path, "Pooling", "pooling_param { kernel_size: 1 "
                      "stride: 2 }", (2, 3, 8, 8))
    with pytest.raises(InputError, match="begins outside"):
        export(param, weights_of(net))


IN_PLACE = """
layer { name: 'x' type: 'Input' top: 'x' input_param { shape {
    dim: 2 dim: 3 dim: 4 dim: 4 } } }
layer { name: 'relu' type: 'ReLU' bottom: 'x' top: 'x' }
layer { name: 'norm' type: 'CuDNNBatchNorm' bottom: 'x' top: 'y' }
layer { name: 'scale' type: 'Scale' bottom: 'y' top: 'y' }
layer { name: 'tanh' type: 'TanH' bottom: 'y' top: 'y' }
layer { name: 'sum' type: 'Eltwise' bottom: 'x' bottom: 'y' top: 's' }
"""


def test_names_of_values_in_place(tmp_path):
    """A blob's name is that of what it holds once the net is through; an input's,
    of what it is given."""
    param, net = from_text(tmp_path, IN_PLACE)
    model = export(param, weights_of(net))
    assert [(node.name, list(node.output)) for node in model.graph.node] == [
        ("relu", ["x@relu"]), ("norm", ["y@norm"]), ("scale", ["y@scale"]),
        ("tanh", ["y"]), ("sum", ["s"])]
    assert_equal(checked(model), net, random_inputs(net, 3))


def test_dims_and_shapes_of_all_values(tmp_path):
    param, net = make(tmp_path, "Convolution",
                      "convolution_param { num_output: 4 kernel_size: 3 }")
    session = exported(param, net, dynamic_size=True)
    assert session.get_inputs()[0].shape == ["batch", 6, "height", "width"]
    assert session.get_outputs()[0].shape[:2] == ["batch", 4]


@pytest.mark.parametrize("kind, rest, words", [
    ("BNLL", "", "no equal"),
    ("Pooling", "top: 'z' pooling_param { kernel_size: 2 }", "mask"),
    ("BatchNorm", "batch_norm_param { use_global_stats: false }", "learn"),
    ("Reshape", "reshape_param { shape { dim: 2 dim: 6 dim: 63 } }", "any batch"),
    ("Slice", "top: 'z' slice_param { axis: 0 }", "varies"),
    ("InnerProduct", "inner_product_param { num_output: 5 axis: 0 }", "one batch"),
    ("Convolution", "convolution_param { num_output: 4 kernel_size: 3 axis: 2 }",
     "axis 2")])
def test_what_onnx_cannot_say(tmp_path, kind, rest, words):
    param, net = make(tmp_path, kind, rest)
    with pytest.raises(InputError, match=rf"layer layer \({kind}\): .*{words}"):
        export(param, weights_of(net))


def test_inputs_of_several_batches(tmp_path):
    param, net = make(tmp_path, "Interp", "", IMAGE, (1, 1, 14, 5))
    with pytest.raises(InputError, match="2 batches"):
        export(param, weights_of(net))
