"""sknet bench."""
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from sknet.bench import gpu_engines, measure
from sknet.bench.engines import ENGINES, Engine
from sknet.bench.report import has_bf16
from sknet.bench.source import Source
from sknet.bench.worker import Worker, neighbours
from sknet.cli import main
from sknet.commands import bench
from sknet.deploy import to_deploy
from sknet.source import read_source

import bench_engines as fakes

SMALL = ["bench", "sknet_digits", "--batch", "1,2", "--seconds", "1", "--threads", "1"]


@pytest.fixture(autouse=True)
def own_variables(monkeypatch):
    """What the verb sets for its processes is not set for the next tests."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("CUDA_DEVICE_ORDER", "PCI_BUS_ID")


@pytest.fixture
def replace(monkeypatch):
    return lambda name, start: monkeypatch.setitem(
        ENGINES, name, Engine(start, "deploy", "sknet", ENGINES[name].precision))


def test_engines_agree_and_are_timed(capsys, tmp_path):
    plot = tmp_path / "bench.png"
    assert main([*SMALL, "--json", "--plot", str(plot), "--explain"]) == 0
    result = json.loads(capsys.readouterr().out)
    for part, batch in zip(result["batches"], (1, 2)):
        there = set(part["ms"])
        assert there | set(part["missing"]) == {
            name for name, engine in ENGINES.items()
            if engine.precision == "f32" or has_bf16()}
        # Those are the tests' references.
        assert {"caffe", "compiled", "onnxruntime", "opencv", "torch"} <= there
        assert part["batch"] == batch and part["rounds"] >= measure.ROUNDS
        for what in ("ms", "least_ms", "passes", "peak_mib", "start_s"):
            assert set(part[what]) == there and min(part[what].values()) > 0
        assert all(part["least_ms"][name] <= part["ms"][name] for name in there)
        assert min(part["passes"].values()) >= 2 * measure.ROUNDS
    steps = result["steps"].pop("compiled")
    assert any(step["kind"] == "Select" for step in steps)
    assert set(result["steps"]) == {"compiled-bf16"} & set(result["batches"][0]["ms"])
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_tables(capsys):
    assert main([*SMALL, "--engines", "caffe,compiled,onnxruntime"]) == 0
    text = capsys.readouterr().out
    assert "1.00x" in text and "batch 2" in text and "not here" not in text


def test_bf16_is_set_against_bf16(capsys):
    assert main([*SMALL, "--engines", "onnxruntime,compiled,compiled-bf16",
                 "--explain"]) == 0
    _, table, _, *steps = capsys.readouterr().out.split("\n\n")
    row, = [line.split() for line in table.split("\n")
            if line.startswith("compiled-bf16")]
    assert "-" in row and not any(word.endswith("x") for word in row)
    assert [part.split()[0] for part in steps] == ["compiled", "compiled-bf16"]
    assert ["Convert" in part for part in steps] == [False, True]


def test_tables_of_a_gpu():
    """Its memory is told as far as it is known; speeds are against others alone."""
    engines = {name: gpu_engines.ENGINES[name] for name in
               ("compiled", "torch", "compiled-f16", "torch-f16", "torch-compile-f16")}

    def each(*values):
        return dict(zip(engines, values))
    part = dict(batch=32, rounds=3, missing={}, ms=each(8, 16, 2, 6, 4),
                least_ms=each(8, 16, 2, 6, 4), passes=each(9, 9, 9, 9, 9),
                peak_mib=each(1, 1, 1, 1, 1), start_s=each(1, 1, 1, 1, 1),
                gpu_mib=each(700, None, 701, 702, 703))
    result = dict(model="sknet50", gflop=8.9, gpu=1, machine="a card, driver 1",
                  neighbours=0, versions={}, batches=[part])
    assert bench._heading(result) == \
        "sknet50: 8.90 GFLOP an image, GPU 1, a card, driver 1"
    rows = {line.split()[0]: line.split()[1:]
            for line in bench._table(result, part, engines)}
    assert rows["compiled"] == ["8.000", "8.000", "2.00x", "4000", "1", "700", "1.0"]
    assert rows["torch"][-2] == "-"
    assert rows["compiled-f16"][2:4] == ["2.00x", "16000"]


def test_a_batch_is_told_when_it_is_done(monkeypatch, capsys):
    def until_ctrl_c(source, engines, batch, *rest):
        if batch == 2:
            raise KeyboardInterrupt
        return timed(source, engines, batch, *rest)
    timed = measure.measure
    monkeypatch.setattr(measure, "measure", until_ctrl_c)
    assert main([*SMALL, "--engines", "caffe"]) == 130
    text = capsys.readouterr().out
    assert "sknet_digits: " in text and "batch 1" in text and "of a peak of" in text


def test_random_weights_give_live_outputs(tmp_path):
    source = Source(read_source("sknet26", 64, 1), None, str(tmp_path))
    images = measure.random_images(source, 2)
    result = np.array(ENGINES["caffe"].start(source.deploy, images, 1)())
    assert np.isfinite(result).all() and abs(result[0] - result[1]).max() > 1e-4


# Between them, all layers of the zoo.
@pytest.mark.parametrize("name, size", [
    ("sknet_digits", 64), ("shufflenet_v2_sk_0_5", 64), ("resnext50_cbam", 64),
    ("attention56", 64), ("inception_v3", 75)])
def test_pytorchs_nets_are_the_same(name, size, tmp_path):
    param = to_deploy(read_source(name, size, 1), name)
    assert param.layer.pop().type == "Softmax"  # of which often one class has all
    source = Source(param, None, str(tmp_path))
    images = measure.random_images(source, 2)
    scores, others = (np.array(ENGINES[engine].start(getattr(
        source, ENGINES[engine].files), images, 1)()).reshape(2, -1)
        for engine in ("caffe", "torch"))
    assert np.ptp(scores, axis=1).min() > 1e-2 * abs(scores).max()
    np.testing.assert_allclose(others, scores, atol=2e-3 * abs(scores).max())


def test_layers_that_pytorchs_nets_lack_are_named(tmp_path, capsys):
    path = tmp_path / "tanh.prototxt"
    path.write_text("""
        layer { name: "data" type: "Input" top: "data"
                input_param { shape { dim: 1 dim: 3 dim: 8 dim: 8 } } }
        layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
                convolution_param { num_output: 2 kernel_size: 3 } }
        layer { name: "tanh" type: "TanH" bottom: "conv" top: "tanh" }""")
    assert main(["bench", str(path), *SMALL[2:], "--engines", "caffe,torch"]) == 0
    assert "not here: torch (layer tanh (TanH): not known for PyTorch)" in \
        capsys.readouterr().out


def test_other_outputs_are_refused(capsys, replace):
    replace("compiled", fakes.off)
    assert main([*SMALL, "--engines", "caffe,compiled"]) == 1
    assert "compiled's outputs differ from caffe's by 1.0e-02" in \
        capsys.readouterr().err


def test_the_shorter_numbers_of_two_engines_bound_their_difference(replace):
    replace("compiled-bf16", fakes.off)
    assert main([*SMALL, "--engines", "compiled-bf16,caffe"]) == 0


def test_engines_that_fail_are_named_and_the_others_go_on(capsys, replace):
    for name, start in (("opencv", fakes.absent), ("torch", fakes.raising),
                        ("openvino", fakes.dying)):
        replace(name, start)
    assert main([*SMALL, "--batch", "1", "--engines",
                 "opencv,torch,openvino,caffe"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for line in ("not here: opencv (No module named 'nosuch')",
                 "not here: torch (ValueError: cannot read)",
                 "not here: openvino (its process ended with status -9)"):
        assert line in lines
    assert len([line for line in lines if line.startswith("caffe ")]) == 1
    assert main([*SMALL, "--engines", "torch,openvino"]) == 1
    assert "no engine runs: torch (ValueError: cannot read); openvino (its process" \
        in capsys.readouterr().err


def test_a_process_has_its_engine_alone(monkeypatch):
    """Not what else is imported here, nor this process's memory."""
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    ballast = np.ones(1 << 26)
    worker = Worker(Engine(fakes.nosy, "deploy", ""), SimpleNamespace(deploy=()),
                    np.zeros((1, 3, 8, 8)), 1)
    worker.turn()
    worker.end()
    assert worker.outputs.tolist() == [[False] * len(fakes.FOREIGN) + [3]]
    assert 10 < worker.peak_mib < 200 < ballast.nbytes / 2 ** 20


def test_neighbours_compute_and_end():
    def ticks(process):  # of a processor
        stat = Path(f"/proc/{process.pid}/stat").read_text()
        return int(stat.rpartition(")")[2].split()[11])
    with neighbours(2):
        processes = multiprocessing.active_children()
        assert len(processes) == 2
        # More than starting takes.
        while min(map(ticks, processes)) < 50:
            time.sleep(.1)
    assert not any(process.is_alive() for process in processes)


def test_neighbours_are_told(capsys):
    assert main([*SMALL, "--batch", "1", "--engines", "caffe", "--neighbours",
                 "1"]) == 0
    assert "beside 1 busy processes" in capsys.readouterr().out


def test_ctrl_c_ends_all(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "sknet", *SMALL[:-3], "600", "--engines",
         "caffe,onnxruntime"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, start_new_session=True,
        # Background jobs start with it ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    engines = []
    while len(engines) < 2:
        assert process.poll() is None, process.communicate()
        time.sleep(.05)
        engines = [path for path in Path("/proc").glob("[0-9]*/cmdline")
                   if _of(path, process.pid)]
    for path in engines:
        os.kill(int(path.parent.name), signal.SIGINT)
    time.sleep(1)
    assert all(_of(path, process.pid) for path in engines)
    os.killpg(process.pid, signal.SIGINT)
    output, error = process.communicate()
    assert process.returncode == 130
    assert len(output.splitlines()) == 1 and output.startswith("sknet_digits: ")
    assert "Traceback" not in error
    assert not any(_of(path, process.pid) for path in engines)


def _of(path, session):
    """Whether it is the command line of an engine's process in a session."""
    try:
        return b"spawn_main" in path.read_bytes() and \
            os.getsid(int(path.parent.name)) == session
    except OSError:
        return False


@pytest.mark.parametrize("argv, message", [
    (["--engines", "nosuch"], "no nosuch"), (["--plot", "x.txt"], "x.txt"),
    (["--gpu", "99"], "sknet bench: --gpu 99: Cannot use")])  # no machine has as many
def test_bad_options(argv, message, capsys):
    assert main([*SMALL, *argv]) == 1
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
