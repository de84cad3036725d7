"""The kernels for Tensor Cores, on the CPU: their sources as C++, with stand-ins for
CUDA's threads and instructions. What they compute, not how they are launched."""
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ENGINE = HERE.parents[1] / "caffe_ext/engine"
NVCC = shutil.which("nvcc") or shutil.which("nvcc", path="/usr/local/cuda/bin")

pytestmark = pytest.mark.skipif(not NVCC, reason="no nvcc, and none of its headers")


@pytest.fixture(scope="module")
def convolutions(tmp_path_factory):
    program = tmp_path_factory.mktemp("emulation") / "convolutions"
    done = subprocess.run(
        [NVCC, "-x", "c++", "-std=c++17", "-O2", f"-I{HERE}", f"-I{ENGINE.parent}",
         HERE / "convolutions.cpp", ENGINE / "gpu/grouped_3x3.cu",
         ENGINE / "gpu/few_channels.cu", "-o", program],
        capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return program


@pytest.mark.parametrize("precision", ["tf32", "f16", "bf16"])
def test_convolutions(convolutions, precision):
    done = subprocess.run([convolutions, precision], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
