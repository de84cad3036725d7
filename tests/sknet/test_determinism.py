"""The same seed gives the same training, to the byte, in another process."""
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from sknet import models
from sknet.text import to_text

# Prints each iteration's loss exactly, and leaves a snapshot.
TRAINING = """
import caffe
solver = caffe.SGDSolver("solver.prototxt")
for _ in range(4):
    solver.step(1)
    print(float(solver.net.blobs["loss"].data).hex())
solver.snapshot()"""


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    """The text of sknet_digits (Axpy, CuDNNBatchNorm) with Dropout, of images that
    are shuffled and augmented by several threads."""
    folder = tmp_path_factory.mktemp("images")
    random = np.random.default_rng(0)
    for number in range(20):
        pixels = random.integers(0, 256, (70, 90, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    (folder / "list").write_text(
        "".join(f"{folder}/{number}.png {number % 10}\n" for number in range(20)))
    net = models.create("sknet_digits", "train_val", batch=4)
    images, validation, *rest = net.layer
    images.type = "AugmentedData"
    images.ClearField("data_param")
    images.image_data_param.source = str(folder / "list")
    images.image_data_param.batch_size = 4
    images.augmented_data_param.shuffle = True
    images.augmented_data_param.threads = 3
    images.transform_param.min_area_ratio = .3
    images.transform_param.max_rotation_angle = 10
    images.transform_param.max_pixel_jitter = 20
    classifier = next(layer for layer in rest if layer.name == "classifier")
    drop = net.layer.add(name="drop", type="Dropout", bottom=classifier.bottom,
                         top=["drop"])
    classifier.bottom[:] = drop.top
    ordered = sorted(net.layer, key=lambda layer: layer.name == "drop")
    ordered.insert(ordered.index(classifier), ordered.pop())
    ordered.remove(validation)
    del net.layer[:]
    net.layer.extend(ordered)
    return to_text(net)


def train(folder, net, seed, threads):
    """(losses, {snapshot's file: bytes}) of a training in a process of its own."""
    folder.mkdir()
    (folder / "net.prototxt").write_text(net)
    (folder / "solver.prototxt").write_text(
        f"net: 'net.prototxt' random_seed: {seed} base_lr: 0.05 lr_policy: 'fixed' "
        "momentum: 0.9 weight_decay: 0.0001 snapshot_prefix: 'snapshot'")
    done = subprocess.run(
        [sys.executable, "-c", TRAINING], cwd=folder, capture_output=True, text=True,
        env={**os.environ, "OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads,
             "GLOG_minloglevel": "2"})
    assert done.returncode == 0, done.stderr
    return done.stdout.split(), {
        path.name: path.read_bytes() for path in folder.glob("snapshot*")}


@pytest.mark.parametrize("threads", ["1", "2"])
def test_same_seed_same_bytes(net, tmp_path, threads):
    losses, files = train(tmp_path / "once", net, 5, threads)
    assert len(losses) == len(set(losses)) == 4
    assert set(files) == {"snapshot_iter_4.caffemodel", "snapshot_iter_4.solverstate"}
    assert train(tmp_path / "again", net, 5, threads) == (losses, files)


def test_another_seed_another_training(net, tmp_path):
    losses, files = train(tmp_path / "one", net, 5, "1")
    other_losses, other_files = train(tmp_path / "other", net, 6, "1")
    assert not set(losses) & set(other_losses)
    assert all(files[name] != other_files[name] for name in files)
