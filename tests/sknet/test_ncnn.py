"""The way to ncnn: convert --to onnx, pnnx (which comes with PyTorch's group of
tests), ncnn."""
import importlib.util
import subprocess
from pathlib import Path

import numpy as np
import pytest

from sknet.classifier import Classifier
from sknet.data.preprocessing import read_image
from sknet.source import shipped

ncnn = pytest.importorskip("ncnn")
PNNX = importlib.util.find_spec("pnnx")


def test_the_shipped_net(sknet, tmp_path):
    done = sknet("convert", shipped("sknet_digits", "sknet_digits.caffemodel"),
                 "--model", "sknet_digits", "--to", "onnx", "-o",
                 tmp_path / "net.onnx")
    assert done.returncode == 0, done.stderr
    # The program itself: its Python module imports PyTorch.
    subprocess.run([Path(PNNX.origin).with_name("pnnx"), "net.onnx",
                    "inputshape=[1,3,64,64]", "fp16=0"], cwd=tmp_path, check=True,
                   capture_output=True)
    net = ncnn.Net()
    for half in ("fp16_storage", "fp16_packed", "fp16_arithmetic", "bf16_storage"):
        setattr(net.opt, f"use_{half}", False)
    net.load_param(str(tmp_path / "net.ncnn.param"))
    net.load_model(str(tmp_path / "net.ncnn.bin"))
    classifier = Classifier("sknet_digits")
    for path in sorted(shipped("sknet_digits", "images").glob("*.png")):
        # A Mat is a view of the array until it is cloned.
        image = np.ascontiguousarray(classifier.preprocessing(read_image(path)))
        extractor = net.create_extractor()
        extractor.input("in0", ncnn.Mat(image).clone())
        status, found = extractor.extract("out0")
        assert status == 0
        assert abs(np.array(found) - classifier([image])[0]).max() < 1e-5
