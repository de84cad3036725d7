"""The same work in one process and in many, one of which is killed."""
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

from sknet import sharding
from sknet.errors import InputError


def squares(batches):
    for batch in batches:
        yield batch, [index ** 2 for index in batch]


def test_without_ray_it_is_not_imported():
    code = ("import sys, test_sharding as this\n"
            "from sknet.sharding import run\n"
            "assert list(run(this.squares, [range(3)])) == [(range(3), [0, 1, 4])]\n"
            "assert 'ray' not in sys.modules")
    subprocess.run([sys.executable, "-c", code], check=True,
                   cwd=Path(__file__).parent)


@pytest.mark.parametrize("address, reason", [
    ("127.0.0.1:1", "Connection refused"), ("somewhere", ""), ("a:b", "")])
def test_no_cluster(address, reason):
    with pytest.raises(InputError, match=f"--ray {address}: cannot connect: .*{reason}"):
        list(sharding.run(squares, [range(3)], address))


@pytest.fixture
def many(held_out, tmp_path):
    """A list of 121 images, one of which cannot be read."""
    (tmp_path / "bad.png").write_bytes(b"")
    lines = held_out.read_text().replace("val/", f"{held_out.parent}/val/") * 2
    (tmp_path / "many.txt").write_text(lines + "bad.png 3\n")
    return tmp_path / "many.txt"


def shards_of(ancestor):
    """The pids of Ray's processes with a Shard below a process."""
    parents, names = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            pid, status = int(folder.name), (folder / "stat").read_text()
            names[pid] = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        parents[pid] = int(status.rpartition(")")[2].split()[1])

    def descends(pid):
        while pid in parents and pid != ancestor:
            pid = parents[pid]
        return pid == ancestor
    return [pid for pid, name in names.items()
            if name.startswith(b"ray::Shard") and descends(pid)]


def wait_for(process, what):
    """What `what` gives, as soon as it gives something."""
    while not (found := what()):
        assert process.poll() is None, process.communicate()
        time.sleep(.02)
    return found


def test_a_killed_worker_loses_nothing(sknet, many, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # As Ray has it in workers, a core each: OpenBLAS's last digits may depend on it.
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    # Enough that the last worker is there before all is done.
    many.write_text(many.read_text() * 6)
    # A relative path: the workers are in the same folder.
    command = ["evaluate", "sknet_digits", many.name, "--json", "--crops", "10",
               "--batch-size", "2"]
    alone = sknet(*command, "--predictions", "alone.jsonl")
    assert alone.returncode == 1 and json.loads(alone.stdout)["images"] == 720
    rows = tmp_path / "rows.jsonl"
    with subprocess.Popen(
            [sys.executable, "-m", "sknet", *command, "--ray", "local",
             "--processes", "3", "--predictions", rows.name],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        # The first may have begun before the last is there.
        wait_for(process, lambda: rows.exists() and rows.read_bytes().count(b"\n") > 1
                 and len(shards_of(process.pid)) == 3)
        shards = shards_of(process.pid)
        os.kill(shards[0], signal.SIGKILL)
        wait_for(process, lambda: set(shards_of(process.pid)) - set(shards))
        output, error = process.communicate()
    assert len(shards) == 3
    assert output == alone.stdout
    assert "bad.png" in error and "Traceback" not in error
    # Each image once, and its probabilities to the last digit.
    assert sorted(rows.read_text().splitlines()) == sorted(
        (tmp_path / "alone.jsonl").read_text().splitlines())


def test_features(sknet, many, tmp_path, monkeypatch):
    """Over Ray and not, in both formats; against the classifier by hand."""
    import caffe
    import cv2
    from sknet.source import shipped
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    command = ["extract", "sknet_digits", many, "--blob", "avepool/7x7", "--blob",
               "prob", "--batch-size", 7, "-o"]
    alone = sknet(*command, tmp_path / "a.npz")
    assert alone.returncode == 1 and "bad.png" in alone.stderr
    assert "avepool/7x7: 121x256x1x1" in alone.stdout
    shared = sknet(*command, tmp_path / "a.h5", "--ray", "local", "--processes", 2)
    assert shared.returncode == 1 and "bad.png" in shared.stderr
    net = caffe.Net(str(shipped("sknet_digits", "deploy.prototxt")),
                    str(shipped("sknet_digits", "sknet_digits.caffemodel")), caffe.TEST)
    lines = [line.split() for line in many.read_text().splitlines()]
    with np.load(tmp_path / "a.npz") as one, h5py.File(tmp_path / "a.h5") as two:
        for name in ("avepool/7x7", "prob"):
            np.testing.assert_array_equal(one[name], two[name][:])
            assert np.isnan(one[name][120]).all()
        assert one["names"].tolist() == [path for path, _ in lines]
        assert two["names"].asstr()[:].tolist() == one["names"].tolist()
        assert one["labels"].tolist() == [int(label) for _, label in lines]
        assert one["labels"].tolist() == two["labels"][:].tolist()
        for number in (0, 6, 7, 119):
            image = cv2.imread(lines[number][0]).astype(np.float32)
            net.blobs["data"].data[0] = ((image - 128) / 64).transpose(2, 0, 1)
            net.forward()
            for name in ("avepool/7x7", "prob"):
                np.testing.assert_allclose(one[name][number], net.blobs[name].data[0],
                                           rtol=1e-4, atol=1e-6)


def test_bad_requests_for_features(refused, held_out, tmp_path):
    def bad(*args, naming):
        refused("extract", "sknet_digits", held_out, *args, naming=naming)

    bad("--blob", "prob", "-o", tmp_path / "a.txt", naming=["a.txt", ".npz or .h5"])
    bad("--blob", "avepool", "-o", tmp_path / "a.npz",
        naming=["avepool", "no such blob", "avepool/7x7"])
    (tmp_path / "b.npz").write_text("mine")
    bad("--blob", "prob", "-o", tmp_path / "b.npz", naming=["b.npz", "--force"])
    assert [path.name for path in tmp_path.iterdir()] == ["b.npz"]
