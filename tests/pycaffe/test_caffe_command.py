"""The caffe command, and Python layers in it."""
import os
import subprocess
import sys
from pathlib import Path

import caffe
import pytest
from small_nets import REGRESSION

BINARY = Path(caffe.__file__).parent / "bin" / "caffe"
LAUNCHER = [sys.executable, "-c",
            "import sys; sys.argv[0] = '/some/where/caffe'; "
            "from caffe_launcher import main; main()"]
LAYERS = """
import caffe

class Shift(caffe.Layer):
    def setup(self, bottom, top):
        self.steps = 0
    def reshape(self, bottom, top):
        top[0].reshape(*bottom[0].shape)
    def forward(self, bottom, top):
        top[0].data[...] = bottom[0].data + 1
    def backward(self, top, propagate_down, bottom):
        bottom[0].diff[...] = top[0].diff

class Broken(Shift):
    def forward(self, bottom, top):
        raise ValueError("broken on purpose")
"""


@pytest.fixture
def train(tmp_path):
    """train(class, command, environment) → the finished `caffe train`."""
    (tmp_path / "layers.py").write_text(LAYERS)

    def run(layer, command, **environment):
        net = REGRESSION
        if layer:
            net = net.replace("layer { name: 'loss'", f"""
            layer {{ name: 'mine' type: 'Python' bottom: 'ip' top: 'mine'
              python_param {{ module: 'layers' layer: '{layer}' }} }}
            layer {{ name: 'loss'""").replace(
                "Loss' bottom: 'ip'", "Loss' bottom: 'mine'")
        (tmp_path / "net.prototxt").write_text(net)
        (tmp_path / "solver.prototxt").write_text(
            "net: 'net.prototxt' base_lr: 0.1 lr_policy: 'fixed' max_iter: 3 "
            "snapshot_prefix: 'trained' display: 1")
        return subprocess.run(
            [*command, "train", "--solver=solver.prototxt"], cwd=tmp_path,
            env={**os.environ, "GLOG_minloglevel": "0", **environment},
            stderr=subprocess.PIPE, text=True, timeout=120)
    return run


@pytest.mark.parametrize("layer", [None, "Shift"])
@pytest.mark.parametrize("command", [
    LAUNCHER, [sys.executable, "-m", "caffe"]], ids=["launcher", "module"])
def test_train(train, tmp_path, layer, command):
    done = train(layer, command)
    assert done.returncode == 0, done.stderr
    assert "Optimization Done." in done.stderr
    assert (tmp_path / "trained_iter_3.caffemodel").exists()
    if layer:
        net = caffe.Net(str(tmp_path / "net.prototxt"), caffe.TEST,
                        weights=str(tmp_path / "trained_iter_3.caffemodel"))
        assert net.params["ip"][0].data.any()


@pytest.fixture(autouse=True)
def layers_on_the_path(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)


def test_exceptions_are_messages(train):
    done = train("Broken", LAUNCHER)
    assert done.returncode == 1
    assert "ValueError: broken on purpose" in done.stderr
    assert "layers.py(16): forward" in done.stderr


def test_the_binary_alone_says_how_to_run_it(train):
    done = train("Shift", [str(BINARY)])
    assert done.returncode != 0
    assert ("Layer mine is a Python layer: run this by pycaffe, as "
            '"python -m caffe' in done.stderr)


def test_the_binary_needs_no_python(train, tmp_path):
    done = train(None, [str(BINARY)])
    assert done.returncode == 0, done.stderr
    linked = subprocess.run(["ldd", BINARY], stdout=subprocess.PIPE, text=True)
    assert "libcaffe" in linked.stdout and "libpython" not in linked.stdout
