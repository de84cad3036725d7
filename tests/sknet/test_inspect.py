"""sknet inspect: statistics, identification, differences."""
import hashlib
import json
import subprocess
import sys

import numpy as np
import pytest

from sknet import models
from sknet.proto import caffe_pb2
from sknet.shapes import shaped_layers
from sknet.weights import files, statistics
from sknet.weights.blobs import Blob, Layer, Weights
from sknet.weights.difference import differences
from sknet.weights.fit import Slot, slots
from sknet.weights.identify import identify

from weights_of import random_weights


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("part", [7, 1 << 18])
def test_statistics(monkeypatch, dtype, part):
    monkeypatch.setattr(statistics, "PART", part)
    # Far from 0, where the mean of squares less the squared mean would be wrong.
    values = np.random.default_rng(0).normal(1000, .01, (5, 4, 3)).astype(dtype)
    found = statistics.statistics(values)
    for name, expected in (("mean", np.mean), ("std", np.std), ("min", np.min),
                           ("max", np.max)):
        np.testing.assert_allclose(getattr(found, name),
                                   expected(values.astype("f8")), rtol=1e-9)
    assert (found.nan, found.inf) == (0, 0)
    values.flat[[3, 9, 40]] = np.nan, np.inf, -np.inf
    finite = values[np.isfinite(values)].astype("f8")
    found = statistics.statistics(values)
    assert (found.nan, found.inf) == (1, 2)
    np.testing.assert_allclose([found.mean, found.std], [finite.mean(), finite.std()],
                               rtol=1e-9)
    assert statistics.statistics(np.full(3, np.nan)) == statistics.Statistics(
        None, None, None, None, 3, 0)


def batch_norm(kind, variance, factor=1.):
    shape = (1, len(variance), 1, 1)
    variance = np.float32(variance)
    if kind == "CuDNNBatchNorm":
        return [Blob(np.ones(shape, "f4"))] * 3 + [Blob(variance.reshape(shape))]
    return [Blob(np.ones_like(variance)), Blob(variance), Blob(np.float32([factor]))]


@pytest.mark.parametrize("kind", ["CuDNNBatchNorm", "BatchNorm"])
def test_running_variances(kind):
    def found(variance, **factor):
        return statistics.flaws(kind, batch_norm(kind, variance, **factor))
    assert found([1, 2]) == ([], [])
    assert found([1, -2, -3]) == (["2 running variances are negative"], [])
    wrong, odd = found([0, 0])
    assert "all running variances are 0" in wrong[0] and not odd
    wrong, odd = found([0, 1])
    assert not wrong and "1 of 2 running variances are 0" in odd[0]
    assert found([1, np.nan])[0] == ["blob 3: 1 of 2 values are NaN or infinite"
                                     if kind == "CuDNNBatchNorm" else
                                     "blob 1: 1 of 2 values are NaN or infinite"]


def test_batch_norms_factor():
    """BVLC's divides by it, and takes 0 for never trained."""
    def found(variance, factor):
        return statistics.flaws("BatchNorm", batch_norm("BatchNorm", variance, factor))
    assert found([-1, -2], -3.) == ([], [])
    assert "negative" in found([1, 2], -3.)[0][0]
    assert "all running variances are 0" in found([1, 2], 0.)[0][0]


@pytest.mark.parametrize("bn", ["cudnn", "caffe"])
@pytest.mark.parametrize("model", models.names())
def test_every_model_is_known(model, bn):
    match = identify(random_weights(slots(models.create(model, bn=bn))))
    assert (match.model, match.bn, match.exact) == (model, bn, True)


@pytest.mark.parametrize("model, kind", [("sknet50", "released"),
                                         ("sknet101", "released"),
                                         ("inception_v3", "train_val")])
def test_other_nets_of_a_model(model, kind):
    net = models.create(model, kind)
    wanted = {layer.param.name: Slot(layer.param.type, layer.blobs)
              for layer in shaped_layers(net, caffe_pb2.TRAIN) if layer.blobs}
    match = identify(random_weights(wanted))
    assert (match.model, match.exact) == (model, True)


def test_the_nearest_model():
    # The paper's 32 outputs, where the released sknet101 has 16.
    other = models.create("sknet101")
    for layer in other.layer:
        if layer.name.startswith("conv3_") and layer.name.endswith("/B_fc1"):
            layer.convolution_param.num_output = 32
    match = identify(random_weights(slots(other)))
    assert match.model == "sknet101" and not match.exact and .9 < match.share < 1
    assert "layer conv3_1/B_fc1, blob 0: 32x256x1x1; the net's is 16x256x1x1" \
        in match.fit.problems()
    match = identify(random_weights(slots(models.create("sknet50", num_classes=7))))
    assert match.fit.problems() == [
        "layer classifier, blob 0: 7x2048; the net's is 1000x2048"]
    assert identify(random_weights({"a": Slot("Scale", ((5, 3),))})) is None


def test_json(sknet, digits):
    done = sknet("inspect", digits.weights, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    with open(digits.weights, "rb") as file:
        content = file.read()
    assert found["sha256"] == hashlib.sha256(content).hexdigest()
    assert (found["bytes"], found["format"]) == (len(content), "caffemodel")
    assert found["model"]["name"] == "sknet_digits" and found["model"]["exact"]
    stored = [layer for layer in caffe_pb2.NetParameter.FromString(content).layer
              if layer.blobs]
    for layer, expected in zip(found["layers"], stored, strict=True):
        assert (layer["name"], layer["type"]) == (expected.name, expected.type)
        for blob, values in zip(layer["blobs"], expected.blobs, strict=True):
            assert blob["shape"] == list(values.shape.dim)
            np.testing.assert_allclose(
                [blob["mean"], blob["std"], blob["min"], blob["max"]],
                [f(np.float64(values.data)) for f in (np.mean, np.std, np.min,
                                                      np.max)], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("end", [".h5", ".npz", ".safetensors"])
def test_text(sknet, tmp_path, end):
    weights = random_weights(slots(models.create("sknet_digits")), name="mine")
    shape = weights.layers["conv1/3x3_s2/bn"].blobs[3].shape
    weights.layers["conv1/3x3_s2/bn"].blobs[3] = Blob(np.zeros(shape, "f4"))
    weights.layers["classifier"].blobs[1].data[3] = np.nan
    path = tmp_path / f"w{end}"
    files.write(path, weights)
    done = sknet("inspect", path)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[4] == "model   sknet_digits"
    assert "mine: 77 layers, 378,858 values" in lines[3]
    at = lines.index(next(line for line in lines if "running variances" in line))
    assert lines[at].startswith("  ! all") and "1x32x1x1" in lines[at - 1]
    assert lines[-1] == "  ! blob 1: 1 of 10 values are NaN or infinite"


def test_files_that_do_not_tell_types(sknet, tmp_path):
    """The model's net does."""
    weights = random_weights(slots(models.create("sknet_digits")))
    weights.layers["conv1/3x3_s2/bn"].blobs[3].data[...] = -1
    for layer in weights.layers.values():
        layer.type = ""
    files.write(tmp_path / "w.npz", weights)
    assert "! 32 running variances are negative" in sknet(
        "inspect", tmp_path / "w.npz").stdout


def two():
    first = Weights("", {"a": Layer("", [Blob(np.float32([1, -4, np.nan])),
                                         Blob(np.ones((1, 1, 2, 3)), True)]),
                         "b": Layer("", [Blob(np.ones(2))]),
                         "c": Layer("", [Blob(np.ones(2)), Blob(np.ones(2))])})
    second = Weights("", {"a": Layer("", [Blob(np.float32([1.5, -4.25, np.nan])),
                                          Blob(np.ones((2, 3)))]),
                          "c": Layer("", [Blob(np.ones(3))]),
                          "d": Layer("", [Blob(np.ones(2))])})
    return first, second


def test_differences():
    first, second = two()
    blobs, only_first, only_second = differences(first, second)
    assert [(blob.layer, blob.index) for blob in blobs] == [("a", 0), ("c", 0)]
    assert (blobs[0].values, blobs[0].max_abs, blobs[0].relative) == (2, .5, .125)
    assert blobs[1].shapes == ("2", "3")
    assert (only_first, only_second) == (["b", "c/1"], ["d"])
    assert differences(first, first) == ([], [], [])
    second.layers["a"].blobs[0] = Blob(np.float32([1, np.nan, 3]))
    assert (differences(first, second)[0][0].values,
            differences(first, second)[0][0].max_abs) == (2, None)


def test_differences_of_large_blobs(monkeypatch):
    monkeypatch.setattr(statistics, "PART", 10)
    first = np.random.default_rng(0).normal(size=(7, 5))
    second = first.copy()
    second[6, 4] += 3
    second[0, 0] -= 1
    found, = differences(*(Weights("", {"a": Layer("", [Blob(data)])})
                           for data in (first, second)))[0]
    assert found.values == 2
    np.testing.assert_allclose(found.max_abs, 3)
    np.testing.assert_allclose(found.relative, 3 / abs(first).max())


def test_the_commands_differences(sknet, tmp_path):
    for weights, name in zip(two(), ("1.npz", "2.npz")):
        files.write(tmp_path / name, weights)
    done = sknet("inspect", tmp_path / "1.npz", "--diff", tmp_path / "2.npz")
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split() for line in done.stdout.splitlines()] == [
        ["only", "in", f"{tmp_path / '1.npz'}:", "b"],
        ["only", "in", f"{tmp_path / '1.npz'}:", "c/1"],
        ["only", "in", f"{tmp_path / '2.npz'}:", "d"],
        ["blob", "values", "max", "abs", "relative"],
        ["a/0", "2", "0.5", "0.125"],
        ["c/0", "2", "and", "3"]]
    assert sknet("inspect", tmp_path / "1.npz", "--diff",
                 tmp_path / "1.npz").stdout == "the same weights\n"
    found = json.loads(sknet("inspect", tmp_path / "1.npz", "--json", "--diff",
                             tmp_path / "2.npz").stdout)
    assert found["only_second"] == ["d"] and found["blobs"][0]["max_abs"] == .5


def test_bad_input(refused, digits, tmp_path):
    refused("inspect", tmp_path / "none", naming=["none: No such file"])
    refused("inspect", digits.deploy, naming=["not a caffemodel"])
    refused("inspect", digits.weights, "--diff", digits.deploy,
            naming=[digits.deploy])


def test_memory_is_bounded_by_the_file(digits, tmp_path):
    """A file of 256 MB in one blob takes less than 1.5 times that, beside what the
    command itself takes."""
    size = 256 << 20
    path = tmp_path / "large.caffemodel"
    files.write(path, Weights("", {"fc": Layer("InnerProduct", [
        Blob(np.zeros((1 << 13, 1 << 13), "<f4"))])}))
    done = subprocess.run(
        [sys.executable, "-c", """
import resource, sys
from sknet.cli import main
taken = []
for path in sys.argv[1:]:
    main(["inspect", path])
    taken.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
print(taken[1] - taken[0])
""", digits.weights, path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.splitlines()[-1]) * 1024 < 1.5 * size
