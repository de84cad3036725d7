"""Published caffemodels that inspect knows, though the registry has no such nets."""
import numpy as np
import pytest
from command import sknet

from sknet.weights import files, published
from sknet.weights.blobs import Blob, Layer, Weights
from sknet.weights.identify import identify

NETS = published.nets()


def weights_of(wanted):
    return Weights("", {name: Layer(slot.type, [
        Blob(np.broadcast_to(np.float32(1), shape)) for shape in slot.shapes])
        for name, slot in wanted.items()})


@pytest.mark.parametrize("name", NETS)
def test_it_is_told(name):
    match = identify(weights_of(NETS[name]))
    assert (match.model, match.bn, match.exact) == (name, None, True)


@pytest.mark.parametrize("name, port", [
    ("ResNet-50", "resnet50"), ("ResNet-101", "resnet101"),
    ("ResNet-152", "resnet152"), ("SE-ResNet-50", "legacy_seresnet50"),
    ("SE-ResNet-101", "legacy_seresnet101"), ("SE-ResNet-152", "legacy_seresnet152"),
    ("SENet-154", "legacy_senet154")])
def test_shapes_are_those_of_timms_ports(name, port):
    timm = pytest.importorskip("timm")
    state = timm.create_model(port).state_dict()
    port = sorted(tuple(values.shape) for key, values in state.items()
                  if not key.endswith("num_batches_tracked"))
    own = [shape for layer, slot in NETS[name].items()
           for shape in (slot.shapes if slot.type != "BatchNorm" else slot.shapes[:2])]
    if name == "ResNet-50":
        # Its authors', of 2015, has a bias that it does not need.
        own.remove((64,))
        assert NETS[name]["conv1"].shapes == ((64, 3, 7, 7), (64,))
    assert sorted(own) == port


@pytest.mark.parametrize("net, layer, shapes", [
    # As their prototxts say, layer by layer.
    ("ResNet-50", "res3d_branch2a", ((128, 512, 1, 1),)),
    ("ResNet-101", "scale4b22_branch2c", ((1024,), (1024,))),
    ("ResNet-152", "res3b7_branch2b", ((128, 128, 3, 3),)),
    ("ResNet-152", "bn5c_branch2a", ((512,), (512,), (1,))),
    ("SE-ResNet-50", "conv3_1_1x1_down", ((32, 512, 1, 1), (32,))),
    ("SENet-154", "conv3_1_1x1_proj", ((512, 256, 3, 3),)),
    ("SENet-154", "conv2_1_3x3", ((256, 2, 3, 3),)),
    ("SE-BN-Inception", "inception_4e_1x1_down", ((66, 1056, 1, 1), (66,))),
    ("SE-BN-Inception", "inception_5b/double3x3_reduce", ((192, 1024, 1, 1),)),
    ("SE-BN-Inception", "inception_3c/3x3/bn/scale", ((160,), (160,))),
    ("RN50-GEPF", "conv2_1/1x1_proj/bn", ((1, 256, 1, 1),) * 4),
    ("RN50-GEP", "conv3_1/gather", ((512, 1, 28, 28),)),
    ("RN50-GEPP", "conv2_3/gather/bn", ((1, 256, 1, 1),) * 4),
    ("RN50-GEPP", "conv2_2/excite/1x1_down", ((16, 256, 1, 1), (16,)))])
def test_names(net, layer, shapes):
    assert NETS[net][layer].shapes == shapes


def test_what_inspect_says(tmp_path):
    path = tmp_path / "genet.caffemodel"
    files.write(path, weights_of(NETS["RN50-GEPF"]))
    assert "\nmodel   RN50-GEPF (not among `sknet models`)\n" in sknet("inspect", path)
