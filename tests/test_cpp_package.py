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


@pytest.fixture(scope="module")
def classify(prefix, tmp_path_factory):
    """examples/cpp_classification, built against the installed package."""
    build = tmp_path_factory.mktemp("cpp_classification")
    run("cmake", "-S", ROOT / "examples/cpp_classification", "-B", build,
        f"-DCMAKE_PREFIX_PATH={prefix}", "-DCMAKE_BUILD_TYPE=Release")
    run("cmake", "--build", build)
    return build / "classify"


def test_nothing_is_strewn(prefix):
    assert {path.name for path in prefix.iterdir()} == {"bin", "include", "lib", "python"}


def test_the_installed_tools_run(prefix):
    assert "usage: caffe" in subprocess.run(
        [prefix / "bin/caffe", "--help"], capture_output=True, text=True).stdout


def test_a_cpp_classifier_agrees_with_python(classify, tmp_path):
    images = sorted((MODEL / "images").glob("*.png"))
    (tmp_path / "labels.txt").write_text("".join(f"{i}\n" for i in range(10)))
    out = run(classify, "-model", MODEL / "deploy.prototxt",
              "-weights", MODEL / "sknet_digits.caffemodel",
              "-labels", tmp_path / "labels.txt", "-top", 1,
              "-mean", "128,128,128", "-scale", 1 / 64, *images)
    # A line with the file, then one with probability and label.
    lines = out.splitlines()
    from_cpp = {file: line.split() for file, line in zip(lines[::2], lines[1::2])}

    results = json.loads(run(BIN / "sknet", "classify", "--json", "--top", 1,
                             "--model", "sknet_digits", *images))["images"]
    assert len(results) == len(images) > 0
    for result in results:
        best, = result["predictions"]
        probability, label = from_cpp[result["file"]]
        assert label == best["label"]
        assert float(probability) == pytest.approx(best["probability"], abs=1e-4)


def test_the_cpp_classifier_reports_an_unreadable_image(classify):
    done = subprocess.run(
        [classify, "-model", MODEL / "deploy.prototxt",
         "-weights", MODEL / "sknet_digits.caffemodel", __file__],
        capture_output=True, text=True)
    assert done.returncode == 1 and "not a readable image" in done.stderr
