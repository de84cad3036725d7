"""An HDF5 file can lead to another: by a link, or by keeping a dataset's values in a
file of another format, or in datasets of other files. What weights lead to would be
read with the user's rights, and come out in the net's results or its next snapshot."""

import caffe
import h5py
import numpy as np
import pytest

from sknet.errors import InputError
from sknet.weights import files

NET = """
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 } } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
  inner_product_param { num_output: 2 bias_term: false } }"""
DATA = """
layer { name: "data" type: "HDF5Data" top: "ip"
  hdf5_data_param { source: "LIST" batch_size: 1 } }"""
SECRET = np.arange(6, dtype=np.float32).reshape(2, 3)


@pytest.fixture
def secret(tmp_path):
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["data/ip/0"] = file["ip"] = SECRET
    SECRET.tofile(tmp_path / "secret.raw")
    return tmp_path


def linked_group(file, secret):
    file["data"] = h5py.ExternalLink(secret / "secret.h5", "data")


def linked_layer(file, secret):
    file["data/ip"] = h5py.ExternalLink(secret / "secret.h5", "data/ip")


def linked_dataset(file, secret):
    file["data/ip/0"] = h5py.ExternalLink(secret / "secret.h5", "ip")


def link_by_a_link(file, secret):
    file["elsewhere"] = h5py.ExternalLink(secret / "secret.h5", "/")
    file["data"] = h5py.SoftLink("/elsewhere/data")


def external(file, secret):
    file.create_dataset("data/ip/0", (2, 3), np.float32,
                        external=[(str(secret / "secret.raw"), 0, SECRET.nbytes)])


def virtual(file, secret):
    layout = h5py.VirtualLayout((2, 3), np.float32)
    layout[:] = h5py.VirtualSource(secret / "secret.h5", "ip", (2, 3))
    file.create_virtual_dataset("data/ip/0", layout)


ATTACKS = [linked_group, linked_layer, linked_dataset, link_by_a_link, external, virtual]


@pytest.fixture(params=ATTACKS, ids=lambda attack: attack.__name__)
def weights(request, secret):
    path = secret / "weights.caffemodel.h5"
    with h5py.File(path, "w") as file:
        request.param(file, secret)
    # Followed by those who do not look, the file gives the secret.
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["data/ip/0"][()], SECRET)
    return path


@pytest.mark.parametrize("strict", [False, True])
def test_caffe(write, weights, strict):
    net = caffe.Net(write(NET), caffe.TEST)
    before = net.params["ip"][0].data.copy()
    with pytest.raises(caffe.Error, match="of the HDF5 file lies in another file"):
        net.copy_from(weights, strict)
    np.testing.assert_array_equal(net.params["ip"][0].data, before)
    # Nothing is left open.
    with h5py.File(weights, "r+"):
        pass


def test_load_hdf5(write, weights):
    with pytest.raises(caffe.Error, match="of the HDF5 file lies in another file"):
        caffe.Net(write(NET), caffe.TEST).load_hdf5(weights)


def test_hdf5_data(write, weights):
    # The layer asks for its tops' names at the file's root.
    with h5py.File(weights, "r+") as file:
        file["ip"] = h5py.SoftLink("/data/ip/0")
    net = write(DATA.replace("LIST", write(str(weights), "list.txt")))
    with pytest.raises(caffe.Error, match="of the HDF5 file lies in another file"):
        caffe.Net(net, caffe.TEST)


def test_sknet(weights):
    with pytest.raises(InputError):
        files.read(weights)


def test_links_within_the_file(write, secret):
    """They are none of this."""
    path = secret / "weights.h5"
    with h5py.File(path, "w") as file:
        file["values"] = SECRET
        file["data/ip/0"] = h5py.SoftLink("/values")
    net = caffe.Net(write(NET), caffe.TEST)
    net.copy_from(path)
    np.testing.assert_array_equal(net.params["ip"][0].data, SECRET)


def test_onnx_data_outside_its_folder(secret):
    """onnx itself refuses these."""
    onnx = pytest.importorskip("onnx")
    from sknet.weights.imports.arrays import read_arrays
    folder = secret / "model"
    folder.mkdir()
    for location in ("../secret.raw", str(secret / "secret.raw"), "link"):
        if location == "link":
            (folder / location).symlink_to(secret / "secret.raw")
        weight = onnx.TensorProto(name="fc.weight", dims=SECRET.shape, data_type=1,
                                  data_location=onnx.TensorProto.EXTERNAL)
        weight.external_data.add(key="location", value=location)
        node = onnx.helper.make_node("Gemm", ["x", "fc.weight"], ["y"], transB=1)
        graph = onnx.helper.make_graph([node], "net", [], [], [weight])
        (folder / "net.onnx").write_bytes(
            onnx.helper.make_model(graph).SerializeToString())
        with pytest.raises(InputError):
            print(location, read_arrays(folder / "net.onnx"))
