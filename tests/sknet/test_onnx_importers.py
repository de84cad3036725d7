"""What `convert --to onnx` makes, in runtimes that import ONNX: the shipped net's
probabilities of the shipped images."""
import importlib.util
import subprocess
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from sknet.classifier import Classifier
from sknet.data.preprocessing import read_image
from sknet.source import shipped


@pytest.fixture
def digits(sknet, tmp_path):
    """path (of the ONNX model), images, and expected (probabilities)."""
    path = tmp_path / "net.onnx"
    done = sknet("convert", shipped("sknet_digits", "sknet_digits.caffemodel"),
                 "--model", "sknet_digits", "--to", "onnx", "-o", path)
    assert done.returncode == 0, done.stderr
    classifier = Classifier("sknet_digits")
    images = np.stack([classifier.preprocessing(read_image(path)) for path in sorted(
        shipped("sknet_digits", "images").glob("*.png"))])
    return SimpleNamespace(path=path, images=images, expected=classifier(images))


def test_openvino(digits):
    openvino = pytest.importorskip("openvino")
    # Not the half precision that it takes where the processor has it.
    net = openvino.Core().compile_model(digits.path, "CPU", {
        "INFERENCE_PRECISION_HINT": "f32"})
    assert abs(net(digits.images)["prob"] - digits.expected).max() < 1e-5


def test_ncnn(digits):
    """By pnnx, which comes with PyTorch's group of tests."""
    ncnn = pytest.importorskip("ncnn")
    # The program itself: its Python module imports PyTorch.
    pnnx = Path(importlib.util.find_spec("pnnx").origin).with_name("pnnx")
    folder = digits.path.parent
    subprocess.run([pnnx, digits.path.name, "inputshape=[1,3,64,64]", "fp16=0"],
                   cwd=folder, check=True, capture_output=True)
    net = ncnn.Net()
    for half in ("fp16_storage", "fp16_packed", "fp16_arithmetic", "bf16_storage"):
        setattr(net.opt, f"use_{half}", False)
    net.load_param(str(folder / "net.ncnn.param"))
    net.load_model(str(folder / "net.ncnn.bin"))
    for image, expected in zip(digits.images, digits.expected):
        extractor = net.create_extractor()
        # A Mat is a view of the array until it is cloned.
        extractor.input("in0", ncnn.Mat(np.ascontiguousarray(image)).clone())
        status, found = extractor.extract("out0")
        assert status == 0
        assert abs(np.array(found) - expected).max() < 1e-5
