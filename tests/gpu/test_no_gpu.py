"""A build with CUDA where there is no card, no driver, or one that is too old."""
import os
import subprocess
import sys
from pathlib import Path

import caffe
import pytest
from devices import inputs

COMMAND = Path(caffe.__file__).parent / "bin/caffe"
NET = inputs(dict(x=(2, 3))) + """
layer { name: 'ip' type: 'InnerProduct' bottom: 'x' top: 'ip'
  inner_product_param { num_output: 2 weight_filler { type: 'xavier' } } }"""


@pytest.fixture(autouse=True)
def gpu():
    """In the place of the one that wants a card."""
    if not hasattr(caffe._caffe.Blob, "_gpu_data_ptr"):
        pytest.skip("built without CUDA")
    try:
        caffe.set_mode_gpu()
    except caffe.Error:
        return
    caffe.set_mode_cpu()
    pytest.skip("there is a card")


@pytest.mark.parametrize("choose", [
    caffe.set_mode_gpu, lambda: caffe.set_device(0)])
def test_one_sentence(write, choose):
    with pytest.raises(caffe.Error) as caught:
        choose()
    assert caught.value.message in ("Cannot use a GPU: there is no NVIDIA driver here",
                                    "Cannot use a GPU: there is none here")
    # The CPU is there.
    caffe.Net(write(NET), caffe.TEST).forward()


def test_the_cpu_works_without_a_word(write):
    """About what GPUs would need; Caffe's log has the rest."""
    done = subprocess.run(
        [sys.executable, "-c", f"import caffe; caffe.set_random_seed(1); "
         f"caffe.Net({write(NET)!r}, caffe.TEST).forward()"],
        capture_output=True, text=True, check=True)
    assert not [line for line in done.stderr.splitlines() if line.startswith("E")]


@pytest.mark.parametrize("gpu_number", ["0", "all"])
def test_the_caffe_command(write, gpu_number):
    done = subprocess.run([COMMAND, "time", "-model", write(NET), "-gpu", gpu_number],
                          capture_output=True, text=True,
                          env={**os.environ, "GLOG_minloglevel": "1"})
    assert done.returncode == 1
    line, = done.stderr.splitlines()
    assert line.startswith("Cannot use a GPU: there is no")


# The driver's library, as the CUDA runtime looks for it.
OLD_DRIVER = """
int cuInit(unsigned flags) { return 0; }
int cuDriverGetVersion(int* version) { *version = 12040; return 0; }
"""


def test_an_old_driver(tmp_path):
    (tmp_path / "driver.c").write_text(OLD_DRIVER)
    try:
        subprocess.run(["cc", "-shared", "-fPIC", "-o", tmp_path / "libcuda.so.1",
                        tmp_path / "driver.c"], check=True)
    except OSError:
        pytest.skip("no C compiler")
    path = os.environ.get("LD_LIBRARY_PATH", "")
    done = subprocess.run(
        [sys.executable, "-c", "import caffe; caffe.set_mode_gpu()"],
        capture_output=True, text=True,
        env={**os.environ, "LD_LIBRARY_PATH": f"{tmp_path}:{path}"})
    last = done.stderr.splitlines()[-1]
    assert last.startswith("caffe.Error: Cannot use a GPU: the driver is too old: "
                           "it has CUDA 12.4, and this Caffe was built with CUDA 1")
