"""sknet convert."""
import json

import caffe
import numpy as np
import onnx
import pytest
from google.protobuf import text_format

from sknet.proto import caffe_pb2
from sknet.weights import files
from sknet.weights.blobs import Blob, Layer, Weights
from sknet.weights.surgery import average, with_classes

from net_files import write_net


@pytest.fixture
def other(digits, tmp_path):
    """The weights of `digits`, each twice as large."""
    weights = files.read(digits.weights)
    path = tmp_path / "other.caffemodel"
    files.write(path, Weights(weights.name, {
        name: Layer(layer.type, [Blob(blob.data * 2) for blob in layer.blobs])
        for name, layer in weights.layers.items()}))
    return path


@pytest.mark.parametrize("to, end", [
    ("h5", ".caffemodel.h5"), ("npz", ".npz"), ("safetensors", ".safetensors")])
def test_there_and_back_is_bit_exact(sknet, digits, tmp_path, to, end):
    there, back = tmp_path / f"there{end}", tmp_path / "back.caffemodel"
    done = sknet("convert", digits.weights, "--to", to, "-o", there)
    assert (done.returncode, done.stdout) == (0, f"{there}\n"), done
    assert sknet("convert", there, "--to", "caffemodel", "-o", back).returncode == 0
    one = tmp_path / "one.caffemodel"
    files.write(one, files.read(digits.weights))
    assert back.read_bytes() == one.read_bytes()


def test_without_a_name_the_file_lies_beside(sknet, digits, tmp_path):
    here = tmp_path / "w.caffemodel"
    here.write_bytes(open(digits.weights, "rb").read())
    assert sknet("convert", here, "--to", "npz").returncode == 0
    assert (tmp_path / "w.npz").exists()


def test_average_and_number_of_classes(sknet, digits, other, tmp_path):
    path = tmp_path / "mean.npz"
    done = sknet("convert", digits.weights, "--average", other, other,
                 "--num-classes", 3, "--to", "npz", "-o", path)
    assert done.returncode == 0, done
    before, after = files.read(digits.weights), files.read(path)
    for name, layer in after.layers.items():
        for blob, old in zip(layer.blobs, before.layers[name].blobs):
            if name == "classifier":
                assert blob.shape == (3, *old.shape[1:])
            else:
                np.testing.assert_allclose(blob.data, old.data * (5 / 3), rtol=1e-6)


def test_average_in_double_precision():
    large = [Weights("", {"a": Layer("", [Blob(np.float32([value]))])})
             for value in (3e38, 3e38)]
    assert average(large).layers["a"].blobs[0].data == np.float32(3e38)


def test_a_new_classifier_is_small_and_random():
    weights = with_classes(Weights("", {"classifier": Layer("InnerProduct", [
        Blob(np.ones((10, 4000), np.float32)), Blob(np.ones(10, np.float32))])}), 5)
    matrix, bias = (blob.data for blob in weights.layers["classifier"].blobs)
    assert matrix.shape == (5, 4000) and not bias.any()
    assert matrix.std() == pytest.approx(.01, rel=.05)


@pytest.mark.parametrize("options", [[], ["--reshape-free"]])
def test_stock_gives_the_same_scores(sknet, digits, tmp_path, options):
    done = sknet("convert", digits.weights, "--to", "stock", "--model",
                 "sknet_digits", "-o", tmp_path / "stock", *options)
    assert done.returncode == 0, done
    nets = [caffe.Net(digits.deploy, caffe.TEST, weights=digits.weights),
            caffe.Net(str(tmp_path / "stock.prototxt"), caffe.TEST,
                      weights=str(tmp_path / "stock.caffemodel"))]
    pixels = np.random.default_rng(0).normal(0, 1, (1, 3, 64, 64))
    scores = []
    for net in nets:
        net.blobs["data"].data[...] = pixels
        net.forward()
        scores.append(net.blobs["classifier"].data.copy())
    assert abs(scores[0] - scores[1]).max() < 1e-4 * abs(scores[0]).max()
    assert not {"CuDNNBatchNorm", "Axpy"} & {layer.type for layer in nets[1].layers}


def test_onnx(sknet, digits, tmp_path):
    path = tmp_path / "digits.onnx"
    done = sknet("convert", digits.weights, "--to", "onnx", "--model",
                 "sknet_digits", "-o", path)
    assert done.returncode == 0, done
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    kept = {item.key: json.loads(item.value) for item in model.metadata_props}
    assert kept["labels"] == list("0123456789")
    assert kept["preprocessing"]["mean"] == [128, 128, 128]


def test_weights_of_torchvision(sknet, tmp_path):
    torch = pytest.importorskip("torch")
    torchvision = pytest.importorskip("torchvision")
    state = torchvision.models.resnext50_32x4d().state_dict()
    torch.save(state, tmp_path / "r.pth")
    done = sknet("convert", tmp_path / "r.pth", "--from", "torchvision", "--model",
                 "resnext50", "--to", "caffemodel", "-o", tmp_path / "r.caffemodel",
                 "--mean", "0.5,0.4,0.3", "--std", "0.1,0.2,0.4")
    assert done.returncode == 0, done
    assert "--mean 76.5,102,127.5 --channels bgr" in done.stderr
    layers = files.read(tmp_path / "r.caffemodel").layers
    expected = state["conv1.weight"].numpy()[:, ::-1] / (
        255 * np.reshape([.4, .2, .1], (3, 1, 1)))
    np.testing.assert_allclose(layers["conv1/7x7_s2"].blobs[0].data, expected,
                               rtol=1e-5)
    assert (layers["classifier"].blobs[0].data == state["fc.weight"].numpy()).all()


def test_onnx_of_imported_weights_tells_their_pixels(sknet, tmp_path):
    torch = pytest.importorskip("torch")
    torchvision = pytest.importorskip("torchvision")
    torch.save(torchvision.models.resnext50_32x4d().state_dict(), tmp_path / "r.pth")
    done = sknet("convert", tmp_path / "r.pth", "--from", "torchvision", "--model",
                 "resnext50", "--to", "onnx", "-o", tmp_path / "r.onnx",
                 "--mean", "0.5,0.4,0.3", "--std", "0.1,0.2,0.4")
    assert done.returncode == 0, done
    kept = {item.key: json.loads(item.value)
            for item in onnx.load(tmp_path / "r.onnx").metadata_props}
    assert kept["preprocessing"]["mean"] == pytest.approx([76.5, 102, 127.5])
    assert kept["preprocessing"]["channels"] == "bgr"


def test_refusals(refused, sknet, digits, other, tmp_path):
    taken = tmp_path / "taken.npz"
    taken.write_text("mine")
    more = tmp_path / "more.npz"
    files.write(more, Weights("", {"fc": Layer("", [Blob(np.float32([1]))])}))
    net = write_net(tmp_path / "net.prototxt", digits.param)
    for arguments, words in [
            ((digits.weights, "--to", "npz", "-o", taken), ["taken.npz", "--force"]),
            ((digits.weights, "--to", "npz", "-o", "a.h5"), ["a.h5", ".npz"]),
            ((digits.weights, "--to", "onnx"), ["--model"]),
            ((digits.weights, "--to", "npz", "--model", net), ["--model"]),
            ((digits.weights, "--to", "stock", "--model", "sknet50", "-o",
              tmp_path / "x"), ["layer conv1/7x7_s2"]),
            ((more, "--to", "npz", "-o", tmp_path / "x.npz", "--num-classes", 2),
             ["more.npz", "classifier"]),
            ((digits.weights, "--to", "npz", "-o", tmp_path / "x.npz", "--average",
              more), ["layer"])]:
        refused("convert", *arguments, naming=words)
    assert taken.read_text() == "mine"
    assert not list(tmp_path.glob("x*"))


def test_labels_of_another_net(refused, digits, tmp_path):
    labels = tmp_path / "labels.txt"
    labels.write_text("a\nb\n")
    refused("convert", digits.weights, "--to", "onnx", "--model", "sknet_digits",
            "--labels", labels, "-o", tmp_path / "net.onnx",
            naming=[str(labels), "2 labels", "10 classes"])
    assert not (tmp_path / "net.onnx").exists()


def test_deviations_of_0(refused, tmp_path):
    refused("convert", tmp_path / "x.pth", "--from", "timm", "--model", "resnext50",
            "--to", "caffemodel", "-o", tmp_path / "x.caffemodel",
            "--mean", "0.4,0.4,0.4", "--std", "0,1,1", naming=["--std"])


def test_other_classes_have_other_labels(sknet, digits, tmp_path):
    """The digits' names stay with a net of ten classes."""
    deploy, weights = tmp_path / "seven.prototxt", tmp_path / "seven.caffemodel"
    for args in (("generate", "sknet_digits", "--num-classes", 7, "-o", deploy),
                 ("convert", digits.weights, "--num-classes", 7, "--to", "caffemodel",
                  "-o", weights)):
        assert sknet(*args).returncode == 0
    for model, file, labels in ((deploy, weights, False),
                                ("sknet_digits", digits.weights, True)):
        done = sknet("convert", file, "--to", "onnx", "--model", model, "-o",
                     tmp_path / "net.onnx", "--force")
        assert done.returncode == 0, done.stderr
        found = {entry.key for entry in onnx.load(
            tmp_path / "net.onnx").metadata_props}
        assert ("labels" in found, "preprocessing" in found) == (labels, True)


def test_a_result_without_classes(sknet, tmp_path):
    """One number an image."""
    net = text_format.Parse("""
        name: "means"
        layer { name: "data" type: "Input" top: "data"
                input_param { shape { dim: 1 dim: 3 dim: 4 dim: 4 } } }
        layer { name: "fc" type: "InnerProduct" bottom: "data" top: "fc"
                inner_product_param { num_output: 5 } }
        layer { name: "sum" type: "Reduction" bottom: "fc" top: "sum"
                reduction_param { axis: 1 } }""", caffe_pb2.NetParameter())
    deploy = write_net(tmp_path / "means.prototxt", net)
    caffe.Net(deploy, caffe.TEST).save(str(tmp_path / "means.caffemodel"))
    done = sknet("convert", tmp_path / "means.caffemodel", "--to", "onnx", "--model",
                 deploy, "-o", tmp_path / "means.onnx")
    assert done.returncode == 0, done.stderr
