"""What `convert --to stock` makes runs in BVLC's Caffe and in OpenCV, and gives
what it gives here."""
import importlib.util
import os
import subprocess
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from random_nets import assert_same, forward, random_net

from sknet import models
from sknet.fold import fold
from sknet.lowering import to_stock
from sknet.onnx import export
from sknet.text import to_text
from sknet.weights import files

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def bvlc():
    """The program `forward`, with BVLC's Caffe in it (a minute, the first time)."""
    spec = importlib.util.spec_from_file_location("stage", ROOT / "caffe_ext/stage.py")
    stage = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(stage)
    build = ROOT / "build/bvlc"
    source = build / "source"
    if not source.exists():
        stage.unpack(stage.fetch(ROOT / "caffe_ext/caffe-source.txt",
                                 ROOT / "build/download"), source)
    for command in (["cmake", "-S", Path(__file__).parent / "bvlc", "-B", build,
                     f"-DSOURCE={source}"], ["cmake", "--build", build, "-j2"]):
        done = subprocess.run(command, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        assert done.returncode == 0, done.stdout[-3000:]
    return build / "forward"


def by_bvlc(program, prototxt, caffemodel, images):
    folder = prototxt.parent
    images.astype(np.float32).tofile(folder / "input")
    done = subprocess.run([program, prototxt, caffemodel, folder / "input",
                           folder / "output"], stderr=subprocess.PIPE, text=True,
                          env={**os.environ, "GLOG_logtostderr": "1"})
    assert done.returncode == 0, done.stderr[-3000:]
    return np.fromfile(folder / "output", np.float32).reshape(len(images), -1)


def by_opencv(prototxt, caffemodel, images):
    net = cv2.dnn.readNetFromCaffe(str(prototxt), str(caffemodel))
    # Its rounding errors are several times those of a plain convolution.
    net.enableWinograd(False)
    net.setInput(images.astype(np.float32))
    return net.forward()


@pytest.fixture(scope="module")
def original(request, tmp_path_factory):
    """A model, its random weights, images, and their scores."""
    name, size = request.param
    folder = tmp_path_factory.mktemp(name)
    param = models.create(name, size=size, batch=2)
    net, images = random_net(folder, param)
    net.save(str(folder / "net.caffemodel"))
    return (param, files.read(folder / "net.caffemodel"), images,
            forward(net, images)[0])


WAYS = {"stock": to_stock,
        "folded": lambda *pair: to_stock(*fold(*pair)),
        "reshape_free": lambda *pair: to_stock(*pair, reshape_free=True),
        "folded, reshape_free": lambda *pair: to_stock(*fold(*pair),
                                                       reshape_free=True)}


def written(folder, param, weights):
    """The paths of a net, of which the last layer is the scores, and weights."""
    assert param.layer[-1].type == "Softmax"
    del param.layer[-1]
    paths = folder / "net.prototxt", folder / "net.caffemodel"
    paths[0].write_text(to_text(param))
    files.write(paths[1], weights)
    return paths


# Neither CBAM nor ShuffleNet can do without Reshape.
RESHAPED = [("resnext50_cbam", 64), ("shufflenet_v2_sk_0_5", 64)]
FREE = [("sknet26", 64), ("senet50", 64), ("inception_v3", 107), ("dpn92", 64)]
# OpenCV has no Tile, as CBAM needs, and no round_mode, as DPNs do.
IN_OPENCV = [("sknet26", 64), ("senet50", 64), ("inception_v3", 107)]


def runs(models, ways):
    return [pytest.param(model, way, id=f"{model[0]}, {way}")
            for model in models for way in ways]


@pytest.mark.parametrize("original, way", [
    *runs(FREE, WAYS), *runs(RESHAPED, ["stock", "folded"])], indirect=["original"])
def test_in_bvlcs_caffe(bvlc, original, way, tmp_path):
    param, weights, images, scores = original
    paths = written(tmp_path, *WAYS[way](param, weights))
    assert_same(by_bvlc(bvlc, *paths, images), scores)


def test_bvlcs_caffe_lacks_our_layers(bvlc, tmp_path):
    """So that the nets above have none of them."""
    net = tmp_path / "net.prototxt"
    net.write_text("""
        layer { name: "data" type: "Input" top: "data"
                input_param { shape { dim: 1 dim: 2 dim: 3 dim: 3 } } }
        layer { name: "axpy" type: "Axpy" bottom: "data" bottom: "data"
                bottom: "data" top: "axpy" }""")
    with pytest.raises(AssertionError, match="Unknown layer type: Axpy"):
        by_bvlc(bvlc, net, net, np.zeros((1, 2, 3, 3)))


@pytest.mark.parametrize("original, way", [
    *runs(IN_OPENCV, WAYS), *runs(RESHAPED[1:], ["stock", "folded"])],
    indirect=["original"])
def test_in_opencv(original, way, tmp_path):
    param, weights, images, scores = original
    paths = written(tmp_path, *WAYS[way](param, weights))
    assert_same(by_opencv(*paths, images), scores)


@pytest.mark.parametrize("original", [("resnext50_cbam", 64), ("dpn92", 64),
                                      ("sknet26", 64)], indirect=True)
def test_by_onnx_in_opencv(original, tmp_path):
    param, weights, images, scores = original
    param = type(param).FromString(param.SerializeToString())
    assert param.layer[-1].type == "Softmax"
    del param.layer[-1]
    onnx.save(export(param, weights), tmp_path / "net.onnx")
    net = cv2.dnn.readNetFromONNX(str(tmp_path / "net.onnx"))
    net.enableWinograd(False)
    net.setInput(images.astype(np.float32))
    assert_same(net.forward(), scores)
