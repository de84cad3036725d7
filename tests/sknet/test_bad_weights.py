"""Damaged files of weights, of every format: an InputError or Weights, nothing
else, in no more memory than the file's size warrants."""
import io
import json
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sknet.errors import InputError
from sknet.proto import caffe_pb2
from sknet.weights import files
from sknet.weights.blobs import Blob, Layer, Weights
from sknet.weights.formats.wire import head, varint

SHIPPED = Path(__file__).parents[2] / "prototxt/sknet_digits/sknet_digits.caffemodel"
ENDS = [".caffemodel", ".caffemodel.h5", ".npz", ".safetensors"]


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    """{end: bytes}: the first layers of the shipped model in every format."""
    folder = tmp_path_factory.mktemp("originals")
    whole = files.read(SHIPPED)
    few = Weights(whole.name, dict(list(whole.layers.items())[:4]))
    contents = {}
    for end in ENDS:
        files.write(folder / f"few{end}", few)
        contents[end] = (folder / f"few{end}").read_bytes()
    return contents


def refused(path, content, *words):
    """The file is refused in one line, which names it and has the words."""
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        files.read(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ") and "\n" not in message
    for word in words:
        assert word in message


def survives(path, content):
    """What is read is Weights, or refused in one line."""
    path.write_bytes(content)
    try:
        assert files.read(path).layers
    except InputError as error:
        assert str(error).startswith(f"{path}: ") and "\n" not in str(error)


# Mutations. Sizes, shapes, and names are in few of the bytes: at the beginnings
# and ends as a rule, so that half of the changes are there.

@st.composite
def edits(draw):
    """[(place from 0 to 1, how many bytes go, what comes)]"""
    place = st.one_of(st.floats(0, 1), st.floats(0, .05), st.floats(.95, 1))
    new = st.one_of(st.binary(max_size=8), st.sampled_from(
        [b"\xff" * 4, b"\xff" * 9 + b"\x01", b"\x00\x00\x00\x80", b"\0" * 4]))
    return draw(st.lists(st.tuples(place, st.integers(0, 9), new),
                         min_size=1, max_size=3))


@pytest.mark.parametrize("end", ENDS)
@settings(max_examples=100, deadline=None, database=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=edits())
def test_mutated(originals, end, tmp_path, edits):
    content = bytearray(originals[end])
    for place, gone, new in edits:
        at = int(place * len(content))
        content[at:at + gone] = new
    survives(tmp_path / "mutated", content)


@pytest.mark.parametrize("end", ENDS)
@settings(max_examples=100, deadline=None, database=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(size=st.floats(0, 1, exclude_max=True))
def test_truncated(originals, end, tmp_path, size):
    content = originals[end]
    survives(tmp_path / "cut", content[:int(size * len(content))])


@settings(max_examples=100, deadline=None, database=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=st.sampled_from([b"", b"PK\x03\x04", b"\x89HDF\r\n\x1a\n", b"\xa2\x06",
                              b"\x40\0\0\0\0\0\0\0{"]),
       rest=st.binary(max_size=200))
def test_noise(tmp_path, start, rest):
    survives(tmp_path / "noise", start + rest)


# Other files.

def zipped(**members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_", "/"), content)
    return file.getvalue()


@pytest.mark.parametrize("content, word", [
    (b"", "no weights"),
    (b"I am not a caffemodel.\n" * 9, "not a caffemodel"),
    (b'name: "net"\nlayer { name: "a" type: "ReLU" }\n', "not a caffemodel"),
    (b"<!DOCTYPE html><html><title>Sign in</title></html>", "HTML"),
    (b"\n  <HTML><body>404</body></HTML>", "HTML"),
    (zipped(word_document=b"text"), "word/document"),
    (zipped(), "not a caffemodel"),
    (b"\x89PNG\r\n\x1a\n" + bytes(99), "not a caffemodel"),
    (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
     "not a caffemodel")])
def test_other_files(tmp_path, content, word):
    refused(tmp_path / "other", content, word)


def test_folders_and_nothing(tmp_path):
    for path, word in ((tmp_path, "directory"), (tmp_path / "none", "No such")):
        with pytest.raises(InputError, match=f"{path}: .*{word}"):
            files.read(path)


# Caffemodels.

def model(blob):
    """A caffemodel of a layer with one blob, a message's bytes."""
    layer = caffe_pb2.LayerParameter(name="fc").SerializeToString()
    layer += head(7, len(blob)) + blob
    return head(100, len(layer)) + layer


def blob(*dims, values=6, **old):
    message = caffe_pb2.BlobProto(data=range(values), **old)
    if dims:
        message.shape.dim.extend(dims)
    return message.SerializeToString()


@pytest.mark.parametrize("content", [
    blob(7), blob(2, 3, 2), blob(-2, -3), blob(2, -3), blob(0, 6), blob(6, 0),
    blob(2 ** 32 + 6), blob(2 ** 62, 4, 6), blob(2 ** 63 - 1), blob(values=0),
    blob(0, 2 ** 62, values=0), blob(*[1] * 33, values=1), blob(6, values=5),
    blob(num=-1, channels=-1, height=2, width=3), blob(num=6),
    blob(num=1, channels=1, height=2 ** 31 - 1, width=2 ** 31 - 1),
    blob(values=2)], ids=range(17))
def test_shapes_that_do_not_fit(tmp_path, content):
    refused(tmp_path / "shapes.caffemodel", model(content), "layer fc, blob 0",
            "values for the shape")


@pytest.mark.parametrize("content, word", [
    (head(100, 2 ** 31 - 1) + b"abc", "truncated"),
    (head(100, 2 ** 63) + b"abc", "truncated"),
    (b"\xa2\x06" + b"\xff" * 10, "not a caffemodel"),
    (varint(100 << 3 | 2), "truncated"),
    (b"\0" * 100, "not a caffemodel"),
    (b"\x0b\x0c", "not a caffemodel"),
    (model(head(5, 7) + bytes(7)), "7 bytes of float32"),
    (model(head(5, 2 ** 31)), "truncated")])
def test_messages_that_are_none(tmp_path, content, word):
    refused(tmp_path / "messages.caffemodel", content, word)


# Named arrays, and their descriptions.

def saved(end, path, arrays, description=None):
    """The bytes of a file of {name: array}, in a format."""
    if end == ".caffemodel.h5":
        with h5py.File(path, "w") as file:
            for name, array in arrays.items():
                file[f"data/{name}"] = array
            if description is not None:
                file["caffe.json"] = np.frombuffer(description, np.uint8)
    elif end == ".npz":
        text = {} if description is None else {
            "caffe.json": np.frombuffer(description, np.uint8)}
        with open(path, "wb") as file:
            np.savez(file, **arrays, **text)
    else:
        from safetensors.numpy import save_file
        save_file(arrays, path, None if description is None else {
            "caffe.json": description.decode()})
    return path.read_bytes()


@pytest.mark.parametrize("end", ENDS[1:])
@pytest.mark.parametrize("arrays, word", [
    ({"fc": np.zeros(3, "f4")}, "LAYER/INDEX"),
    ({"fc/1": np.zeros(3, "f4")}, "expected all from 0"),
    ({"fc/0": np.zeros(3, "f4"), "fc/2": np.zeros(3, "f4")}, "expected all from 0"),
    ({"fc/" + "9" * 5000: np.zeros(3, "f4")}, "expected all from 0"),
    ({"fc/00": np.zeros(3, "f4")}, "expected all from 0"),
    ({"fc/0": np.zeros(3, "i4")}, "int32"),
    ({"fc/0": np.zeros((3, 0), "f4")}, "3x0")])
def test_arrays_that_are_no_blobs(tmp_path, end, arrays, word):
    path = tmp_path / "arrays"
    refused(path, saved(end, path, arrays), word)


FC = {"fc/0": np.zeros(3, "f4"), "conv/0": np.zeros(3, "f4")}
LAYERS = [["fc", "InnerProduct", [False]], ["conv", "", [False]]]


@pytest.mark.parametrize("end", ENDS[1:])
@pytest.mark.parametrize("description", [
    "{", "[]", "3", "null", '"text"', "{}", "[" * 100000,
    dict(name="net"), dict(layers=LAYERS), dict(name=3, layers=LAYERS),
    dict(name="net", layers=3), dict(name="net", layers=LAYERS[:1]),
    dict(name="net", layers=[LAYERS[0]] * 2),
    dict(name="net", layers=[*LAYERS, ["more", "", []]]),
    dict(name="net", layers=[["fc", 3, [False]], LAYERS[1]]),
    dict(name="net", layers=[["fc", "", [True]], LAYERS[1]]),
    dict(name="net", layers=[["fc", "", "a"], LAYERS[1]]),
    dict(name="net", layers=[["fc", "", [False] * 2], LAYERS[1]]),
    dict(name="net", layers=[[[], "", [False]], LAYERS[1]]),
    dict(name="net", layers=[["fc"], LAYERS[1]])], ids=range(20))
def test_descriptions_of_something_else(tmp_path, end, description):
    if not isinstance(description, str):
        description = json.dumps(description)
    path = tmp_path / "described"
    refused(path, saved(end, path, FC, description.encode()), "its description is")


def test_a_description_that_fits(tmp_path):
    for end in ENDS[1:]:
        path = tmp_path / f"described{end}"
        saved(end, path, FC, json.dumps(dict(name="net", layers=LAYERS)).encode())
        assert list(files.read(path).layers) == ["fc", "conv"]


def npy(shape, data, dtype="<f4"):
    """The bytes of an .npy file that says it has some shape."""
    header = repr(dict(descr=dtype, fortran_order=False, shape=shape)).encode() \
        + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data


def bomb():
    """A zip file of 256 MB of zeros in 256 kB."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("fc/0.npy", npy((1 << 26,), bytes(1 << 28)))
    return file.getvalue()


def unallocated(path):
    """An HDF5 file of an array of 2 GB, of which it holds nothing."""
    with h5py.File(path, "w") as file:
        file.create_dataset("data/fc/0", (1 << 29,), "<f4")
    return path.read_bytes()


def elsewhere(path):
    """An HDF5 file of an array in another file."""
    other = path.with_name("other")
    other.write_bytes(bytes(400))
    with h5py.File(path, "w") as file:
        file.create_dataset("data/fc/0", (100,), "<f4",
                            external=[(str(other), 0, 400)])
    return path.read_bytes()


def safetensors(header, data=b"", size=None):
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text) if size is None else size) + text + data


TENSOR = {"fc/0": dict(dtype="F32", shape=[1 << 29], data_offsets=[0, 1 << 31])}
CLAIMS = {
    "caffemodel.layer": head(100, 2 ** 31 - 1) + b"\x0a\x02fc",
    "caffemodel.blob": model(head(5, 2 ** 31 - 4)),
    "caffemodel.shape": model(blob(2 ** 29)),
    "caffemodel.loose": model(blob(1) + b"\x2d\0\0\x80\x3f" * 200000),
    "npz.shape": zipped(**{"fc_0.npy": npy((1 << 29,), bytes(64))}),
    "npz.negative": zipped(**{"fc_0.npy": npy((-1, -16), bytes(64))}),
    "npz.huge": zipped(**{"fc_0.npy": npy((1 << 62, 4), bytes(64))}),
    "npz.bomb": bomb(),
    "npz.objects": zipped(**{"fc_0.npy": npy((2,), bytes(16), "|O")}),
    "npz.header": zipped(**{"fc_0.npy": b"\x93NUMPY\x02\x00\xff\xff\xff\x7f{"}),
    "npz.version": zipped(**{"fc_0.npy": b"\x93NUMPY\x09\x00\x04\x00{}  "}),
    "h5.unallocated": unallocated,
    "h5.elsewhere": elsewhere,
    "safetensors.offsets": safetensors(TENSOR, bytes(64)),
    "safetensors.header": safetensors({}, size=2 ** 31 - 1),
    "safetensors.shape": safetensors({"fc/0": dict(
        dtype="F32", shape=[1 << 62, 4, 1], data_offsets=[0, 64])}, bytes(64)),
    "safetensors.negative": safetensors({"fc/0": dict(
        dtype="F32", shape=[-4, -4], data_offsets=[0, 64])}, bytes(64))}


def test_claims_take_no_memory(tmp_path):
    """In a process that may take 64 MB, no file of at most 1 MB does."""
    paths = []
    for name, content in CLAIMS.items():
        paths.append(tmp_path / name)
        content = content(paths[-1]) if callable(content) else content
        paths[-1].write_bytes(content)
        assert len(content) <= 1 << 20
    done = subprocess.run([sys.executable, "-c", """
import resource, sys
import h5py, numpy, safetensors
from sknet.errors import InputError
from sknet.weights import files
for path in sys.argv[1:]:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    pages = int(open("/proc/self/statm").read().split()[0])
    limit = pages * resource.getpagesize() + (64 << 20)
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
    try:
        files.read(path)
        print("read:", path)
    except InputError as error:
        pass
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)
"""] + paths, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_values_one_by_one(tmp_path):
    """Not packed, as protobuf allows: read, in memory like the file's size."""
    import tracemalloc
    values = np.arange(50000, dtype="<f4")
    loose = np.zeros((50000, 5), np.uint8)
    loose[:, 0] = 5 << 3 | 5
    loose[:, 1:] = values.view(np.uint8).reshape(-1, 4)
    content = model(caffe_pb2.BlobProto(shape=dict(dim=[50000])).SerializeToString()
                    + loose.tobytes())
    path = tmp_path / "loose.caffemodel"
    path.write_bytes(content)
    tracemalloc.start()
    weights = files.read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(weights.layers["fc"].blobs[0].data, values)
    assert peak < 4 * len(content)


def test_both_ways_of_packing_in_turn(tmp_path):
    content = blob(4, values=1) + b"\x2d" + np.float32(1).tobytes() \
        + b"\x2d" + np.float32(2).tobytes() + blob(values=1)
    path = tmp_path / "mixed.caffemodel"
    path.write_bytes(model(content))
    assert files.read(path).layers["fc"].blobs[0].data.tolist() == [0, 1, 2, 0]


def test_flat_weights_survive(tmp_path):
    """The guards let go what may be: no axes, and 32 of them; compressed zeros."""
    weights = Weights("net", {"a": Layer("", [Blob(np.float32(.25)),
                                              Blob(np.ones((1,) * 32, "f4"))])})
    for end in ENDS:
        files.write(tmp_path / f"w{end}", weights)
        found = files.read(tmp_path / f"w{end}").layers["a"].blobs
        assert [blob.shape for blob in found] == [(), (1,) * 32]
    random = np.random.default_rng(0).normal(size=5000).astype("f4")
    with open(tmp_path / "z.npz", "wb") as file:
        np.savez_compressed(file, **{"a/0": np.zeros(50000, "f4"), "b/0": random})
    assert files.read(tmp_path / "z.npz").layers["a"].blobs[0].shape == (50000,)
