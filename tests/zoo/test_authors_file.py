"""A caffemodel as the authors' fork would have written it: the training net whole,
with loss and labels, their batch norm's parameters in the tag 200."""
import json

import numpy as np
import pytest
from command import sknet
from random_nets import random_net

from sknet import models
from sknet.proto import caffe_pb2
from sknet.weights import files

TAG_200 = b"\xc2\x0c"


@pytest.fixture(scope="module")
def authors(tmp_path_factory):
    """(path, {layer: arrays}) of a file for SKNet-50 with random weights."""
    folder = tmp_path_factory.mktemp("authors")
    net, _ = random_net(folder, models.create("sknet50", size=64))
    arrays = {name: [blob.data.copy() for blob in blobs]
              for name, blobs in net.params.items()}
    released = models.create("sknet50", "released")
    for layer in released.layer:
        if layer.type == "CuDNNBatchNorm":
            own = layer.batch_norm_param
            layer.cudnn_batch_norm_param.CopyFrom(caffe_pb2.CuDNNBatchNormParameter(
                frozen=own.frozen, momentum=own.momentum,
                scale_filler=own.scale_filler, bias_filler=own.bias_filler))
            layer.ClearField("batch_norm_param")
        for array in arrays.get(layer.name, []):
            layer.blobs.add(shape=dict(dim=array.shape), data=array.ravel())
    content = released.SerializeToString()
    assert TAG_200 in content
    path = folder / "SKNet50.caffemodel"
    path.write_bytes(content)
    return path, arrays


def test_every_blob_is_read(authors):
    path, arrays = authors
    weights = files.read(path)
    assert weights.name == "sknet50_basic"
    assert list(weights.layers) == list(arrays)
    for name, layer in weights.layers.items():
        assert layer.type in ("Convolution", "CuDNNBatchNorm", "InnerProduct")
        for blob, array in zip(layer.blobs, arrays[name], strict=True):
            np.testing.assert_array_equal(blob.data, array)


def test_inspect_knows_it_and_verify_fits(authors):
    path, _ = authors
    found = json.loads(sknet("inspect", path, "--json"))
    assert (found["model"]["name"], found["model"]["exact"]) == ("sknet50", True)
    assert "fits sknet50 (187 layers, 443 blobs)" in sknet("verify", "sknet50", path)


def test_it_folds_and_converts(authors, tmp_path):
    path, _ = authors
    told = sknet("fold", "sknet50", "--weights", path, "-o", tmp_path / "folded")
    assert float(told.split()[-1]) < 1e-4
    sknet("convert", path, "--to", "stock", "--model", "sknet50", "-o",
          tmp_path / "stock")
    for name in ("folded", "stock"):
        text = (tmp_path / f"{name}.prototxt").read_text()
        assert "CuDNNBatchNorm" not in text
        assert files.read(tmp_path / f"{name}.caffemodel").layers
