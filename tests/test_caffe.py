"""Caffe's own C++ suite, with the tests of our layers in it."""
import os
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from caffe_folder import lay_out

ROOT = Path(__file__).resolve().parent.parent
TESTBIN = ROOT / "build/test/test.testbin"


@pytest.fixture(scope="session")
def test_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("caffe")
    lay_out(folder, ROOT / "build")
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
        "Error", "InterpLayer", "LabelSmoothing", "Limits", "RandomStream",
        "Threads")} <= suites
