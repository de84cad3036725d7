"""CPU_ONLY=OFF configures, and our CUDA sources and the files of Caffe's that
are edited for CUDA compile. No GPU is needed, and none is used."""
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NVCC = shutil.which("nvcc") or shutil.which("nvcc", path="/usr/local/cuda/bin")

pytestmark = [
    pytest.mark.skipif(not NVCC, reason="no nvcc on this machine"),
    pytest.mark.skipif(not find_spec("nvidia"), reason="needs sknet[cuda]")]


def run(*command):
    done = subprocess.run([str(part) for part in command], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout[-5000:]


@pytest.mark.parametrize("cudnn", ["ON", "OFF"])
def test_cuda_sources_compile(tmp_path, cudnn):
    # The source is there already: no need to fetch it again.
    (tmp_path / "download").symlink_to(ROOT / "build/download")
    run("cmake", "-S", ROOT, "-B", tmp_path, "-G", "Ninja", "-DCPU_ONLY=OFF",
        f"-DUSE_CUDNN={cudnn}", f"-DUSE_NCCL={cudnn}", "-DBUILD_python=OFF",
        "-DCMAKE_CUDA_ARCHITECTURES=90", f"-DCMAKE_CUDA_COMPILER={NVCC}",
        f"-DPython_EXECUTABLE={sys.executable}")
    # Compiled inference on GPUs takes cuDNN.
    engine = ["caffe_engine_gpu"] if cudnn == "ON" else []
    run("cmake", "--build", tmp_path, "--target", "caffe_cuda_edited", *engine)
    compiled = {path.name for path in tmp_path.rglob("*.cu.o")}
    assert {f"{name}_layer.cu.o" for name in (
        "accuracy", "axpy", "broadcast_product", "channel_pooling",
        "cudnn_batch_norm", "cudnn_conv", "cudnn_deconv", "depthwise_conv",
        "embed", "interp", "pooling", "softmax_loss")} <= compiled
