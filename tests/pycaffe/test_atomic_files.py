"""Files appear whole or not at all."""
import fnmatch
import os
import random
import signal
import stat
import subprocess
import sys
import threading
import time

import caffe
import h5py
import pytest
from caffe.proto import caffe_pb2
from small_nets import input_layer

# 1.2 MB of weights: a kill will often find a file half written.
NET = input_layer(2, 300) + """
layer { name: 'ip' type: 'InnerProduct' bottom: 'data' top: 'ip'
  inner_product_param { num_output: 1000 weight_filler { type: 'constant' value: 3 } } }
layer { name: 'loss' type: 'Reduction' bottom: 'ip' top: 'loss' loss_weight: 1 }"""
VALUES = 300 * 1000
SUFFIX = {"BINARYPROTO": "", "HDF5": ".h5"}
formats = pytest.mark.parametrize("snapshot_format", SUFFIX)


def blobs(path):
    """The (first value, number of values) of each blob in a file of Caffe's."""
    if path.endswith(".h5"):
        found = []
        with h5py.File(path) as file:
            file.visititems(lambda _, item: found.append(
                (item[:].flat[0], item.size))
                if isinstance(item, h5py.Dataset) and item.shape else None)
        return found
    message = (caffe_pb2.SolverState() if path.endswith("state")
               else caffe_pb2.NetParameter())
    with open(path, "rb") as file:
        message.ParseFromString(file.read())
    arrays = (message.history if path.endswith("state") else
              [blob for layer in message.layer for blob in layer.blobs])
    return [(array.data[0], len(array.data)) for array in arrays]


def with_weights(found):
    return [blob for blob in found if blob[1] == VALUES]


@formats
def test_kills_leave_whole_files(make_solver, tmp_path, snapshot_format):
    solver = make_solver(NET, f"snapshot_format: {snapshot_format}")
    solver.snapshot()
    model, state = (f"{tmp_path}/snapshot_iter_0.{kind}{SUFFIX[snapshot_format]}"
                    for kind in ("caffemodel", "solverstate"))
    start = time.monotonic()
    for _ in range(5):
        solver.snapshot()
    duration = (time.monotonic() - start) / 5
    leftovers = set()
    for _ in range(40):
        child = os.fork()
        if child == 0:
            while True:
                solver.snapshot()
        time.sleep(random.uniform(0, 3 * duration))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        assert with_weights(blobs(model)) == [(3, VALUES)]
        assert with_weights(blobs(state)) == [(0, VALUES)]
        leftovers |= {name for name in os.listdir(tmp_path)
                      if "iter" in name and not os.path.samefile(
                          tmp_path / name, model)
                      and not os.path.samefile(tmp_path / name, state)}
    # Some of the kills came in time to tell; what they left is in nobody's way.
    assert leftovers
    for name in leftovers:
        assert name.startswith(".")
        for pattern in ("*.caffemodel", "*.solverstate", "*.h5"):
            assert not fnmatch.fnmatch(name, pattern)
    caffe.SGDSolver(str(tmp_path / "solver.prototxt")).restore(state)


# In a process of its own, which the limit stays with.
FULL = """
import resource, sys, caffe
solver = caffe.SGDSolver(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000))
try:
    {action}
except caffe.Error as error:
    sys.exit(str(error))
"""


def run(path, action):
    return subprocess.run([sys.executable, "-c", FULL.format(action=action), path],
                          stderr=subprocess.PIPE, text=True, timeout=60)


@formats
def test_a_full_disk_leaves_the_old_file(make_solver, tmp_path, snapshot_format):
    make_solver(NET, f"snapshot_format: {snapshot_format}").snapshot()
    before = {path: path.read_bytes() for path in tmp_path.glob("snapshot*")}
    assert len(before) == 2
    done = run(tmp_path / "solver.prototxt", "solver.snapshot()")
    assert done.returncode == 1, done
    assert {path: path.read_bytes()
            for path in tmp_path.glob("snapshot*")} == before
    if snapshot_format == "BINARYPROTO":
        assert (f"Couldn't write {tmp_path}/snapshot_iter_0.caffemodel: "
                "File too large" in done.stderr)
    assert not list(tmp_path.glob(".*"))


def test_a_folder_that_is_not_there(make_solver, tmp_path):
    make_solver(NET)
    done = run(tmp_path / "solver.prototxt", "solver.net.save('/nowhere/x')")
    assert done.returncode == 1, done
    assert "Couldn't open /nowhere/x to write: No such file" in done.stderr


@pytest.fixture(params=["save", "save_hdf5"])
def save(request, make_net):
    return getattr(make_net(NET), request.param)


def test_a_link_stays_and_so_does_the_mode(save, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    target, link = tmp_path / "elsewhere/old.h5", tmp_path / "link.h5"
    target.write_bytes(b"old")
    target.chmod(0o640)
    link.symlink_to(target)
    save(str(link))
    assert link.is_symlink() and target.stat().st_size > 4 * VALUES
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert os.listdir(tmp_path / "elsewhere") == ["old.h5"]


def test_a_new_file_has_the_usual_mode(save, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    mask = os.umask(0o027)
    try:
        save("new.h5")
    finally:
        os.umask(mask)
    assert stat.S_IMODE(os.stat("new.h5").st_mode) == 0o640


def test_a_pipe_is_written_to(make_net, tmp_path):
    net, pipe, read = make_net(NET), tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    net.save(str(pipe))
    reader.join()
    assert stat.S_ISFIFO(os.stat(pipe).st_mode)
    assert caffe_pb2.NetParameter.FromString(read[0]).layer[1].name == "ip"
