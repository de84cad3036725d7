"""sknet bench."""
import json

import numpy as np
import pytest
from sknet.bench import measure
from sknet.bench.engines import ENGINES
from sknet.cli import main

SMALL = ["bench", "sknet_digits", "--batch", "1,2", "--seconds", "1", "--threads", "1"]


def test_engines_agree_and_are_timed(capsys, tmp_path):
    plot = tmp_path / "bench.png"
    assert main([*SMALL, "--json", "--plot", str(plot), "--explain"]) == 0
    result = json.loads(capsys.readouterr().out)
    # opencv-python-headless, OpenVINO and ONNX Runtime are the tests' references.
    assert set(result["batches"][0]["ms"]) | set(result["missing"]) == set(ENGINES)
    assert {"caffe", "compiled", "onnxruntime"} <= set(result["batches"][0]["ms"])
    for part, batch in zip(result["batches"], (1, 2)):
        assert part["batch"] == batch and part["rounds"] >= measure.ROUNDS
        assert min(part["ms"].values()) > 0
    assert any(step["kind"] == "Select" for step in result["steps"])
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_tables(capsys):
    assert main([*SMALL, "--engines", "caffe,compiled,onnxruntime"]) == 0
    text = capsys.readouterr().out
    assert "1.00x" in text and "batch 2" in text and "not here" not in text


def test_random_weights_give_live_outputs(tmp_path):
    from sknet.bench.source import Source
    from sknet.source import read_source
    source = Source(read_source("sknet26", 64, 1), None, str(tmp_path))
    images = np.random.default_rng(0).normal(size=(2, *source.shape))
    result = np.array(ENGINES["caffe"](source, images.astype(np.float32), 1)())
    assert np.isfinite(result).all() and abs(result[0] - result[1]).max() > 1e-4


def test_other_outputs_are_refused(capsys, monkeypatch):
    def wrong(source, images, threads):
        right = ENGINES["caffe"](source, images, threads)
        return lambda: right() * 1.01
    monkeypatch.setitem(ENGINES, "compiled", wrong)
    assert main([*SMALL, "--engines", "caffe,compiled"]) == 1
    assert "compiled's outputs differ from caffe's by 1.0e-02" in \
        capsys.readouterr().err


@pytest.mark.parametrize("argv, message", [
    (["--engines", "nosuch"], "no nosuch"), (["--plot", "x.txt"], "x.txt")])
def test_bad_options(argv, message, capsys):
    assert main([*SMALL, *argv]) == 1
    assert message in capsys.readouterr().err
