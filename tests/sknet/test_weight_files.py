"""Weight files: what is written is read, bit by bit, and by others too."""
import subprocess
import sys

import caffe
import h5py
import numpy as np
import pytest
from safetensors.numpy import load_file

from sknet.errors import InputError
from sknet.proto import caffe_pb2
from sknet.weights import files
from sknet.weights.blobs import Blob, Layer, Weights

ENDS = [".caffemodel", ".caffemodel.h5", ".npz", ".safetensors"]


def bits(weights):
    """What must survive: names, types, order, and every bit of every blob."""
    return [weights.name] + [
        (name, layer.type, [(blob.legacy, blob.shape, blob.data.dtype,
                             blob.data.tobytes()) for blob in layer.blobs])
        for name, layer in weights.layers.items()]


@pytest.fixture
def weights():
    """Names with slashes, doubles, an old file's shape, NaNs, no axes."""
    odd = np.array([[np.nan, -0.0], [np.inf, 1e-45]], np.float32)
    return Weights("a net", {
        "z/conv": Layer("Convolution", [Blob(odd), Blob(np.float32([3]))]),
        "z": Layer("Scale", [Blob(np.arange(6.).reshape(1, 2, 3, 1), True)]),
        "a": Layer("PReLU", [Blob(np.float32(.25))])})


@pytest.mark.parametrize("end", ENDS)
def test_every_bit_survives(weights, end, tmp_path):
    path = tmp_path / f"weights{end}"
    files.write(path, weights)
    assert bits(files.read(path)) == bits(weights)


@pytest.mark.parametrize("end", ENDS)
def test_the_content_says_the_format(weights, end, tmp_path):
    files.write(tmp_path / f"weights{end}", weights)
    (tmp_path / f"weights{end}").rename(tmp_path / "renamed")
    assert bits(files.read(tmp_path / "renamed")) == bits(weights)


def test_caffe_reads_what_we_write(digits, tmp_path):
    path = tmp_path / "own.caffemodel"
    files.write(path, files.read(digits.weights))
    ours = caffe.Net(digits.deploy, caffe.TEST, weights=str(path))
    caffes = caffe.Net(digits.deploy, caffe.TEST, weights=digits.weights)
    for name, blobs in caffes.params.items():
        for ours_blob, blob in zip(ours.params[name], blobs):
            assert ours_blob.data.tobytes() == blob.data.tobytes()


def test_we_read_what_protobuf_writes(digits):
    """Its own parser is the reference."""
    with open(digits.weights, "rb") as file:
        net = caffe_pb2.NetParameter.FromString(file.read())
    weights = files.read(digits.weights)
    assert weights.name == net.name
    expected = {layer.name: layer for layer in net.layer if layer.blobs}
    assert list(weights.layers) == list(expected)
    for name, layer in weights.layers.items():
        assert layer.type == expected[name].type
        for blob, stored in zip(layer.blobs, expected[name].blobs):
            assert list(blob.shape) == list(stored.shape.dim)
            assert blob.data.tobytes() == np.float32(stored.data).tobytes()


def blob(**fields):
    return caffe_pb2.BlobProto(**fields)


OLD = dict(num=1, channels=1, height=2, width=3, data=range(6))


@pytest.mark.parametrize("net, kind", [
    (dict(layers=[dict(name="fc", type="INNER_PRODUCT", blobs=[blob(**OLD)])]),
     "INNER_PRODUCT"),
    (dict(layers=[dict(layer=dict(name="fc", type="innerproduct",
                                  blobs=[blob(**OLD)]))]), "innerproduct"),
    (dict(layer=[dict(name="fc", type="InnerProduct", blobs=[blob(**OLD)])]),
     "InnerProduct")])
def test_older_files(net, kind, tmp_path):
    path = tmp_path / "old.caffemodel"
    path.write_bytes(caffe_pb2.NetParameter(**net).SerializeToString())
    weights = files.read(path)
    assert weights.layers["fc"].type == kind
    found, = weights.layers["fc"].blobs
    assert found.legacy and found.shape == (1, 1, 2, 3)
    assert found.fits((2, 3)) and found.fits((1, 2, 3)) and not found.fits((3, 2))


def test_values_that_are_not_packed(tmp_path):
    # key 5 << 3 | 5: a fixed32; as some other writers have it.
    values = np.arange(3, dtype="<f4")
    data = b"".join(b"\x2d" + value.tobytes() for value in values)
    data += blob(shape=dict(dim=[3])).SerializeToString()
    layer = caffe_pb2.LayerParameter(name="a").SerializeToString()
    layer += b"\x3a" + bytes([len(data)]) + data
    path = tmp_path / "loose.caffemodel"
    path.write_bytes(b"\xa2\x06" + bytes([len(layer)]) + layer)
    assert files.read(path).layers["a"].blobs[0].data.tolist() == [0, 1, 2]


def test_other_programs_read_the_formats(weights, tmp_path):
    for end in ENDS[1:]:
        files.write(tmp_path / f"w{end}", weights)
    with h5py.File(tmp_path / "w.caffemodel.h5") as file:
        assert file["data/z/conv/1"][()].tolist() == [3]
    assert load_file(tmp_path / "w.safetensors")["z/conv/1"].tolist() == [3]
    assert np.load(tmp_path / "w.npz")["z/conv/1"].tolist() == [3]


def test_hdf5_as_caffe_saves_it(tmp_path):
    (tmp_path / "net.prototxt").write_text("""
        layer { name: "data" type: "Input" top: "data"
                input_param { shape { dim: 2 dim: 5 } } }
        layer { name: "fc" type: "InnerProduct" bottom: "data" top: "fc"
                inner_product_param { num_output: 3
                                      weight_filler { type: "xavier" } } }""")
    net = caffe.Net(str(tmp_path / "net.prototxt"), caffe.TEST)
    net.save_hdf5(str(tmp_path / "net.h5"))
    found = files.read(tmp_path / "net.h5").layers["fc"].blobs
    for blob_, own in zip(found, net.params["fc"], strict=True):
        assert blob_.data.tobytes() == own.data.tobytes()


def test_nothing_is_overwritten_unasked(weights, tmp_path):
    path = tmp_path / "w.npz"
    path.write_text("mine")
    with pytest.raises(InputError, match="w.npz: is there already; --force"):
        files.write(path, weights)
    assert path.read_text() == "mine"
    files.write(path, weights, force=True)
    assert bits(files.read(path)) == bits(weights)


def test_unknown_names(weights, tmp_path):
    with pytest.raises(InputError, match="w.txt: expected a name that ends in"):
        files.write(tmp_path / "w.txt", weights)


@pytest.mark.parametrize("end", ENDS)
def test_cut_off_anywhere(weights, end, tmp_path):
    path = tmp_path / f"weights{end}"
    files.write(path, weights)
    content = path.read_bytes()
    cut = tmp_path / "cut"
    for size in range(len(content)):
        cut.write_bytes(content[:size])
        try:
            # A caffemodel may end after a layer; the others know their length.
            assert len(files.read(cut).layers) < len(weights.layers)
            assert end == ".caffemodel"
        except InputError as error:
            assert str(error).startswith(f"{cut}: ")


def test_memory_is_bounded_by_the_file(tmp_path):
    """A file of 256 MB, read and written in a process that may take 1.5 times
    that."""
    size = 256 << 20
    path = tmp_path / "large.caffemodel"
    files.write(path, Weights("large", {
        f"layer{index}": Layer("InnerProduct", [Blob(np.zeros(size // 64, "<f4"))])
        for index in range(16)}))
    done = subprocess.run(
        [sys.executable, "-c", """
import resource, sys
from sknet.weights import files
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
weights = files.read(sys.argv[1])
assert sum(float(blob.data.sum()) for layer in weights.layers.values()
           for blob in layer.blobs) == 0
files.write(sys.argv[2], weights)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
""", path, tmp_path / "copy.caffemodel"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) * 1024 < 1.5 * size
    assert (tmp_path / "copy.caffemodel").stat().st_size == path.stat().st_size
