"""Loading weights, of whatever format, runs nothing: no code, no other program, no
import, no library, and writes nothing."""
import json
import subprocess
import sys
import zipfile

import caffe
import numpy as np
import pytest

from sknet.errors import InputError
from sknet.weights import files
from sknet.weights.imports.arrays import read_arrays

FORMATS = ["caffemodel", "caffemodel.h5", "npz", "safetensors"]
NET = """
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 } } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
  inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }"""

# Loads a file twice, the second time with all that Python and the system tell of what
# is done. Prints what should not be.
WATCH = """
import json, sys
import caffe
from sknet.weights import files

net_file, weights = sys.argv[1:]
net = caffe.Net(net_file, caffe.TEST)

def load():
    files.read(weights)
    if weights.endswith((".caffemodel", ".h5")):
        net.copy_from(weights)

def code():
    return {line.split()[-1] for line in open("/proc/self/maps") if " r-xp " in line}

FORBIDDEN = {"import", "exec", "subprocess.Popen", "os.system", "os.exec",
             "os.posix_spawn", "os.spawn", "os.fork", "ctypes.dlopen",
             "pickle.find_class", "socket.connect", "os.remove", "os.rename", "os.mkdir"}
found, watching = [], False

def watch(event, args):
    writes = event == "open" and (
        set("wax+") & set(str(args[1])) or isinstance(args[2], int) and args[2] & 3)
    if watching and (event in FORBIDDEN or writes):
        found.append([event, repr(args)[:200]])

load()
before = code()
sys.addaudithook(watch)
watching = True
if "control" in weights:
    import this_module_does_not_exist
load()
watching = False
print(json.dumps(found + [["library", name] for name in code() - before]))
"""


@pytest.fixture
def model(write, tmp_path):
    """(a net's file, a function from a format to its weights' file)"""
    net_file = write(NET)
    caffemodel = str(tmp_path / "weights.caffemodel")
    caffe.Net(net_file, caffe.TEST).save(caffemodel)

    def weights(format):
        path = tmp_path / f"weights.{format}"
        if format != "caffemodel":
            files.write(path, files.read(caffemodel))
        return str(path)
    return net_file, weights


def watched(net_file, weights):
    done = subprocess.run([sys.executable, "-c", WATCH, net_file, weights],
                          capture_output=True, text=True)
    return done.stdout and json.loads(done.stdout), done.stderr


@pytest.mark.parametrize("format", FORMATS)
def test_nothing_is_run(model, format):
    net_file, weights = model
    assert watched(net_file, weights(format)) == ([], "")


def test_the_watch_sees(model, tmp_path):
    """The test above can fail: an import is seen, before it fails."""
    net_file, weights = model
    control = tmp_path / "control.caffemodel"
    control.write_bytes(open(weights("caffemodel"), "rb").read())
    _, errors = watched(net_file, str(control))
    assert "this_module_does_not_exist" in errors


class Evil:
    """Pickled, it is the code that is run when it is unpickled."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return exec, (f"open({str(self.marker)!r}, 'w')",)


@pytest.fixture
def pickled(tmp_path):
    """(a pickle, the path of a file that it makes)"""
    import pickle
    marker = tmp_path / "marker"
    data = pickle.dumps(Evil(marker))
    pickle.loads(data)
    assert marker.exists()
    marker.unlink()
    return data, marker


@pytest.mark.parametrize("name", ["x.npz", "x.caffemodel", "x.h5", "x.safetensors"])
def test_pickles(tmp_path, pickled, name):
    data, marker = pickled
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(InputError):
        files.read(path)
    assert not marker.exists()


def test_pickle_in_npz(tmp_path, pickled):
    _, marker = pickled
    path = tmp_path / "x.npz"
    np.savez(path, **{"ip/0": np.array([Evil(marker)], object)})
    with pytest.raises(InputError, match="object; expected float16, float32 or float64"):
        files.read(path)
    # As the description, which is no array of numbers either.
    np.savez(path, **{"caffe.json": np.array([Evil(marker)], object)})
    with pytest.raises(InputError):
        files.read(path)
    assert not marker.exists()
    np.load(path, allow_pickle=True)["caffe.json"]
    assert marker.exists()


def test_header_of_npz_is_no_code(tmp_path):
    """NumPy reads it as Python's literals."""
    marker, path = tmp_path / "marker", tmp_path / "x.npz"
    header = f"{{'descr': open({str(marker)!r}, 'w'), 'shape': (1,)}}\n".encode()
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("ip/0.npy", b"\x93NUMPY\x01\x00"
                      + len(header).to_bytes(2, "little") + header + bytes(4))
    with pytest.raises(InputError, match="damaged"):
        files.read(path)
    assert not marker.exists()


@pytest.mark.parametrize("zipped", [True, False])
def test_checkpoint_of_pytorch(tmp_path, pickled, zipped):
    torch = pytest.importorskip("torch")
    _, marker = pickled
    path = tmp_path / "x.pth"
    torch.save({"fc.weight": torch.ones(2), "evil": Evil(marker)}, path,
               _use_new_zipfile_serialization=zipped)
    with pytest.raises(InputError, match="not a state dict"):
        read_arrays(path)
    assert not marker.exists()
