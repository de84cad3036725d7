"""Files appear whole or not at all."""
import os
import signal
import stat
import subprocess
import sys
import threading

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


# In a process of its own, which the limit stays with.
FULL = """
import resource, signal, sys, caffe
solver = caffe.SGDSolver(sys.argv[1])
unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (100000, unlimited[1]))
{action}
"""
REFUSED = """
try:
    {}
except caffe.Error as error:
    print(error, file=sys.stderr)
"""
GO_ON = """
resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
solver.snapshot()
"""
# Which ends the process in the midst of writing.
KILL = """
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
solver.snapshot()
"""


def run(path, action):
    return subprocess.run([sys.executable, "-c", FULL.format(action=action), path],
                          stderr=subprocess.PIPE, text=True, timeout=60)


@formats
def test_a_full_disk_leaves_the_old_file(make_solver, tmp_path, snapshot_format):
    make_solver(NET, f"snapshot_format: {snapshot_format}").snapshot()
    before = {path: path.read_bytes() for path in tmp_path.glob("snapshot*")}
    assert len(before) == 2
    done = run(tmp_path / "solver.prototxt", REFUSED.format("solver.snapshot()"))
    assert done.returncode == 0, done
    assert {path: path.read_bytes()
            for path in tmp_path.glob("snapshot*")} == before
    assert (f"Couldn't write {tmp_path}/snapshot_iter_0.caffemodel"
            f"{SUFFIX[snapshot_format]}: File too large" in done.stderr)
    assert not list(tmp_path.glob(".*"))


@formats
def test_a_solver_goes_on_after_that(make_solver, tmp_path, snapshot_format):
    make_solver(NET, f"snapshot_format: {snapshot_format}")
    done = run(tmp_path / "solver.prototxt", REFUSED.format("solver.snapshot()") + GO_ON)
    assert done.returncode == 0 and "File too large" in done.stderr, done
    assert [with_weights(blobs(str(path))) for path in sorted(
        tmp_path.glob("snapshot*"))] == [[(3, VALUES)], [(0, VALUES)]]


@formats
def test_killed_half_way(make_solver, tmp_path, snapshot_format):
    """tests/faults has kills at random moments."""
    make_solver(NET, f"snapshot_format: {snapshot_format}").snapshot()
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    done = run(tmp_path / "solver.prototxt", KILL)
    assert done.returncode == -signal.SIGXFSZ, done
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_what_a_kill_between_two_names_left(make_net, tmp_path):
    """goes when the file is next replaced."""
    path, left = tmp_path / "new.caffemodel", tmp_path / ".new.caffemodel.0a1b.new"
    net = make_net(NET)
    for _ in range(2):
        left.write_bytes(b"whole, but never named")
        net.save(str(path))
    assert with_weights(blobs(str(path))) == [(3, VALUES)]
    assert not left.exists()


def test_a_folder_that_is_not_there(make_solver, tmp_path):
    make_solver(NET)
    done = run(tmp_path / "solver.prototxt",
               REFUSED.format("solver.net.save('/nowhere/x')"))
    assert done.returncode == 0, done
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
