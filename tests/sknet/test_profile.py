import caffe
import numpy as np
import pytest
from google.protobuf import text_format

from sknet import models
from sknet.profile import profile
from sknet.proto import caffe_pb2
from sknet.receptive_field import receptive_fields
from sknet.shapes import shaped_layers

from net_files import write_net

# Learnable parameters, with statistics, multiply-adds: counted from the
# published prototxts, and from public definitions of the others.
FIGURES = {
    "sknet50": (27479784, 27564328, 4.463), "sknet101": (48686760, 48859304, 8.449),
    "resnext50": (25028904, 25097128, 4.230),
    "resnext101": (44177704, 44315560, 7.970),
    "senet50": (27559896, 27628120, 4.233), "senet101": (48955416, 49093272, 7.975)}


@pytest.mark.parametrize("name", FIGURES)
def test_figures(name):
    result = profile(models.create(name))
    assert (result.total("params"), result.total("params_with_stats"),
            round(result.total("macs") / 1e9, 3)) == FIGURES[name]


# SKNet's README, table 2.
@pytest.mark.parametrize("name, options, published", [
    ("sknet50", {}, 4.47), ("sknet101", {}, 8.46),
    ("resnext50", dict(bn="caffe"), 4.24), ("resnext101", dict(bn="caffe"), 7.99),
    ("senet50", dict(bn="caffe"), 4.25), ("senet101", dict(bn="caffe"), 8.00)])
def test_table2_is_the_published_rule(name, options, published):
    net = models.create(name, **options)
    assert round(profile(net, "table2").total("macs") / 1e9, 2) == published
    assert round(profile(net).total("macs") / 1e9, 2) < published


@pytest.mark.parametrize("name", models.names())
def test_parameters_are_what_caffe_holds(name, tmp_path):
    net = models.create(name)
    real = caffe.Net(write_net(tmp_path / "net.prototxt", net), caffe.TEST)
    result = {layer.name: layer for layer in profile(net).layers}
    assert {name: layer.params_with_stats for name, layer in result.items()
            if layer.params_with_stats} == {
        name: sum(blob.count for blob in blobs)
        for name, blobs in real.params.items()}
    for name, blobs in real.params.items():
        learnt = blobs[:2] if result[name].type == "CuDNNBatchNorm" else blobs
        assert result[name].params == sum(blob.count for blob in learnt)


def parse(layers, *shape, before=""):
    """A net of one input x, and layers as `type: bottoms: top: fields`."""
    dims = " ".join(f"dim: {dim}" for dim in shape)
    text = (f"layer {{ name: 'x' type: 'Input' top: 'x' input_param {{ shape {{ "
            f"{dims} }} }} }} {before}")
    for line in layers:
        kind, bottoms, top, fields = (part.strip() for part in line.split("|"))
        bottoms = " ".join(f"bottom: '{bottom}'" for bottom in bottoms.split())
        text += (f"layer {{ name: '{top}-{kind}' type: '{kind}' {bottoms} "
                 f"top: '{top}' {fields} }}\n")
    return text_format.Parse(text, caffe_pb2.NetParameter())


CONV = "convolution_param { num_output: 4 kernel_size: 3 %s }"
SMALL = parse([
    "Convolution | x | a | " + CONV % "group: 2 pad: 1 stride: 2",
    "BatchNorm | a | a |", "Scale | a | a | scale_param { bias_term: true }",
    "ReLU | a | a |", "Dropout | a | d |",
    "Deconvolution | d | b | " + CONV % "stride: 2 bias_term: false",
    "CuDNNBatchNorm | b | c |",
    "Pooling | c | g | pooling_param { pool: AVE global_pooling: true }",
    "Axpy | g c c | h |",
    "Reshape | h | r | reshape_param { shape { dim: [0, -1] } }",
    "InnerProduct | r | y | inner_product_param { num_output: 7 }",
    "InnerProduct | r | z | inner_product_param { num_output: 7 transpose: true }",
    "Softmax | y | p |"], 3, 2, 5, 5)


def by_layer(cost, **options):
    return {layer.name: getattr(layer, cost)
            for layer in profile(SMALL, **options).layers if getattr(layer, cost)}


def test_a_small_net_by_hand():
    # 2x5x5 → 4x3x3 → 4x7x7
    convolutions = {"a-Convolution": 4 * 9 * 9, "b-Deconvolution": 4 * 9 * 4 * 9,
                    "y-InnerProduct": 7 * 196, "z-InnerProduct": 7 * 196}
    table2 = {**convolutions, "a-Scale": 36, "h-Axpy": 196}
    assert by_layer("macs") == by_layer("macs", macs="conv_fc") == convolutions
    assert by_layer("macs", macs="table2") == table2
    assert by_layer("macs", macs="all") == {
        **table2, "a-BatchNorm": 36, "a-ReLU": 36, "c-CuDNNBatchNorm": 196,
        "g-Pooling": 4, "p-Softmax": 7}
    learnable = {"a-Convolution": 4 * 9 + 4, "a-Scale": 8,
                 "b-Deconvolution": 4 * 4 * 9, "c-CuDNNBatchNorm": 8,
                 "y-InnerProduct": 7 * 196 + 7, "z-InnerProduct": 7 * 196 + 7}
    assert by_layer("params") == learnable
    assert by_layer("params_with_stats") == {
        **learnable, "a-BatchNorm": 9, "c-CuDNNBatchNorm": 16}
    assert profile(SMALL).batch == 3


def test_activations_are_the_memory_that_caffe_uses(tmp_path):
    for net in SMALL, models.create("sknet_digits", batch=2):
        real = caffe.Net(write_net(tmp_path / "net.prototxt", net), caffe.TEST)
        real.forward()
        memory = {blob.data.ctypes.data: blob.data.nbytes
                  for blob in real.blobs.values()}
        assert profile(net).total("activations") == sum(memory.values())


def test_shared_parameters_count_once():
    shared = ("param { name: 'w' } param { name: '%s' } "
              "inner_product_param { num_output: 4 }")
    net = parse([f"InnerProduct | x | y | {shared % 'b'}",
                 f"InnerProduct | y | z | {shared % ''}"], 2, 4)
    assert [layer.params for layer in profile(net).layers] == [0, 20, 4]


def test_batch_changes_memory_alone():
    one, four = (profile(models.create("sknet_digits", batch=batch))
                 for batch in (1, 4))
    assert four.total("activations") == 4 * one.total("activations")
    for cost in ("macs", "params"):
        assert four.total(cost) == one.total(cost)
    assert (one.batch, four.batch) == (1, 4)


def test_train_val_is_measured_in_a_phase():
    net = models.create("sknet_digits", "train_val")
    train, test = (profile(net, phase=phase)
                   for phase in (caffe_pb2.TRAIN, caffe_pb2.TEST))
    assert (train.batch, test.batch) == (32, 50)
    assert [layer.type for layer in train.layers].count("Accuracy") == 0
    assert [layer.type for layer in test.layers].count("Accuracy") == 2
    assert train.total("macs") == test.total("macs")
    assert test.layers[0].receptive_field == (1, 1)
    assert [layer.receptive_field for layer in test.layers[-3:]] == [None] * 3


def field_in_caffe(net, path):
    """How many pixels of the input x, in height and width, a value of the last
    layer's top depends on: where its gradient is not 0, for the value which has
    most of them."""
    net.force_backward = True
    net = caffe.Net(write_net(path, net), caffe.TEST)
    rng = np.random.default_rng(0)
    for blobs in net.params.values():
        for blob in blobs:
            blob.data[...] = rng.uniform(1, 2, blob.data.shape)
    net.blobs["x"].data[...] = rng.uniform(1, 2, net.blobs["x"].data.shape)
    net.forward()
    top = net.blobs[net.outputs[0]]
    most = np.zeros(2, int)
    for place in np.ndindex(*top.data.shape[2:]):
        top.diff[...] = 0
        top.diff[(0, 0, *place)] = 1
        net.backward()
        reached = np.argwhere(net.blobs["x"].diff[0].any(0))
        most = np.maximum(most, np.ptp(reached, axis=0) + 1)
    return tuple(most.tolist())


def conv(fields, bottom="x", top="y"):
    return (f"Convolution | {bottom} | {top} | convolution_param {{ num_output: 1 "
            f"{fields} }}")


AVE = "Pooling | x | p | pooling_param { pool: AVE kernel_size: %s stride: %s }"


@pytest.mark.parametrize("layers", [
    [conv("kernel_size: 3")],
    [conv("kernel_size: 3 dilation: 2"), conv("kernel_size: 3", "y", "z")],
    [conv("kernel_size: 3 stride: 2"), conv("kernel_size: 3 pad: 1", "y", "z")],
    [conv("kernel_h: 1 kernel_w: 7"), conv("kernel_h: 5 kernel_w: 1 stride_h: 2 "
                                           "stride_w: 1", "y", "z"),
     conv("kernel_size: 2", "z", "w")],
    [conv("kernel_size: 7 stride: 2 pad: 3"), "ReLU | y | y |",
     "Pooling | y | p | pooling_param { pool: AVE kernel_size: 3 stride: 2 }",
     conv("kernel_size: 3 dilation: 2", "p", "z")],
    [AVE % (3, 2), conv("kernel_size: 1", "p"), conv("kernel_size: 3", "p", "z"),
     conv("kernel_size: 3 dilation: 2 pad: 1", "p", "w"),
     "Crop | y z | c | crop_param { offset: 1 }", "Eltwise | c z w | s |"],
    [conv("kernel_size: 1"), conv("kernel_size: 3 pad: 1", "x", "z"),
     "Concat | y z | c |", conv("kernel_size: 1", "c", "w")],
    [AVE % (2, 2), "Deconvolution | p | y | convolution_param { num_output: 1 "
     "kernel_size: 4 stride: 2 pad: 1 }", conv("kernel_size: 3", "y", "z")],
    [AVE % (2, 2), "Deconvolution | p | y | convolution_param { num_output: 1 "
     "kernel_size: 3 stride: 2 }"],
    [AVE % (2, 2), "Deconvolution | p | y | convolution_param { num_output: 1 "
     "kernel_size: 2 stride: 2 }", conv("kernel_size: 3", "y", "z")],
    ["LRN | x | y | lrn_param { norm_region: WITHIN_CHANNEL local_size: 5 }"],
    ["LRN | x | y |"],
    [AVE % (3, 2), "Interp | p x | y |", conv("kernel_size: 3", "y", "z")],
    ["Interp | x | y | interp_param { shrink_factor: 2 }",
     conv("kernel_size: 3", "y", "z")],
    ["Interp | x | y | interp_param { shrink_factor: 2 zoom_factor: 3 }"],
    ["Interp | x | y | interp_param { height: 21 width: 21 }"],
])
def test_receptive_fields_are_where_caffes_gradients_reach(layers, tmp_path):
    net = parse(layers, 1, 1, 37, 37)
    field = receptive_fields(shaped_layers(net))[-1]
    assert field == field_in_caffe(net, tmp_path / "net.prototxt")
    assert max(field) < 37


def test_gates_have_no_place():
    """What all of the input decides scales each place, and leaves its field."""
    net = parse([
        conv("kernel_size: 3 pad: 1"),
        "Pooling | y | g | pooling_param { pool: AVE global_pooling: true }",
        conv("kernel_size: 1", "g", "gate"),
        "Axpy | gate y x | z |", "Scale | z gate2 | w | scale_param { axis: 0 }",
        "Pooling | w | p | pooling_param { kernel_size: 20 pool: AVE }",
        "Pooling | w | all | pooling_param { kernel_size: 21 pool: AVE }",
        "InnerProduct | w | fc | inner_product_param { num_output: 2 }",
        "Softmax | fc | prob |"], 1, 1, 21, 21,
        before="layer { name: 'g2' type: 'DummyData' top: 'gate2' "
               "dummy_data_param { shape { dim: [1, 1] } } }")
    assert receptive_fields(shaped_layers(net)) == [
        (1, 1), None, (3, 3), None, None, (3, 3), (3, 3), (22, 22), None, None, None]


def test_sk_units_branches():
    result = profile(models.create("sknet50"))
    assert len(result.units) == 16
    # 7x7 of stride 2, pool 3x3 of stride 2: 11 pixels, in steps of 4.
    branches = result.units["conv2_1"]
    assert [vars(branch) for branch in branches] == [
        dict(name="conv2_1/3x3g32", kernel=3, receptive_field=(19, 19)),
        dict(name="conv2_1/3x3g32d2", kernel=5, receptive_field=(27, 27))]
    assert profile(models.create("resnext50")).units == {}
