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
    photo.resize((480, 360)).convert("L").save(images / "cat_gray.jpg")
    photo.resize((480, 360)).convert("L").save(images / "cat gray.jpg")
    photo.resize((481, 323)).save(images / "fish-bike.jpg")
    return folder


def test_caffe_suite(test_folder):
    report = test_folder / "report.xml"
    # The tests' matrices are tiny: threads only wait for each other.
    done = subprocess.run(
        [TESTBIN, f"--gtest_output=xml:{report}"], cwd=test_folder,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "GLOG_minloglevel": "2"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert report.exists(), done.stdout[-2000:]
    suite = ElementTree.parse(report).getroot()
    failed = [f"{case.get('classname')}.{case.get('name')}"
              for case in suite.iter("testcase") if case.find("failure") is not None]
    print(f"{suite.get('tests')} C++ tests, {len(failed)} failed")
    assert not failed, f"{failed}\n{done.stdout[-2000:]}"
    assert done.returncode == 0, done.stdout[-2000:]
    # Caffe's own 1,138, and ours.
    assert int(suite.get("tests")) > 1138
