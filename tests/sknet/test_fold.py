"""Folded nets give what the originals give in Caffe."""
import json

import caffe
import numpy as np
import pytest
from PIL import Image

from sknet.errors import InputError
from sknet.fold import fold
from sknet.lowering import to_batch_norm_and_scale
from sknet.models import create
from sknet.net import load
from sknet.source import shipped
from sknet.proto import caffe_pb2
from sknet.text import to_text
from sknet.weights import files
from sknet.weights.blobs import Blob

from net_files import write_net


def layer(name, kind, *bottoms, top=None, **fields):
    tops = [top or name] if isinstance(top, (str, type(None))) else top
    return caffe_pb2.LayerParameter(name=name, type=kind, bottom=bottoms, top=tops,
                                    **fields)


def conv(name, bottom, top=None, kind="Convolution", **fields):
    return layer(name, kind, bottom, top=top,
                 param=[dict(name=shared) for shared in fields.pop("shared", ())],
                 convolution_param=dict(dict(num_output=6, kernel_size=[3]), **fields))


def fc(name, bottom, **fields):
    return layer(name, "InnerProduct", bottom,
                 inner_product_param=dict(num_output=6, **fields))


def cudnn(name, bottom, top=None, **fields):
    return layer(name, "CuDNNBatchNorm", bottom, top=top, batch_norm_param=fields)


def norm(name, bottom, top=None, **fields):
    return layer(name, "BatchNorm", bottom, top=top, batch_norm_param=fields)


def scale(name, bottom, *gate, top=None, **fields):
    return layer(name, "Scale", bottom, *gate, top=top,
                 scale_param=dict(dict(bias_term=True), **fields))


def add(name, *bottoms):
    return layer(name, "Eltwise", *bottoms)


def relu(name, bottom, top=None):
    return layer(name, "ReLU", bottom, top=top)


def dropout(name, bottom, top=None):
    return layer(name, "Dropout", bottom, top=top)


# By name: a net's layers, and the types that it has when it is folded.
NETS = {
    "CuDNNBatchNorm": (
        [conv("c", "data"), cudnn("n", "c"), relu("r", "n", "n")],
        ["Convolution", "ReLU"]),
    "GENet's field": (
        [conv("c", "data"), layer("n", "CuDNNBatchNorm", "c",
                                  cudnn_batch_norm_param=dict(eps=.3))],
        ["Convolution"]),
    "BatchNorm, Scale": (
        [conv("c", "data"), norm("n", "c"), scale("s", "n")], ["Convolution"]),
    "in place": (
        [conv("c", "data", bias_term=False), norm("n", "c", "c"),
         scale("s", "c", top="c"), relu("r", "c", "c")], ["Convolution", "ReLU"]),
    "BatchNorm alone": (
        [conv("c", "data"), norm("n", "c", eps=.2)], ["Convolution"]),
    "Scale alone": ([conv("c", "data"), scale("s", "c")], ["Convolution"]),
    "no bias anywhere": (
        [conv("c", "data", bias_term=False), scale("s", "c", bias_term=False)],
        ["Convolution"]),
    "Scale from behind": (
        [conv("c", "data"), scale("s", "c", axis=-3)], ["Convolution"]),
    "own eps": (
        [conv("c", "data"), cudnn("n", "c", eps=.1), conv("d", "n"),
         cudnn("m", "d", eps=1)], ["Convolution", "Convolution"]),
    "groups": (
        [conv("c", "data", group=2), cudnn("n", "c")], ["Convolution"]),
    "depthwise": (
        [conv("c", "data", kind="DepthwiseConvolution", num_output=4, group=4),
         cudnn("n", "c")], ["DepthwiseConvolution"]),
    "deconvolution": (
        [conv("c", "data", kind="Deconvolution"), cudnn("n", "c")],
        ["Deconvolution"]),
    "deconvolution in groups": (
        [conv("c", "data", kind="Deconvolution", group=2), cudnn("n", "c")],
        ["Deconvolution"]),
    "fully connected": ([fc("c", "data"), cudnn("n", "c")], ["InnerProduct"]),
    "fully connected, transposed": (
        [fc("c", "data", transpose=True, bias_term=False), cudnn("n", "c")],
        ["InnerProduct"]),
    "fully connected, of rows": (
        [fc("c", "data", axis=2), cudnn("n", "c")], ["InnerProduct", "Scale"]),
    "a convolution of rows": (
        [conv("c", "data", axis=2, num_output=4), cudnn("n", "c")],
        ["Convolution", "Scale"]),
    "nothing before it": (
        [cudnn("n", "data"), conv("c", "n")], ["Scale", "Convolution"]),
    "several, nothing before them": (
        [norm("n", "data"), scale("s", "n"), scale("t", "s")], ["Scale"]),
    "concat before it": (
        [conv("a", "data"), conv("b", "data"), layer("c", "Concat", "a", "b"),
         norm("n", "c"), scale("s", "n", top="n")],
        ["Convolution", "Convolution", "Concat", "Scale"]),
    "two readers of the convolution": (
        [conv("c", "data"), cudnn("n", "c"), add("s", "c", "n")],
        ["Convolution", "Scale", "Eltwise"]),
    "two readers of BatchNorm": (
        [conv("c", "data"), norm("n", "c"), scale("s", "n"), add("t", "s", "n")],
        ["Convolution", "Scale", "Eltwise"]),
    "two norms of one convolution": (
        [conv("c", "data"), cudnn("n", "c"), cudnn("m", "c"), add("s", "n", "m")],
        ["Convolution", "Scale", "Scale", "Eltwise"]),
    "branches": (
        [conv("a", "data"), cudnn("n", "a"), relu("r", "n", "n"), conv("b", "data"),
         cudnn("m", "b"), add("s", "n", "m"), relu("t", "s", "s")],
        ["Convolution", "ReLU", "Convolution", "Eltwise", "ReLU"]),
    "the convolution later in place": (
        [conv("c", "data"), relu("r", "c", "c"), cudnn("n", "c")],
        ["Convolution", "ReLU", "Scale"]),
    "shared": (
        [conv("a", "data", shared=["w", "b"]), cudnn("n", "a"),
         conv("b", "data", shared=["w", "b"]), conv("c", "data", shared=["w", "b"]),
         add("s", "n", "b"), add("t", "s", "c")],
        ["Convolution", "Convolution", "Convolution", "Eltwise", "Eltwise"]),
    "statistics of the batch": (
        [conv("c", "data"), norm("n", "c", use_global_stats=False)],
        ["Convolution", "BatchNorm"]),
    "Scale of two axes": (
        [conv("c", "data"), scale("s", "c", num_axes=2)], ["Convolution", "Scale"]),
    "Scale of rows": (
        [conv("c", "data"), scale("s", "c", axis=2)], ["Convolution", "Scale"]),
    "Scale by a blob": (
        [conv("c", "data"), layer("p", "Pooling", "c", pooling_param=dict(
            global_pooling=True)), layer("f", "Flatten", "p"),
         scale("s", "c", "f", axis=0)],
        ["Convolution", "Pooling", "Flatten", "Scale"]),
    "one convolution of two blobs": (
        [relu("r", "data"), layer(
            "c", "Convolution", "data", "r", top=["c", "d"],
            convolution_param=dict(num_output=6, kernel_size=[3])),
         cudnn("n", "c"), add("s", "n", "d")],
        ["ReLU", "Convolution", "Scale", "Eltwise"]),
    "Dropout": (
        [conv("c", "data"), dropout("d", "c", "c"), cudnn("n", "c"),
         dropout("e", "n"), conv("b", "e")], ["Convolution", "Convolution"]),
    "Dropout, then in place": (
        [conv("c", "data"), dropout("d", "c"), relu("r", "d", "d"),
         add("s", "c", "d")], ["Convolution", "ReLU", "Eltwise"]),
    "Dropout of Dropout": (
        [conv("c", "data"), dropout("d", "c"), dropout("e", "d", "d"),
         dropout("f", "d"), cudnn("n", "f")], ["Convolution"]),
    "Dropout last": (
        [conv("c", "data"), dropout("d", "c")], ["Convolution", "Dropout"]),
    "Dropout last, in place": (
        [conv("c", "data"), dropout("d", "c", "c")], ["Convolution"]),
    "Split": (
        [conv("c", "data"), layer("split", "Split", "c", top=["d", "e"]),
         cudnn("n", "d"), relu("r", "e", "e"), add("s", "n", "e")],
        ["Convolution", "Scale", "ReLU", "Eltwise"])}


def make(layers):
    return caffe_pb2.NetParameter(name="small", layer=[
        layer("data", "Input", input_param=dict(
            shape=[dict(dim=[2, 4, 6, 5])])), *layers])


def filled(folder, param):
    """A caffe.Net with random weights and image, as it stands after a pass, and
    the path of its weights."""
    net = caffe.Net(write_net(folder / "net.prototxt", param), caffe.TEST)
    random = np.random.default_rng(0)
    for each in net.layers:
        for blob in each.blobs:
            blob.data[...] = random.normal(size=blob.data.shape)
        if each.type == "CuDNNBatchNorm":
            each.blobs[3].data[...] = random.uniform(.5, 2, each.blobs[3].data.shape)
        if each.type == "BatchNorm":
            each.blobs[1].data[...] = random.uniform(.5, 2, each.blobs[1].data.shape)
            # What Caffe's moving averages tend to, at 0.999.
            each.blobs[2].data[...] = 999.98
            for blob in each.blobs[:2]:
                blob.data[...] *= 999.98
    net.blobs["data"].data[...] = random.normal(size=net.blobs["data"].data.shape)
    net.forward()
    path = str(folder / "net.caffemodel")
    net.save(path)
    return net, path


def assert_equal(folder, param, path, reference, within=1e-5):
    """Fold, and compare the results with a caffe.Net's; return the folded net."""
    folded, weights = fold(param, files.read(path))
    files.write(folder / "folded.caffemodel", weights)
    net, unused = load(folded, folder / "folded.caffemodel")
    assert not unused
    net.blobs["data"].data[...] = reference.blobs["data"].data
    net.forward()
    assert list(net.outputs) == list(reference.outputs)
    for name in reference.outputs:
        expected = reference.blobs[name].data
        difference = abs(net.blobs[name].data - expected).max()
        assert difference < within * abs(expected).max(), name
    return folded


def types(net):
    return [layer.type for layer in net.layer if layer.type != "Input"]


@pytest.mark.parametrize("name", NETS)
def test_small_nets(name, tmp_path):
    layers, expected = NETS[name]
    param = make(layers)
    before = to_text(param)
    net, path = filled(tmp_path, param)
    assert types(assert_equal(tmp_path, param, path, net)) == expected
    assert to_text(param) == before


def test_bias_only_where_there_is_one(tmp_path):
    param = make(NETS["no bias anywhere"][0])
    net, path = filled(tmp_path, param)
    folded = assert_equal(tmp_path, param, path, net)
    assert not folded.layer[1].convolution_param.bias_term


def test_statistics_of_no_batch(tmp_path):
    """A BatchNorm whose factor is 0 takes mean and variance for 0."""
    param = make([conv("c", "data"), norm("n", "c", eps=.5)])
    net, path = filled(tmp_path, param)
    net.params["n"][2].data[...] = 0
    net.save(path)
    net.forward()
    assert_equal(tmp_path, param, path, net)


def test_shared_blobs_stored_once(tmp_path):
    param = make(NETS["shared"][0])
    net, path = filled(tmp_path, param)
    weights = files.read(path)
    for name in "bc":
        del weights.layers[name]
    files.write(path, weights, force=True)
    folded = assert_equal(tmp_path, param, path, net)
    assert [[spec.name for spec in layer.param] for layer in folded.layer[1:4]] == [
        [], ["w", "b"], ["w", "b"]]


def test_blobs_of_older_files(tmp_path):
    param = make([fc("c", "data"), norm("n", "c")])
    net, path = filled(tmp_path, param)
    weights = files.read(path)
    for stored in weights.layers.values():
        stored.blobs[:] = [
            Blob(blob.data.reshape((1,) * (4 - blob.data.ndim) + blob.shape), True)
            for blob in stored.blobs]
    files.write(path, weights, force=True)
    assert_equal(tmp_path, param, path, net)


def test_weights_that_do_not_fit(tmp_path):
    param = make([conv("c", "data"), cudnn("n", "c")])
    _, path = filled(tmp_path, param)
    weights = files.read(path)
    variance = weights.layers["n"].blobs[3].data.copy()
    variance[0, 2] = -1
    weights.layers["n"].blobs[3] = Blob(variance)
    with pytest.raises(InputError, match="layer n: a variance of -1; expected 0"):
        fold(param, weights)
    weights.layers["n"].blobs.pop()
    with pytest.raises(InputError, match="layer n: 3 blobs; the net's has 4"):
        fold(param, weights)
    del weights.layers["n"]
    with pytest.raises(InputError, match="layer n: "):
        fold(param, weights)


def test_bvlcs_batch_norm_folds_to_the_same(tmp_path):
    """Of CuDNNBatchNorm and of what it is lowered to, blob by blob."""
    param = create("sknet_digits")
    weights = files.read(shipped("sknet_digits", "sknet_digits.caffemodel"))
    folded, own = fold(param, weights)
    lowered, others = fold(*to_batch_norm_and_scale(param, weights))
    assert to_text(folded) == to_text(lowered)
    for name, stored in own.layers.items():
        for blob, other in zip(stored.blobs, others.layers[name].blobs, strict=True):
            np.testing.assert_array_equal(blob.data, other.data)


DIGITS = [str(path) for path in sorted(
    shipped("sknet_digits", "images").glob("*.png"))]


def test_the_command(sknet, tmp_path):
    prefix = tmp_path / "folded"
    done = sknet("fold", "sknet_digits", "-o", prefix, "--images", *DIGITS)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{prefix}.prototxt, {prefix}.caffemodel: 178 ")
    assert float(done.stdout.split()[-1]) < 1e-5
    text = (tmp_path / "folded.prototxt").read_text()
    assert text.startswith(f"# Made by: sknet fold sknet_digits -o {prefix}\n")
    assert "BatchNorm" not in text
    own, theirs = (sknet("classify", "--model", model, *weights, "--json", *DIGITS)
                   for model, weights in [
                       (f"{prefix}.prototxt", ["--weights", f"{prefix}.caffemodel"]),
                       ("sknet_digits", [])])
    tops = [[[row["class"] for row in image["predictions"][:1]]
             for image in json.loads(done.stdout)["images"]]
            for done in (own, theirs)]
    assert tops[0] == tops[1]


def test_nets_for_training(sknet, tmp_path):
    weights = shipped("sknet_digits", "sknet_digits.caffemodel")
    folded = []
    for name, model in [("a", "sknet_digits"),
                        ("b", shipped("sknet_digits", "train_val.prototxt"))]:
        done = sknet("fold", model, "--weights", weights, "-o", tmp_path / name)
        assert done.returncode == 0, done.stderr
        folded.append(((tmp_path / f"{name}.prototxt").read_text().splitlines()[1:],
                       (tmp_path / f"{name}.caffemodel").read_bytes()))
    assert folded[0] == folded[1]


def test_nothing_is_overwritten_or_half_written(refused, sknet, tmp_path):
    prefix = tmp_path / "folded"
    model = tmp_path / "folded.caffemodel"
    model.write_text("mine")
    refused("fold", "sknet_digits", "-o", prefix,
            naming=[str(model), "is there already", "--force"])
    assert model.read_text() == "mine"
    assert sknet("fold", "sknet_digits", "-o", prefix, "--force").returncode == 0
    files.read(model)
    Image.new("RGB", (9, 9)).save(tmp_path / "small.png")
    (tmp_path / "not.png").write_text("text")
    for image in ("not.png", "none.png"):
        refused("fold", "sknet_digits", "-o", tmp_path / "other", "--images",
                tmp_path / image, naming=[image])
    refused("fold", "sknet50", "-o", tmp_path / "other", naming=["--weights"])
    refused("fold", "sknet26", "--weights", model, "-o", tmp_path / "other",
            naming=[str(model), "layer conv1"])
    assert {path.name for path in tmp_path.iterdir()} == {
        "folded.prototxt", "folded.caffemodel", "small.png", "not.png"}


def test_results_that_differ_are_not_written(refused, digits, tmp_path):
    weights = files.read(digits.weights)
    huge = np.full(weights.layers["classifier"].blobs[0].shape, 3e38, "f4")
    weights.layers["classifier"].blobs[0] = Blob(huge)
    files.write(tmp_path / "huge.caffemodel", weights)
    refused("fold", "sknet_digits", "--weights", tmp_path / "huge.caffemodel", "-o",
            tmp_path / "folded", naming=["differ by nan"])
    assert [path.name for path in tmp_path.iterdir()] == ["huge.caffemodel"]
