"""What is in a folder, and whether it is what an undisturbed operation writes."""
import io
import re

import h5py
import lmdb
import numpy as np
from PIL import Image

from sknet.proto import caffe_pb2

OLD = b"what was there before"
# Beside the data.
_OF_LMDBS = ("data.mdb", "lock.mdb", "made_from.json")


def contents(folder):
    """Return {name: content} of the files and LMDBs in a folder and those below, but
    for hidden ones: bytes; of Caffe's HDF5, which has times in it, its arrays; of what
    grows as it is written, a list."""
    found = {}
    for path in sorted(folder.rglob("[!.]*")):
        name = str(path.relative_to(folder))
        if (path / "data.mdb").exists():
            found[name] = _items(path)
        elif path.is_file() and path.name not in _OF_LMDBS:
            found[name] = _content(path)
    return found


def hidden(folder):
    """Return the paths of hidden files, but for locks."""
    return {path for path in folder.rglob(".*") if path.name != ".lock"}


def size(content):
    """About as many bytes as the file has."""
    if isinstance(content, bytes):
        return len(content)
    return sum(map(size, content.values() if isinstance(content, dict) else content))


def check(folder, final):
    """Assert that all is whole: what was there before, or what the undisturbed
    operation leaves or goes through; `final`: {name: content} of that."""
    for name, content in contents(folder).items():
        _check(name, content, final)
    for path in hidden(folder):
        # Whole, too, on its way to the name of another, and gone with the next.
        name = re.fullmatch(r"\.(.+)\.[\da-f-]+\.new", path.name)[1]
        _check(str(path.with_name(name).relative_to(folder)), _content(path), final)


def same(found, final):
    """Assert that two contents are the same; what grew may have another order."""
    assert sorted(found) == sorted(final)
    for name, content in found.items():
        if isinstance(content, list):
            assert sorted(content) == sorted(final[name]), name
        else:
            assert content == final[name], name


def _check(name, content, final):
    if content == OLD:
        return
    if isinstance(content, list):
        # Of lines, a kill may cut off the last.
        expected = final[name.removesuffix(".part")]
        assert set(content[:-1]) <= set(expected), name
        assert not content or any(item[:len(content[-1])] == content[-1]
                                  for item in expected), name
    elif name.endswith("best.caffemodel"):
        # Of one of the snapshots; with which image it went on is deleted at once.
        assert _without_first(content) in [
            _without_first(final[other]) for other in final
            if re.search(r"_iter_\d+\.caffemodel", other)], name
    elif name.startswith("run/") and name.endswith(".caffemodel"):
        assert _without_first(content) == _without_first(final[name]), name
    elif name.endswith("curves.png"):
        Image.open(io.BytesIO(content)).load()
    elif name.endswith(".tempfile"):
        # By which Caffe tries whether it may write snapshots.
        assert content == b"", name
    else:
        assert content == final[name], name


def _without_first(content):
    net = caffe_pb2.NetParameter.FromString(content)
    for layer in net.layer:
        layer.augmented_data_param.ClearField("first")
    return net


def _content(path):
    content = path.read_bytes()
    if path.name in ("curves.csv", "rows.jsonl", "measured.jsonl"):
        return content.splitlines(keepends=True)
    if content != OLD and "_iter_" in path.name and ".h5" in path.suffixes:
        return _arrays(content)
    return content


def _arrays(content):
    found = {}

    def add(name, item):
        if isinstance(item, h5py.Dataset):
            array = np.asarray(item[()])
            found[name] = (array.tobytes() if array.dtype.kind in "fiu"
                           else str(array.tolist()).encode())
    with h5py.File(io.BytesIO(content), "r") as file:
        file.visititems(add)
    return found


def _items(path):
    with lmdb.open(str(path), readonly=True, lock=False) as environment, \
            environment.begin() as transaction:
        return [(bytes(key), bytes(value)) for key, value in transaction.cursor()]
