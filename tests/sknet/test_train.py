"""sknet train, run as users run it."""
import csv
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import caffe
import numpy as np
import pytest
from PIL import Image

from sknet.data.datasets import open_dataset
from sknet.proto import caffe_pb2
from sknet.training import snapshots
from sknet.training.lmdb_making import make_lmdb
from sknet.weights import files

SMALL = ["--batch", 4, "--iter-size", 1]

# Some randomness of Caffe's (Dropout), momentum of Adam's, and two validations.
NET = """
layer {{ name: "data" type: "AugmentedData" top: "data" top: "label"
  include {{ phase: TRAIN }} data_param {{ source: "{0}" batch_size: 5 backend: LMDB }}
  transform_param {{ crop_size: 48 mirror: true force_color: true scale: 0.01 }}
  augmented_data_param {{ shuffle: true }} }}
layer {{ name: "data" type: "AugmentedData" top: "data" top: "label"
  include {{ phase: TEST }} data_param {{ source: "{1}" batch_size: 6 backend: LMDB }}
  transform_param {{ crop_size: 48 force_color: true scale: 0.01 }} }}
layer {{ name: "pool" type: "Pooling" bottom: "data" top: "pool"
  pooling_param {{ pool: AVE kernel_size: 4 stride: 4 }} }}
layer {{ name: "ip1" type: "InnerProduct" bottom: "pool" top: "ip1"
  inner_product_param {{ num_output: 20 weight_filler {{ type: "xavier" }} }} }}
layer {{ name: "drop" type: "Dropout" bottom: "ip1" top: "ip1" }}
layer {{ name: "ip2" type: "InnerProduct" bottom: "ip1" top: "ip2"
  inner_product_param {{ num_output: 3 weight_filler {{ type: "xavier" }} }} }}
layer {{ name: "loss" type: "SoftmaxWithLoss" bottom: "ip2" bottom: "label" top: "loss" }}
layer {{ name: "accuracy" type: "Accuracy" bottom: "ip2" bottom: "label" top: "accuracy"
  include {{ phase: TEST }} }}
"""
SOLVER = """
net: "{0}" type: "Adam" base_lr: 0.001 lr_policy: "step" gamma: 0.5 stepsize: 70
momentum: 0.9 max_iter: {1} test_iter: 3 test_interval: 50 iter_size: 2 display: 25
snapshot: 40 average_loss: 1
"""


@pytest.fixture(scope="session")
def images(tmp_path_factory):
    """Three classes, told apart by a stripe's place: 12 images of each for training,
    6 for validation."""
    folder = tmp_path_factory.mktemp("images")
    random = np.random.default_rng(0)
    for part, count in (("train", 12), ("val", 6)):
        for number in range(3 * count):
            name = "abc"[number % 3]
            pixels = random.uniform(0, 255, 3) * np.ones((64, 64, 1))
            pixels[20 * (number % 3):][:20] = random.uniform(0, 255, 3)
            path = folder / part / name / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels.astype(np.uint8)).save(path)
    return folder


@pytest.fixture(scope="session")
def straight(images, tmp_path_factory):
    """(run folder, finished command) of a training that nothing stopped."""
    run = tmp_path_factory.mktemp("straight") / "run"
    done = command(images, run)
    assert done.returncode == 0, done.stderr
    return run, done


def arguments(images, run, *more):
    """Of one LMDB, whose name stands in caffemodels."""
    return ["train", "sknet_digits", images, "-o", run, *SMALL, "--epochs", 2,
            "--test-interval", 7, "--snapshot", 4, "--display", 1, "--lmdb-folder",
            images.parent / f"{images.name}_lmdbs", *more]


def start(*args):
    """The command in a process."""
    return subprocess.Popen([sys.executable, "-m", "sknet", *map(str, args)],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process):
    stdout, stderr = process.communicate()
    return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)


def command(images, run, *more):
    return finish(start(*arguments(images, run, *more)))


def wait_for(path, process):
    while not path.exists():
        assert process.poll() is None, process.communicate()
        time.sleep(.002)


def rows(run):
    with (run / "curves.csv").open() as file:
        return list(csv.DictReader(file))


def same(run, other, *names):
    for name in names:
        assert (run / name).read_bytes() == (other / name).read_bytes(), name


def state(path):
    state = caffe_pb2.SolverState.FromString(path.read_bytes())
    return state.iter, state.current_step, [
        blob.SerializeToString() for blob in state.history]


def test_what_is_left(straight):
    run, done = straight
    assert {path.name for path in run.iterdir() if not path.name.startswith(".")} == {
        "run.json", "solver.prototxt", "train_val.prototxt",
        "deploy.prototxt", "labels.txt", "curves.csv", "curves.png", "best.caffemodel",
        *(f"sknet_digits_iter_{number}.{kind}" for number in (12, 16, 18)
          for kind in ("caffemodel", "solverstate"))}
    assert (run / "labels.txt").read_text() == "a\nb\nc\n"
    found = rows(run)
    assert [row["iteration"] for row in found] == [str(n) for n in range(1, 19)]
    assert [row["iteration"] for row in found if row["val top-1"]] == ["7", "14", "18"]
    # Elsewhere than on a terminal, a line a row, and no bar.
    lines = done.stderr.splitlines()
    assert len(lines) == 18
    assert re.fullmatch(r"iteration 18/18: loss [\d.]+, lr 0.0005, val loss [\d.]+, "
                        r"val top-1 [\d.]+, \d+ images/s, 0:00:00 left", lines[-1])


def test_printed_commands_work(straight, images):
    run, done = straight
    classify = next(line for line in done.stdout.splitlines()
                    if line.startswith("sknet classify"))
    args = shlex.split(classify)
    assert args.pop() == "IMAGE..."
    done = finish(start(*args[1:], images / "val/a/0.png"))
    assert done.returncode == 0, done.stderr
    assert {line.split()[-1] for line in done.stdout.splitlines()[2:]} == set("abc")


def test_validation_is_caffes(straight, tmp_path):
    """The losses and validations are those that `caffe train` logs, with the same
    solver and images. (Its last validation follows a pass more.)"""
    run, _ = straight
    solver = tmp_path / "solver.prototxt"
    solver.write_text(re.sub("average_loss: .*", "average_loss: 1", (
        run / "solver.prototxt").read_text()).replace(f"{run}/sknet", f"{tmp_path}/x"))
    binary = Path(caffe.__file__).parent / "bin" / "caffe"
    log = subprocess.run([binary, "train", "-solver", solver], capture_output=True,
                         text=True, env={**os.environ, "GLOG_minloglevel": "0"}).stderr
    losses = re.findall(r"Iteration (\d+) .*, loss = (\S+)", log)
    found = rows(run)
    assert len(losses) == 18
    for (number, loss), row in zip(losses, found):
        # Caffe's numbers count the updates before it.
        assert int(number) + 1 == int(row["iteration"])
        assert float(row["loss"]) == pytest.approx(float(loss), rel=1e-5)
    for name in ("loss", "top-1"):
        scores = re.findall(rf"Test net output #\d: {name} = (\S+)", log)
        told = [row[f"val {name}"] for row in found if row[f"val {name}"]]
        assert len(scores) >= 2
        for score, value in list(zip(scores, told))[:2]:
            assert float(value) == pytest.approx(float(score), rel=1e-5)


def test_killed_and_gone_on_with(images, straight, tmp_path):
    run = tmp_path / "run"
    process = start(*arguments(images, run))
    wait_for(run / "sknet_digits_iter_4.solverstate", process)
    process.kill()
    assert finish(process).returncode == -signal.SIGKILL
    done = command(images, run)
    assert done.returncode == 0, done.stderr
    assert "goes on from iteration" in done.stderr
    same(run, straight[0], "best.caffemodel", "curves.csv",
         *(f"sknet_digits_iter_{number}.caffemodel" for number in (12, 16, 18)))
    for number in (12, 16, 18):
        name = f"sknet_digits_iter_{number}.solverstate"
        assert state(run / name) == state(straight[0] / name)
    done = command(images, run)
    assert done.returncode == 0 and done.stdout.count("iteration 18") >= 1
    same(run, straight[0], "best.caffemodel", "curves.csv")


@pytest.fixture
def prepared(images, tmp_path):
    """A solver of a net with randomness of Caffe's own."""
    lmdbs = [tmp_path / "train_lmdb", tmp_path / "val_lmdb"]
    for path in lmdbs:
        make_lmdb(open_dataset(images / "val"), path)
    (tmp_path / "net.prototxt").write_text(NET.format(*lmdbs))

    def prepare(iterations):
        path = tmp_path / "solver.prototxt"
        path.write_text(SOLVER.format(tmp_path / "net.prototxt", iterations))
        return path
    return prepare


def test_ctrl_c_of_a_prepared_solver(prepared, tmp_path):
    """Stopped twice, where no snapshot is due, and still the same to the bit."""
    solver = prepared(300)
    straight, run = tmp_path / "straight", tmp_path / "run"
    process = start("train", "--solver", solver, "-o", run)
    wait_for(run / "solver_iter_40.solverstate", process)
    process.send_signal(signal.SIGINT)
    done = finish(process)
    assert done.returncode == 130 and done.stdout == ""
    line = done.stderr.splitlines()[-1]
    stopped = int(re.fullmatch(
        rf"sknet train: stopped at iteration (\d+); `sknet train --resume {run}` goes "
        "on", line)[1])
    assert 40 <= stopped < 300
    assert (run / f"solver_iter_{stopped}.solverstate").exists()
    process = start("train", "--resume", run)
    wait_for(run / f"solver_iter_{stopped - stopped % 40 + 40}.solverstate", process)
    process.send_signal(signal.SIGTERM)
    assert finish(process).returncode == 143
    done = finish(start("train", "--resume", run))
    assert done.returncode == 0, done.stderr
    done = finish(start("train", "--solver", solver, "-o", straight))
    assert done.returncode == 0, done.stderr
    same(run, straight, "best.caffemodel", "solver_iter_300.caffemodel")
    name = "solver_iter_300.solverstate"
    assert state(run / name) == state(straight / name)
    # Weights that only Dropout's draws and Adam's history lead to.
    assert state(run / name)[0] == 300 and len(state(run / name)[2]) == 8


def test_layers_that_forget_their_images(prepared, tmp_path):
    solver = prepared(5)
    net = tmp_path / "net.prototxt"
    net.write_text(net.read_text().replace('"AugmentedData"', '"Data"', 1).replace(
        "augmented_data_param { shuffle: true }", ""))
    done = finish(start("train", "--solver", solver, "-o", tmp_path / "run"))
    assert done.returncode == 0, done.stderr
    assert "layer data: begins with its first images again" in done.stderr


def test_a_broken_snapshot_in_a_moved_folder(images, straight, tmp_path):
    run = tmp_path / "moved"
    shutil.copytree(straight[0], run)
    broken = run / "sknet_digits_iter_18.caffemodel"
    broken.write_bytes(broken.read_bytes()[:100000])
    done = finish(start("train", "--resume", run, "--keep", 1))
    assert done.returncode == 0, done.stderr
    assert f"{broken}: " in done.stderr and "goes on from iteration 16" in done.stderr
    same(run, straight[0], broken.name, "best.caffemodel", "curves.csv")
    assert sorted(path.name for path in run.glob("*_iter_*")) == [
        broken.name, "sknet_digits_iter_18.solverstate",
        "sknet_digits_iter_18.solverstate.broken"]


def test_another_training_in_the_folder(images, straight, refused, tmp_path):
    run = straight[0]
    before = {path: path.stat().st_mtime_ns for path in run.iterdir()}
    args = arguments(images, run)
    refused(*args, "--base-lr", .01,
            naming=[str(run), "no --base-lr", "has --base-lr 0.01", "--force"])
    refused(*args, "--weights", "w", naming=["--weights"])
    refused(*arguments(images / "train", run), naming=["data"])
    assert {path: path.stat().st_mtime_ns for path in run.iterdir()} == before
    refused(*arguments(images, images), naming=["something else in it"])
    refused("train", "--resume", tmp_path, naming=["run.json", "expected"])
    run = tmp_path / "run"
    # What was refused before there was a snapshot is in nobody's way.
    refused(*arguments(images, run, "--weights", tmp_path / "none"), naming=["none"])
    assert command(images, run, "--epochs", ".2").returncode == 0
    assert command(images, run, "--epochs", ".1", "--force").returncode == 0
    assert [path.name for path in run.glob("*.solverstate")] == [
        "sknet_digits_iter_1.solverstate"]
    assert [row["iteration"] for row in rows(run)] == ["1"]


def test_only_one_at_a_time(images, tmp_path, refused):
    run = tmp_path / "run"
    process = start(*arguments(images, run, "--epochs", 20))
    wait_for(run / "sknet_digits_iter_4.solverstate", process)
    refused(*arguments(images, run, "--epochs", 20), naming=["another sknet train"])
    process.kill()
    finish(process)


def test_weights(images, straight, refused, tmp_path):
    weights = tmp_path / "ten.npz"
    stored = files.read(straight[0] / "best.caffemodel")
    old = stored.layers["classifier"].blobs
    stored.layers["classifier"].blobs = [
        type(old[0])(np.resize(blob.data, (10, *blob.data.shape[1:]))) for blob in old]
    stored.layers["other"] = stored.layers["classifier"]
    files.write(weights, stored)
    done = command(images, tmp_path / "run", "--weights", weights, "--epochs", ".1",
                   "--base-lr", 1e-12)
    assert done.returncode == 0, done.stderr
    blobs = files.read(tmp_path / "run/sknet_digits_iter_1.caffemodel").layers
    count = len(blobs)
    lines = [line.removeprefix("sknet train: ") for line in done.stderr.splitlines()]
    assert f"{weights}: fills {count - 1} of {count} layers with weights" in lines
    assert "fresh: classifier, blob 0: 10x256; the net's is 3x256" in lines
    assert "in the file, but not used: other" in lines
    for name, layer in blobs.items():
        if name.endswith("classifier"):
            assert not np.allclose(layer.blobs[0].data, old[0].data)
        else:
            np.testing.assert_allclose(layer.blobs[0].data,
                                       stored.layers[name].blobs[0].data, rtol=1e-5)
    done = command(images, tmp_path / "tuned", "--weights", weights, "--epochs", ".1",
                   "--lr-mult-backbone", 0)
    assert "no weights for it: classifier_finetune" in done.stderr
    tuned = files.read(tmp_path / "tuned/sknet_digits_iter_1.caffemodel").layers
    name = "conv1/3x3_s2"
    assert (tuned[name].blobs[0].data == stored.layers[name].blobs[0].data).all()


def test_weights_that_do_not_fit(images, straight, refused, tmp_path):
    weights = tmp_path / "bad.npz"
    refused(*arguments(images, tmp_path / "bn", "--bn", "caffe", "--weights",
                       straight[0] / "best.caffemodel"),
            naming=["does not fit", "--bn cudnn"])
    stored = files.read(straight[0] / "best.caffemodel")
    blobs = stored.layers["conv1/3x3_s2"].blobs
    blobs[0] = type(blobs[0])(blobs[0].data * np.nan)
    files.write(weights, stored)
    refused(*arguments(images, tmp_path / "nan", "--weights", weights),
            naming=[str(weights), "conv1/3x3_s2", "NaN"])
    stored.layers = {"foreign": stored.layers["classifier"]}
    files.write(weights, stored, force=True)
    refused(*arguments(images, tmp_path / "none", "--weights", weights),
            naming=["none of the net's layers"])


def test_a_loss_that_is_not_finite(images, tmp_path):
    run = tmp_path / "run"
    done = command(images, run, "--base-lr", 1e30, "--snapshot", 1)
    assert done.returncode == 1 and done.stdout == ""
    assert re.fullmatch(
        r"sknet train: iteration \d+: .*not finite.*(the last snapshot is .*_iter_\d+"
        r".caffemodel|there is no snapshot)", done.stderr.splitlines()[-1])
    for path in run.glob("*.caffemodel"):
        for layer in files.read(path).layers.values():
            assert all(np.isfinite(blob.data).all() for blob in layer.blobs)


def test_learns(images, tmp_path):
    """Twenty images by heart, in twenty passes."""
    lines = [f"{images}/train/{name}/{number}.png {label}\n"
             for label, name in enumerate("abc") for number in range(label, 20, 3)]
    (tmp_path / "list.txt").write_text("".join(lines))
    done = finish(start("train", "sknet_digits", tmp_path / "list.txt", "--val",
                        tmp_path / "list.txt", "-o", tmp_path / "run", "--batch", 20,
                        "--iter-size", 1, "--epochs", 25, "--base-lr", .02,
                        "--display", 1, "--test-interval", 25))
    assert done.returncode == 0, done.stderr
    losses = [float(row["loss"]) for row in rows(tmp_path / "run")]
    assert len(losses) == 25
    assert np.mean(losses[-3:]) < .2 * np.mean(losses[:3])


def test_bad_usage(images, tmp_path, refused):
    """What Caffe would stop at half-way is told before."""
    refused(*arguments(images, tmp_path / "gpu", "--gpu", 1000), naming=["GPU"])
    assert not list(tmp_path.glob("gpu/*.prototxt"))  # which LMDBs are made before
    refused(*arguments(images, tmp_path / "gpus", "--gpu", "0,1"), naming=["NCCL"])
    refused(*arguments(images, tmp_path / "gpus", "--gpu", "one"), naming=["one"])
    (tmp_path / "file").write_text("")
    refused(*arguments(images, tmp_path / "file/run"), naming=["file/run"])
    refused(*arguments(images, tmp_path / "small", "--size", 16), naming=["64"])
    refused("train", "sknet_digits", images, naming=["-o RUN"])
    refused("train", "sknet_digits", "-o", "x", naming=["MODEL and DATA"])
    for more in (["-o", "y"], ["--base-lr", 1], ["--force"], ["--seed", 2]):
        refused("train", "--resume", "x", *more, naming=["--resume"])
    refused("train", "--solver", "x", "-o", "y", "--base-lr", 1, naming=["base-lr"])


def test_full_disk(straight, small_files, tmp_path):
    """The old file stays, and the net is of use; other files: tests/faults."""
    net = caffe.Net(str(straight[0] / "deploy.prototxt"), caffe.TEST)
    path = tmp_path / "x.caffemodel"
    path.write_bytes(b"old")
    with small_files(100000), pytest.raises(caffe.Error,
                                            match=f"{path}: File too large"):
        snapshots.save_weights(net, path)
    assert list(tmp_path.iterdir()) == [path] and path.read_bytes() == b"old"
    snapshots.save_weights(net, path)
    assert len(files.read(path).layers) > 10


def test_what_kills_leave_of_old_snapshots(straight, tmp_path):
    """Weights whose state is gone, of before or after those that are kept; and weights
    that still say with which image their training went on."""
    run = tmp_path / "run"
    shutil.copytree(straight[0], run)
    weights = run / "sknet_digits_iter_16.caffemodel"
    for name in ("3.caffemodel", "5.solverstate", "17.caffemodel"):
        shutil.copy(weights.with_suffix(Path(name).suffix),
                    run / f"sknet_digits_iter_{name}")
    for path in run.glob("*_iter_18.*"):
        path.unlink()
    net = caffe_pb2.NetParameter.FromString(weights.read_bytes())
    net.layer[0].augmented_data_param.first = 48
    weights.write_bytes(net.SerializeToString())
    done = finish(start("train", "--resume", run))
    assert done.returncode == 0, done.stderr
    assert "goes on from iteration 16" in done.stderr
    assert {path.name[len("sknet_digits_iter_"):] for path in run.glob("*_iter_*")} == {
        "17.caffemodel", *(f"{number}.{kind}" for number in (12, 16, 18)
                           for kind in ("caffemodel", "solverstate"))}
    same(run, straight[0], "sknet_digits_iter_16.caffemodel",
         "sknet_digits_iter_18.caffemodel", "best.caffemodel")
