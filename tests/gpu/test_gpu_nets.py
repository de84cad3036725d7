"""Whole nets on the GPU give what they give on the CPU."""
import sys
from pathlib import Path

import caffe
import numpy as np
import pytest
from devices import MODES, assert_same
from PIL import Image
from sknet import models
from sknet.text import to_text

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests/zoo"))
from random_nets import random_net  # noqa: E402


def blobs(net):
    """What a forward leaves in a net, as copies."""
    net.forward()
    return {name: blob.data.copy() for name, blob in net.blobs.items()}


@pytest.mark.parametrize("model", ["sknet50", "sknet101", "senet50"])
def test_random_weights(tmp_path, model):
    """Of realistic statistics, in the deploy net, with a batch of 2."""
    param = models.create(model, batch=2)
    MODES["CPU"]()
    net, images = random_net(tmp_path, param)
    weights = tmp_path / "random.caffemodel"
    net.save(weights)
    expected = blobs(net)
    MODES["GPU"]()
    net = caffe.Net(tmp_path / "net.prototxt", caffe.TEST, weights=weights)
    net.blobs["data"].data[...] = images
    # Half a hundred layers on, a sum's order shows.
    assert_same(blobs(net), expected, within=2e-3)


def test_the_shipped_model():
    folder = ROOT / "prototxt/sknet_digits"
    images = np.array([Image.open(path).convert("RGB") for path in
                       sorted((folder / "images").glob("*.png"))], float)
    found = {}
    for name, choose in MODES.items():
        choose()
        net = caffe.Net(folder / "deploy.prototxt", caffe.TEST,
                        weights=folder / "sknet_digits.caffemodel")
        net.blobs["data"].reshape(*images.transpose(0, 3, 1, 2).shape)
        net.blobs["data"].data[...] = (
            images[..., ::-1].transpose(0, 3, 1, 2) - 128) / 64
        found[name] = blobs(net)
    assert_same(found["GPU"], found["CPU"], within=5e-4)


def test_another_batch_and_size(tmp_path):
    """A net that has run is given images of other shapes."""
    param = models.create("sknet_digits")
    path = tmp_path / "net.prototxt"
    path.write_text(to_text(param))
    random = np.random.default_rng(0)
    shapes = [(3, 3, 64, 64), (1, 3, 64, 64), (7, 3, 64, 64)]
    given = [random.normal(size=shape) for shape in shapes]
    found = {}
    for name, choose in MODES.items():
        choose()
        net = caffe.Net(path, caffe.TEST,
                        weights=ROOT / "prototxt/sknet_digits/sknet_digits.caffemodel")
        found[name] = []
        for images in given:
            net.blobs["data"].reshape(*images.shape)
            net.blobs["data"].data[...] = images
            found[name].append(blobs(net))
    for gpu, cpu in zip(found["GPU"], found["CPU"]):
        assert_same(gpu, cpu, within=5e-4)
