"""sknet verify: what fits, what does not, and why."""
import json

import caffe
import numpy as np
import pytest

from sknet import models
from sknet.errors import InputError
from sknet.text import read_net
from sknet.weights import files
from sknet.weights.blobs import Blob, Layer
from sknet.weights.fit import Slot, slots
from sknet.weights.verify import check, verify

from net_files import write_net
from weights_of import random_weights

DIGITS = slots(models.create("sknet_digits"))


@pytest.fixture
def weights():
    return random_weights(DIGITS)


def test_slots_are_caffes(digits):
    """caffe.Net is the reference."""
    for net in (digits.deploy, *_deploy_nets(digits.folder)):
        params = caffe.Net(net, caffe.TEST).params
        found = slots(read_net(net))
        assert {name: tuple(tuple(blob.shape) for blob in blobs)
                for name, blobs in params.items()} == {
                    name: slot.shapes for name, slot in found.items()}


def _deploy_nets(folder):
    for bn in ("cudnn", "caffe"):
        yield write_net(folder / f"{bn}.prototxt",
                        models.create("shufflenet_v2_sk_0_5", bn=bn))


def test_what_fits(weights):
    report = verify(weights, DIGITS)
    assert report.problems == report.causes == report.odd == report.unused == []
    weights.layers["loss/more"] = Layer("", [Blob(np.ones(1))])
    assert verify(weights, DIGITS).unused == ["loss/more"]
    assert check(weights, DIGITS, "path") == ["loss/more"]


def test_every_fault_is_told(weights):
    layers = weights.layers
    del layers["conv1/3x3_s2"]
    layers["classifier"].blobs.pop()
    layers["conv2_1/1x1_reduce"].blobs[0] = Blob(np.ones((32, 32, 1, 2)))
    layers["conv2_1/B_fc1"].blobs[0].data[0] = np.inf
    layers["conv1/3x3_s2/bn"].blobs[3].data[0, 5] = -1
    layers["conv2_1/3x3g8/bn"].blobs[3].data[...] = 0
    layers["conv2_1/3x3g8d2/bn"].blobs[3].data[0, 5] = 0
    report = verify(weights, DIGITS)
    fan_in = layers["conv2_1/B_fc1"].blobs[0].data[0].size
    of = layers["conv2_1/B_fc1"].blobs[0].data.size
    assert report.problems == [
        "layer conv1/3x3_s2: no weights for it in the file",
        "layer conv2_1/1x1_reduce, blob 0: 32x32x1x2; the net's is 32x32x1x1",
        "layer classifier: 1 blob; the net's has 2",
        "layer conv1/3x3_s2/bn: 1 running variances are negative",
        "layer conv2_1/3x3g8/bn: all running variances are 0: never trained, or "
        "not saved",
        f"layer conv2_1/B_fc1: blob 0: {fan_in} of {of} values are NaN or infinite"]
    assert report.odd == ["layer conv2_1/3x3g8d2/bn: 1 of 32 running variances are "
                          "0: channels that are always the same"]
    with pytest.raises(InputError, match="^path: does not fit the net: layer "
                       "conv1/3x3_s2: no weights .* and 5 more"):
        check(weights, DIGITS, "path")


def causes(weights, wanted):
    return verify(weights, wanted).causes


@pytest.mark.parametrize("stored, net, option", [
    ("caffe", "cudnn", "--bn caffe"), ("cudnn", "caffe", "--bn cudnn")])
def test_batch_norms_of_the_other_kind(stored, net, option):
    weights = random_weights(slots(models.create("senet50", bn=stored)))
    cause, = causes(weights, slots(models.create("senet50", bn=net)))
    assert option in cause and "BatchNorm and Scale" in cause


def test_other_numbers_of_classes():
    weights = random_weights(slots(models.create("sknet_digits", num_classes=7)))
    cause, = causes(weights, DIGITS)
    assert "for 7 classes, the net for 10" in cause and "--num-classes 7" in cause
    # As Caffe wrote it once, of 4 axes.
    matrix, bias = (blob.data for blob in weights.layers["classifier"].blobs)
    weights.layers["classifier"].blobs = [
        Blob(matrix.reshape(1, 1, *matrix.shape), True),
        Blob(bias.reshape(1, 1, 1, 7), True)]
    assert causes(weights, DIGITS) == [cause]


def test_renamed_layers(weights):
    net = {name if name != "classifier" else "my_classes": slot
           for name, slot in DIGITS.items()}
    cause, = causes(weights, net)
    assert cause == "renamed: classifier in the file has the shapes of my_classes"
    net["my_classes"] = Slot("InnerProduct", ((3, 256), (3,)))
    cause, = causes(weights, net)
    assert cause == ("renamed: classifier in the file (10x256) is like my_classes "
                     "(3x256), a classifier of other classes")


def test_fine_tuned_nets(weights):
    """--lr-mult-backbone renames the classifier, so that it starts anew."""
    net = slots(models.create("sknet_digits", lr_mult_backbone=.1, num_classes=3))
    report = verify(weights, net)
    assert report.problems == [
        "layer classifier_finetune: no weights for it in the file"]
    assert "classifier_finetune (3x256)" in report.causes[0]


def test_another_models_weights(weights):
    assert causes(weights, slots(models.create("sknet50"))) == [
        "these are sknet_digits's weights"]
    assert causes(random_weights(slots(models.create("sknet101"))),
                  slots(models.create("resnext50"))) == [
                      "these are sknet101's weights"]
    other = random_weights(slots(models.create("sknet50", num_classes=3)))
    first, second = causes(other, slots(models.create("resnext101")))
    assert first == "they may be another model's weights: sknet50 is nearest"
    assert "for 3 classes" in second


def test_the_command(sknet, weights, tmp_path):
    path = tmp_path / "w.caffemodel"
    files.write(path, weights)
    done = sknet("verify", "sknet_digits", path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{path}: fits sknet_digits (77 layers, 183 blobs)\n"
    done = sknet("verify", "sknet_digits", path, "--bn", "caffe")
    assert done.returncode == 1
    first, *lines, last = done.stdout.splitlines()
    assert first.startswith(f"{path}: does not fit sknet_digits (")
    net = slots(models.create("sknet_digits", bn="caffe"))
    told = [line.split()[1].rstrip(":,") for line in lines]
    assert sorted(told) == sorted(
        name for name, slot in net.items() if slot.type in ("BatchNorm", "Scale"))
    assert last.startswith("likely cause: ") and "--bn cudnn" in last
    found = json.loads(sknet("verify", "sknet_digits", path, "--json").stdout)
    assert found == dict(model="sknet_digits", bn="cudnn", weights=str(path),
                         fits=True, problems=[], causes=[], odd=[], unused=[])


def test_prototxts(sknet, digits, tmp_path):
    done = sknet("verify", digits.deploy, digits.weights)
    assert done.returncode == 0 and "fits" in done.stdout
    released = write_net(tmp_path / "released.prototxt",
                         models.create("sknet50", "released"))
    done = sknet("verify", released, digits.weights, "--json")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert "conv1/3x3_s2" in found["unused"]
    assert "layer conv5_3/3x3g32: no weights for it in the file" in found["problems"]


def test_bad_input(refused, digits, tmp_path):
    refused("verify", "sknet51", digits.weights, naming=["sknet51", "sknet50"])
    refused("verify", digits.deploy, tmp_path / "none", naming=["none: No such"])
    refused("verify", digits.deploy, digits.deploy, naming=["not a caffemodel"])
    path = tmp_path / "unknown.prototxt"
    path.write_text('layer { name: "a" type: "Foo" top: "a" }')
    refused("verify", path, digits.weights, naming=[str(path), "layer a", "Foo"])
