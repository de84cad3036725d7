"""A C++ program against the installed package: find_package(Caffe)."""
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MODEL = ROOT / "prototxt/sknet_digits"
BIN = Path(sys.executable).parent


def run(*command):
    done = subprocess.run([str(part) for part in command], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    prefix = tmp_path_factory.mktemp("prefix")
    run("cmake", "--install", ROOT / "build", "--prefix", prefix)
    return prefix


def test_the_installed_tools_run(prefix):
    assert "usage: caffe" in subprocess.run(
        [prefix / "bin/caffe", "--help"], capture_output=True, text=True).stdout


def test_a_cpp_classifier_agrees_with_python(prefix, tmp_path):
    run("cmake", "-S", ROOT / "examples/cpp_classification", "-B", tmp_path,
        f"-DCMAKE_PREFIX_PATH={prefix}", "-DCMAKE_BUILD_TYPE=Release")
    run("cmake", "--build", tmp_path)
    images = sorted((MODEL / "images").glob("*.png"))
    assert images
    out = run(tmp_path / "classify", "-model", MODEL / "deploy.prototxt",
              "-weights", MODEL / "sknet_digits.caffemodel",
              "-labels", MODEL / "labels.txt", "-top", 1, *DIGITS_INPUT, *images)
    lines = out.splitlines()
    from_cpp = {lines[i]: lines[i + 1].split() for i in range(0, len(lines), 2)}
    results = json.loads(run(BIN / "sknet", "classify", "--json", "--top", 1,
                             "--model", "sknet_digits", *images))
    assert len(from_cpp) == len(results) == len(images)
