"""-engine compiled of the caffe command."""
import os
import re
import subprocess
import sys
from pathlib import Path

import caffe
import pytest

CAFFE = Path(sys.executable).with_name("caffe")
NET = """
layer { name: 'data' type: 'DummyData' top: 'data' top: 'label' dummy_data_param {
        shape { dim: 4 dim: 3 dim: 9 dim: 9 } shape { dim: 4 }
        data_filler { value: .7 } data_filler { value: 2 } } }
layer { name: 'conv' type: 'Convolution' bottom: 'data' top: 'conv'
        convolution_param { num_output: 8 kernel_size: 3
                            weight_filler { type: 'xavier' } } }
layer { name: 'relu' type: 'ReLU' bottom: 'conv' top: 'conv' }
layer { name: 'fc' type: 'InnerProduct' bottom: 'conv' top: 'fc'
        inner_product_param { num_output: 5 weight_filler { type: 'xavier' } } }
layer { name: 'accuracy' type: 'Accuracy' bottom: 'fc' bottom: 'label'
        top: 'accuracy' }
layer { name: 'loss' type: 'SoftmaxWithLoss' bottom: 'fc' bottom: 'label'
        top: 'loss' loss_weight: 3 }
"""


@pytest.fixture
def files(tmp_path):
    model, weights = tmp_path / "net.prototxt", tmp_path / "net.caffemodel"
    model.write_text(NET)
    caffe.Net(str(model), caffe.TEST).save(str(weights))
    return f"-model={model}", f"-weights={weights}"


def run(*args):
    done = subprocess.run([CAFFE, *args, "-iterations=2"], text=True,
                          capture_output=True, timeout=100,
                          env={**os.environ, "GLOG_minloglevel": "0"})
    return done.returncode, done.stderr


def scores(engine, files):
    code, log = run("test", *files, f"-engine={engine}")
    assert code == 0, log
    return {name: float(value) for name, value in re.findall(
        r"\] (\w+)(?: =|:) ([-.e\d]+)", log)}


def test_test(files):
    plain, compiled = scores("caffe", files), scores("compiled", files)
    assert set(plain) >= {"accuracy", "loss", "Loss"}
    assert compiled == pytest.approx(plain, rel=1e-4)


def test_time(files):
    code, log = run("time", files[0], "-engine=compiled")
    assert code == 0, log
    assert re.search(r"Convolution \(oneDNN .*\)\tforward: .* ms\. conv relu", log)
    assert "Average Forward pass" in log and "Backward" not in log


def test_bf16(files):
    plain, compiled = scores("caffe", files), scores("compiled-bf16", files)
    assert compiled == pytest.approx(plain, rel=1e-2)


def test_errors(files):
    code, log = run("test", *files, "-engine=fast")
    assert code == 1 and "-engine fast: expected caffe, compiled" in log
    code, log = run("test", *files, "-engine=compiled-f16")
    assert code == 1 and "precision 'f16'; expected f32 or bf16 on the CPU" in log
    for engine in "caffe", "compiled-f16":  # no machine has that many
        code, log = run("test", *files, f"-engine={engine}", "-gpu=99")
        assert code == 1 and "Cannot use" in log
    code, log = run("time", files[0], "-engine=compiled", "-phase=TRAIN")
    assert code == 1 and "only nets of phase TEST are compiled" in log
