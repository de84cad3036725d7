"""Caffe's own C++ suite, with the tests of our layers in it."""
import os
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import matplotlib
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
TESTBIN = ROOT / "build/test/test.testbin"


@pytest.fixture(scope="session")
def test_folder(tmp_path_factory):
    """The folder that the suite expects to run in: Caffe's root, with the
    example images (a photograph here) that the packaged source lacks."""
    folder = tmp_path_factory.mktemp("caffe")
    (folder / "src").symlink_to(ROOT / "build/caffe/src")
    images = folder / "examples/images"
    images.mkdir(parents=True)
    photo = Image.open(Path(matplotlib.get_data_path())
                       / "sample_data/grace_hopper.jpg").convert("RGB")
    photo.resize((480, 360)).save(images / "cat.jpg")
    with open(images / "cat.jpg", "ab") as file:
        # A test knows the original's length; decoders ignore what follows a
        # JPEG's end marker.
        file.write(bytes(140391 - file.tell()))
    photo.resize((480, 360)).convert("L").save(images / "cat_gray.jpg")
    photo.resize((480, 360)).convert("L").save(images / "cat gray.jpg")
    photo.resize((481, 323)).save(images / "fish-bike.jpg")
    return folder


def test_caffe_suite(test_folder):
    report = test_folder / "report.xml"
    cpu_only = "CPU_ONLY:BOOL=ON" in (ROOT / "build/CMakeCache.txt").read_text()
    # As Caffe's own `make runtest`: tests named GPU need one. The tests'
    # matrices are tiny: threads only wait for each other.
    done = subprocess.run(
        [TESTBIN, f"--gtest_output=xml:{report}",
         f"--gtest_filter={'-*GPU*' if cpu_only else '*'}"], cwd=test_folder,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "GLOG_minloglevel": "2"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert report.exists(), done.stdout[-2000:]
    suite = ElementTree.parse(report).getroot()
    cases = [case for case in suite.iter("testcase")
             if case.get("status") == "run"]
    failed = [f"{case.get('classname')}.{case.get('name')}"
              for case in cases if case.find("failure") is not None]
    print(f"{len(cases)} C++ tests, {len(failed)} failed")
    assert not failed, f"{failed}\n{done.stdout[-2000:]}"
    assert done.returncode == 0, done.stdout[-2000:]
    # Caffe's own, and ours among them.
    assert len(cases) > 1138
    suites = {case.get("classname").split("/")[0] for case in cases}
    assert {f"{name}Test" for name in (
        "Augmentation", "AugmentedDataLayer", "AxpyLayer", "BroadcastProductLayer",
        "ChannelPoolingLayer", "CuDNNBatchNormLayer", "DepthwiseConvolutionLayer",
        "Error", "InterpLayer", "LabelSmoothing", "Limits", "RandomStream")} <= suites
