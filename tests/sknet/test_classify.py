"""The command, run as users run it."""
import json
from pathlib import Path

import caffe
import cv2
import numpy as np
import pytest

from sknet import models
from sknet.classifier import Classifier
from sknet.data.preprocessing import Preprocessing, read_image
from sknet.proto import caffe_pb2
from sknet.text import to_text
from sknet.weights import files
from sknet.weights.fit import compare, slots

from net_files import write_net


def predictions(done):
    """{file: {class: probability}} of the command's JSON."""
    return {image["file"]: {row["class"]: row["probability"]
                            for row in image["predictions"]}
            for image in json.loads(done.stdout)["images"]}


def test_agrees_with_pycaffe_and_opencv(sknet, digits, images):
    done = sknet("classify", "--model", digits.deploy, "--weights",
                 digits.weights, "--json", "--top", 10, *images)
    assert done.returncode == 0, done.stderr
    found = predictions(done)
    assert list(found) == images
    net = caffe.Net(digits.deploy, digits.weights, caffe.TEST)
    for path in images:
        image = cv2.imread(path)
        factor = 64 / min(image.shape[:2])
        image = cv2.resize(image, tuple(
            round(side * factor) for side in image.shape[1::-1]))
        top, left = ((side - 64) // 2 for side in image.shape[:2])
        image = image[top:top + 64, left:left + 64].astype(np.float32)
        net.blobs["data"].data[0] = ((image - 128) / 64).transpose(2, 0, 1)
        expected = net.forward()["prob"].ravel()
        actual = [found[path][index] for index in range(10)]
        # One level of 255 in the resized image.
        np.testing.assert_allclose(actual, expected, atol=5e-3)
        assert sorted(actual)[::-1] == list(found[path].values())


@pytest.mark.parametrize("size", [1, 2, 4])
def test_the_batch_does_not_matter(sknet, digits, images, size):
    command = ["classify", "--model", "sknet_digits", "--weights",
               digits.weights, "--json", *images]
    alone = predictions(sknet(*command, "--batch-size", 5))
    for path, rows in predictions(sknet(*command, "--batch-size", size)).items():
        assert list(rows) == list(alone[path])
        np.testing.assert_allclose(list(rows.values()),
                                   list(alone[path].values()), rtol=1e-4)


def test_table(sknet, digits, images, tmp_path):
    labels = tmp_path / "labels.txt"
    labels.write_text("".join(f"digit {number}\n" for number in range(10)))
    done = sknet("classify", "--model", digits.deploy, "--weights",
                 digits.weights, "--top", 2, "--labels", labels, images[0])
    assert (done.returncode, done.stderr) == (0, "")
    file, head, first, second = done.stdout.splitlines()
    assert file == images[0]
    assert head.split() == ["rank", "probability", "class", "label"]
    rank, probability, index, *label = first.split()
    assert (rank, label) == ("1", ["digit", index])
    assert float(probability) >= float(second.split()[1])


def test_known_models_bring_their_labels(sknet, digits, images):
    for model in ("sknet_digits", digits.deploy):
        done = sknet("classify", "--model", model, "--weights", digits.weights,
                     "--json", images[0])
        for row in json.loads(done.stdout)["images"][0]["predictions"]:
            assert row["label"] == str(row["class"])


def test_unreadable_images_are_skipped(sknet, digits, images, tmp_path):
    garbage = tmp_path / "garbage.png"
    garbage.write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    missing = tmp_path / "missing.png"
    done = sknet("classify", "--model", "sknet_digits", "--weights",
                 digits.weights, "--json", "--batch-size", 2,
                 images[0], garbage, images[1], missing, images[2])
    assert done.returncode == 1
    result = json.loads(done.stdout)
    assert [image["file"] for image in result["images"]] == images[:3]
    assert [image["file"] for image in result["unreadable"]] == [
        str(garbage), str(missing)]
    lines = done.stderr.splitlines()
    assert len(lines) == 2
    for line, path in zip(lines, (garbage, missing)):
        assert str(path) in line and line.endswith("; skipped")


def test_preprocessing_defaults_and_settings(digits, tmp_path):
    known = Classifier("sknet_digits", digits.weights).preprocessing
    assert known == Preprocessing(64, 64, "bgr", (128, 128, 128), 1 / 64)
    assert Classifier(digits.deploy, digits.weights, scale=2.,
                      mean=(1, 2, 3)).preprocessing == Preprocessing(
                          64, 64, "bgr", (1, 2, 3), 2.)
    # A net of another name: SENet's, at its own size.
    stranger = caffe_pb2.NetParameter()
    stranger.CopyFrom(digits.param)
    stranger.name = "stranger"
    path = write_net(tmp_path / "net.prototxt", stranger)
    assert Classifier(path, digits.weights).preprocessing == Preprocessing(
        73, 64, "bgr", (104, 117, 123), 1)


def test_a_named_model_takes_any_crop(digits, images):
    small, large = (Classifier("sknet_digits", digits.weights, **settings)
                    for settings in ({}, dict(crop=96)))
    assert large.preprocessing.crop == large.preprocessing.shorter_side == 96
    for classifier in (small, large):
        image = classifier.preprocessing(read_image(images[3]))
        np.testing.assert_allclose(classifier([image]).sum(), 1, rtol=1e-5)


def test_probabilities_outlive_the_next_call(digits):
    classifier = Classifier("sknet_digits", digits.weights)
    rng = np.random.default_rng(0)
    first, second = rng.normal(0, 1, (2, 1, 3, 64, 64))
    kept = classifier(first)
    copy = kept.copy()
    assert abs(classifier(second) - copy).max() > 1e-6
    np.testing.assert_array_equal(kept, copy)


def test_layers_that_the_net_lacks_are_named(sknet, digits, images, tmp_path):
    file = caffe_pb2.NetParameter.FromString(Path(digits.weights).read_bytes())
    file.layer.add(name="auxiliary", type="InnerProduct").blobs.add(
        data=[0], shape=dict(dim=[1]))
    path = tmp_path / "more.caffemodel"
    path.write_bytes(file.SerializeToString())
    done = sknet("classify", "--model", digits.deploy, "--weights", path,
                 images[0])
    assert done.returncode == 0
    assert "more.caffemodel" in done.stderr and "auxiliary" in done.stderr


def test_picture(sknet, digits, images, tmp_path):
    picture = tmp_path / "picture.png"
    done = sknet("classify", "--model", "sknet_digits", "--weights",
                 digits.weights, "--picture", picture, *images)
    assert done.returncode == 0, done.stderr
    assert cv2.imread(str(picture)).std() > 10
    assert [path.name for path in tmp_path.iterdir()
            if path.name.startswith(".")] == []


# Bad input: one line, status 1, and nothing written.

def change(param, **fields):
    """A copy of the net with its second layer's fields changed."""
    net = caffe_pb2.NetParameter()
    net.CopyFrom(param)
    for name, value in fields.items():
        setattr(net.layer[1], name, value)
    return to_text(net)


def test_bad_nets(refused, digits, images, tmp_path):
    text = to_text(digits.param)
    softmax = text.rindex("layer {")
    released = to_text(models.create("sknet50", "released"))
    train = to_text(models.create("sknet_digits", "train_val"))
    for number, (content, words) in enumerate([
            (b"", ["no layers"]),
            (b"\x00\xff\xfe", ["not text"]),
            (b"hello, world", ["not a prototxt"]),
            (text[:len(text) // 2 + 4].encode(), ["not a prototxt", "line"]),
            (text[:softmax].encode(), ["classifier (1x10)", "Softmax"]),
            (text.replace("num_output", "num_outputs", 1).encode(),
             ["num_outputs", "line"]),
            (change(digits.param, type="Convolutoin").encode(),
             ["conv1/3x3_s2", "'Convolutoin'"]),
            (text.replace('bottom: "data"', 'bottom: "dota"').encode(),
             ["dota"]),
            (text.replace("kernel_size: 3", "kernel_size: 300", 1).encode(),
             ["cannot set this net up"]),
            (released.encode(), ["2 inputs (data, label)", "sknet generate"]),
            (train.encode(), ["0 inputs", "sknet generate"])]):
        path = tmp_path / f"{number}.prototxt"
        path.write_bytes(content)
        refused("classify", "--model", path, "--weights", digits.weights,
                "--picture", tmp_path / "picture.png", images[0],
                naming=[str(path), *words])
    assert not (tmp_path / "picture.png").exists()


def test_bad_weights(refused, digits, images, tmp_path):
    good = Path(digits.weights).read_bytes()
    file = caffe_pb2.NetParameter.FromString(good)
    conv = next(layer for layer in file.layer if layer.name == "conv1/3x3_s2")

    def changed(edit):
        copy = caffe_pb2.NetParameter.FromString(good)
        edit(next(layer for layer in copy.layer if layer.name == conv.name))
        return copy.SerializeToString()

    def wider(layer):
        layer.blobs[0].shape.dim[0] *= 2
        layer.blobs[0].data.extend(list(layer.blobs[0].data))

    for number, (content, words) in enumerate([
            (b"", ["no weights"]),
            (bytes(range(256)) * 8, ["not a caffemodel"]),
            (good[:len(good) // 2], ["truncated"]),
            (good[:-1], ["truncated"]),
            (Path(digits.deploy).read_bytes(), ["not a caffemodel"]),
            (digits.param.SerializeToString(), ["no weights"]),
            (b"\x89HDF\r\n\x1a\n", ["HDF5"]),
            (changed(wider), ["conv1/3x3_s2", "64x3x3x3", "32x3x3x3"]),
            (changed(lambda layer: layer.blobs.add()), ["damaged"]),
            (changed(lambda layer: layer.blobs.add(
                data=[1], shape=dict(dim=[1]))),
             ["conv1/3x3_s2", "2 blobs", "1"]),
            (changed(lambda layer: layer.blobs[0].data.pop()),
             ["damaged", "conv1/3x3_s2", "863"]),
            (changed(lambda layer: setattr(layer, "name", "stem")),
             ["conv1/3x3_s2", "renamed: stem"])]):
        path = tmp_path / f"{number}.caffemodel"
        path.write_bytes(content)
        refused("classify", "--model", "sknet_digits", "--weights", path,
                images[0], naming=[str(path), *words])


def test_other_bad_input(refused, digits, images, tmp_path):
    weights = ["--weights", digits.weights]
    labels = tmp_path / "labels.txt"
    labels.write_text("tench\ngoldfish\n")
    for arguments, words in [
            (["--model", "sknet_digit"], ["sknet_digits"]),
            (["--model", tmp_path / "none.prototxt"], ["none.prototxt"]),
            (["--model", tmp_path], [str(tmp_path)]),
            (["--model", "sknet50"], ["conv"]),
            (["--model", digits.deploy, "--crop", 96], ["64x64", "96"]),
            (["--model", "sknet_digits", "--crop", 32], ["32", "64"]),
            (["--model", "sknet_digits", "--channels", "gray"], ["mean"]),
            (["--model", "sknet_digits", "--channels", "gray", "--mean", 0],
             ["3 channels"]),
            (["--model", "sknet_digits", "--labels", labels],
             ["2 labels", "10 classes"]),
            (["--model", "sknet_digits", "--label-order", "devkit"],
             ["--label-order"]),
            (["--model", "sknet_digits", "--picture", "a.doc"], ["a.doc", "png"]),
            (["--model", "sknet_digits", "--picture", tmp_path / "no/a.png"],
             ["no such folder"])]:
        refused("classify", *arguments, *weights, images[0], naming=words)
    refused("classify", "--model", "sknet50", images[0], naming=["--weights"])
    refused("classify", "--model", "sknet_digits", "--weights",
            tmp_path / "none.caffemodel", images[0],
            naming=["none.caffemodel: No such file"])


def test_weights_of_the_older_formats(digits, images, tmp_path):
    """V1 files have `layers`, blobs of 4 axes, and no shape."""
    today = caffe_pb2.NetParameter.FromString(Path(digits.weights).read_bytes())
    old = caffe_pb2.NetParameter(name="sknet_digits")
    kinds = {"Convolution": "CONVOLUTION", "InnerProduct": "INNER_PRODUCT"}
    for layer in today.layer:
        if not layer.blobs:
            continue
        if layer.type not in kinds:
            # The time of V1 did not know CuDNNBatchNorm.
            old.layer.add().CopyFrom(layer)
            continue
        target = old.layers.add(name=layer.name, type=kinds[layer.type])
        for blob in layer.blobs:
            dims = [1] * (4 - len(blob.shape.dim)) + list(blob.shape.dim)
            target.blobs.add(data=blob.data, **dict(zip(
                ("num", "channels", "height", "width"), dims)))
    path = tmp_path / "old.caffemodel"
    path.write_bytes(old.SerializeToString())
    fit = compare(files.read(path), slots(digits.param))
    assert not fit.problems() and not fit.unused
    v0 = caffe_pb2.NetParameter()
    v0.layers.add().layer.CopyFrom(caffe_pb2.V0LayerParameter(
        name="conv1", type="conv", blobs=[dict(
            num=1, channels=1, height=1, width=2, data=[1, 2])]))
    path.write_bytes(v0.SerializeToString())
    assert list(files.read(path).layers) == ["conv1"]
