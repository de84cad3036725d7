import contextlib
import resource
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import caffe
import numpy as np
import pytest
from PIL import Image

from sknet import models

from net_files import write_net


@pytest.fixture(scope="session")
def digits(tmp_path_factory):
    """sknet_digits with random weights: deploy, weights (paths), and param (the
    NetParameter)."""
    folder = tmp_path_factory.mktemp("digits")
    param = models.create("sknet_digits")
    deploy = write_net(folder / "deploy.prototxt", param)
    net = caffe.Net(deploy, caffe.TEST)
    rng = np.random.default_rng(0)
    for name, blobs in net.params.items():
        if name.endswith("/bn"):
            for blob, value in zip(blobs, (1, 0, 0, 1)):
                blob.data[...] = value + rng.uniform(-.2, .2, blob.data.shape)
        else:
            fan_in = np.prod(blobs[0].data.shape[1:])
            blobs[0].data[...] = rng.normal(0, fan_in ** -.5, blobs[0].data.shape)
    weights = str(folder / "digits.caffemodel")
    net.save(weights)
    return SimpleNamespace(deploy=deploy, weights=weights, param=param,
                           folder=folder)


@pytest.fixture(scope="session")
def held_out(tmp_path_factory):
    """A list of 60 held-out digits, as convert_imageset reads it, in a folder of
    its own."""
    folder = tmp_path_factory.mktemp("held_out")
    tool = Path(__file__).resolve().parents[2] / "tools/digits.py"
    subprocess.run([sys.executable, tool, folder, "--train", "0", "--val", "60"],
                   check=True, stdout=subprocess.DEVNULL)
    return folder / "val.txt"


@pytest.fixture
def images(tmp_path):
    """Paths of five images of different sizes and formats."""
    rng = np.random.default_rng(1)
    paths = []
    for number, (size, kind) in enumerate([
            ((64, 64), "png"), ((100, 70), "jpg"), ((64, 200), "png"),
            ((333, 222), "bmp"), ((90, 90), "png")]):
        coarse = Image.fromarray(
            rng.integers(0, 256, (6, 6, 3)).astype(np.uint8))
        paths.append(str(tmp_path / f"{number}.{kind}"))
        coarse.resize(size).save(paths[-1])
    return paths


@pytest.fixture
def small_files():
    """small_files(bytes): a context in which files cannot be larger, as if the disk
    were full."""
    @contextlib.contextmanager
    def limited(size):
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    return limited


@pytest.fixture
def sknet():
    """sknet(arguments...) → the finished command, with returncode, stdout and
    stderr."""
    def run(*args):
        return subprocess.run([sys.executable, "-m", "sknet", *map(str, args)],
                              capture_output=True, text=True)
    return run


@pytest.fixture
def refused(sknet):
    """refused(arguments..., naming=words): the command ends with status 1 and
    one line on standard error, with all the words in it."""
    def run(*args, naming):
        done = sknet(*args)
        assert done.returncode == 1, done
        assert done.stdout == ""
        lines = done.stderr.splitlines()
        assert len(lines) == 1, done.stderr
        assert lines[0].startswith(f"sknet {args[0]}: ")
        for word in naming:
            assert word in lines[0]
    return run
