"""Weights of timm's and torchvision's nets, in their own files, score in caffe.Net
as they do in PyTorch."""
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image
from sknet import models
from sknet.data.preprocessing import Preprocessing
from sknet.errors import InputError
from sknet.weights.imports import SOURCES, for_pixels, import_weights

timm = pytest.importorskip("timm")
torch = pytest.importorskip("torch")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "zoo"))
from random_nets import assert_same, forward, make_net  # noqa: E402
from timm_nets import assert_same_scores, randomise  # noqa: E402

# Ours, theirs and the source. The Inceptions and DPNs: tests/zoo.
NETS = {"resnext50": ("resnext50_32x4d", "timm"),
        "senet50": ("seresnext50_32x4d", "timm"),
        "sknet50": ("skresnext50_32x4d", "timm"),
        "senet101": ("seresnext101_32x4d", "timm"),
        "legacy senet50": ("legacy_seresnext50_32x4d", "timm_legacy")}
CLASSES = 20


def theirs(name, **options):
    model = timm.create_model(name, num_classes=CLASSES, **options).eval()
    randomise(model)
    # Blocks that each double what they add to, 33 of them, would drive the gates to
    # where float32 ends.
    for key, value in model.state_dict().items():
        if key.endswith(("bn3.weight", "conv3.bn.weight")):
            value *= .2
    return model


def ours(name, remark="", **options):
    """The NetParameter, its first pool the source's where the remark tells it to
    be."""
    param = models.create(name.split()[-1], num_classes=CLASSES, batch=2, size=72,
                          **options)
    if remark:
        assert "Give pool1/3x3_s2 pad: 1 and round_mode: FLOOR" in remark
        pool, = (layer for layer in param.layer if layer.name == "pool1/3x3_s2")
        pool.pooling_param.pad = 1
        pool.pooling_param.round_mode = pool.pooling_param.FLOOR
    return param


@pytest.fixture(scope="module")
def resnext(tmp_path_factory):
    """A net of timm's, and the path of its state dict."""
    model = theirs("resnext50_32x4d")
    path = tmp_path_factory.mktemp("resnext") / "resnext50.pth"
    torch.save(model.state_dict(), path)
    return model, path


@pytest.mark.parametrize("name", NETS)
def test_state_dict(tmp_path, name):
    architecture, source = NETS[name]
    model = theirs(architecture)
    path = tmp_path / "state.pth"
    torch.save(model.state_dict(), path)
    weights, remark = import_weights(path, ours(name), source)
    # SENet's authors' own pool is ours.
    assert bool(remark) == (source == "timm")
    assert_same_scores(tmp_path, ours(name, remark), weights, model)


def test_another_grid_scores_otherwise(tmp_path, resnext):
    """What the remark says is so."""
    model, path = resnext
    weights, _ = import_weights(path, ours("resnext50"), "timm")
    with pytest.raises(AssertionError, match="of the largest value"):
        assert_same_scores(tmp_path, ours("resnext50"), weights, model)


def test_for_pixels(tmp_path, resnext):
    """Once changed, it scores an image's pixels as Caffe has them, minus a mean, as
    the source scores what its own transform makes of them."""
    model, path = resnext
    weights, remark = import_weights(path, ours("resnext50"), "timm")
    mean, std = (.485, .456, .406), (.229, .224, .225)
    changed, settings = for_pixels(ours("resnext50"), weights, mean, std)
    images = np.random.default_rng(0).integers(0, 256, (2, 72, 72, 3))
    images[1] //= 4
    net = make_net(tmp_path, ours("resnext50", remark))
    for layer, blobs in net.params.items():
        for blob, found in zip(blobs, changed.layers[layer].blobs):
            blob.data[...] = found.data
    prepared = replace(Preprocessing(shorter_side=72, crop=72), **settings)
    scores, _ = forward(net, np.stack([
        prepared(Image.fromarray(image.astype(np.uint8))) for image in images]))
    inputs = torch.tensor((images / 255 - mean) / std).permute(0, 3, 1, 2).float()
    with torch.no_grad():
        assert_same(scores, model(inputs), within=1e-5)


@pytest.mark.parametrize("known", [False, True])
def test_pixels_in_onnx(sknet, tmp_path, known):
    """Only a mean that was given is told: the model's own is of other weights."""
    path = tmp_path / "state.pth"
    torch.save(timm.create_model("resnext50_32x4d").state_dict(), path)
    given = ["--mean", "0.5,0.4,0.3", "--std", "0.2,0.25,0.3"] if known else []
    done = sknet("convert", path, "--from", "timm", "--model", "resnext50",
                 "--to", "onnx", "-o", tmp_path / "net.onnx", *given)
    assert done.returncode == 0, done.stderr
    found = {entry.key: json.loads(entry.value) for entry in onnx.load(
        tmp_path / "net.onnx").metadata_props}
    assert ("preprocessing" in found) == known
    if known:
        assert found["preprocessing"]["mean"] == pytest.approx(
            [.3 * 255, .4 * 255, .5 * 255])


@pytest.mark.parametrize("wrap", [
    lambda state: {"state_dict": state, "epoch": 3},
    lambda state: {f"module.{name}": value for name, value in state.items()},
    lambda state: {name: value.double() for name, value in state.items()}],
    ids=["checkpoint", "DataParallel", "double"])
def test_checkpoints(tmp_path, resnext, wrap):
    model, path = resnext
    expected, _ = import_weights(path, ours("resnext50"), "timm")
    torch.save(wrap(model.state_dict()), tmp_path / "wrapped.pt")
    assert_equal(import_weights(tmp_path / "wrapped.pt", ours("resnext50"),
                                "torchvision")[0], expected)


def test_safetensors(tmp_path, resnext):
    from safetensors.torch import save_file
    model, path = resnext
    expected, _ = import_weights(path, ours("resnext50"), "timm")
    save_file(model.state_dict(), tmp_path / "model.safetensors")
    assert_equal(import_weights(tmp_path / "model.safetensors", ours("resnext50"),
                                "timm")[0], expected)


def assert_equal(weights, expected):
    assert list(weights.layers) == list(expected.layers)
    for name, layer in weights.layers.items():
        for blob, other in zip(layer.blobs, expected.layers[name].blobs):
            assert blob.data.dtype == np.float32
            assert np.array_equal(blob.data, other.data), name


# PyTorch's exporters: batch norms folded, or there; and names kept, or paths.
EXPORTS = {"folded": dict(dynamo=False),
           "not folded": dict(dynamo=False, do_constant_folding=False),
           "dynamo": dict(dynamo=True)}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name, kind", [
    ("resnext50", "folded"), ("resnext50", "not folded"), ("resnext50", "dynamo"),
    ("sknet50", "folded")])
def test_onnx(tmp_path, name, kind):
    if kind == "dynamo":
        pytest.importorskip("onnxscript")
    architecture, source = NETS[name]
    model = theirs(architecture)
    path = tmp_path / "model.onnx"
    torch.onnx.export(model, (torch.zeros(2, 3, 72, 72),), str(path),
                      **EXPORTS[kind])
    weights, remark = import_weights(path, ours(name), source)
    assert_same_scores(tmp_path, ours(name, remark), weights, model)


def test_torchvisions_auxiliary_classifier_is_left_out(tmp_path):
    torchvision = pytest.importorskip("torchvision")
    model = torchvision.models.inception_v3(num_classes=CLASSES, init_weights=False)
    randomise(model.eval())
    assert any(name.startswith("AuxLogits.") for name in model.state_dict())
    torch.save(model.state_dict(), tmp_path / "state.pth")
    for module in model.modules():
        assert not isinstance(module, torch.nn.AvgPool2d)
    param = models.create("inception_v3", num_classes=CLASSES, batch=2, size=107)
    weights, remark = import_weights(tmp_path / "state.pth", param, "torchvision")
    assert not remark
    assert_same_scores(tmp_path, param, weights, model)


def changed(resnext, tmp_path, change):
    state = dict(resnext[0].state_dict())
    change(state)
    torch.save(state, tmp_path / "changed.pth")
    return tmp_path / "changed.pth"


@pytest.mark.parametrize("change, words", [
    (lambda state: state.pop("layer2.0.bn1.running_var"),
     r"1 arrays miss \(the first is layer2.0.bn1.running_var\)"),
    (lambda state: state.update({"layer9.weight": torch.zeros(3)}),
     r"1 arrays are left over \(the first is layer9.weight\)"),
    (lambda state: state.update({"conv1.weight": torch.zeros(32, 3, 7, 7)}),
     "conv1.weight is 32x3x7x7; layer conv1/7x7_s2 needs 64x3x7x7"),
    (lambda state: state.update({"fc.weight": torch.zeros(1000, 2048)}),
     "fc.weight is 1000x2048; layer classifier needs 20x2048")])
def test_arrays_that_do_not_fit(tmp_path, resnext, change, words):
    path = changed(resnext, tmp_path, change)
    with pytest.raises(InputError, match=f"{path}: {words}"):
        import_weights(path, ours("resnext50"), "timm")


def test_another_architectures_file(resnext):
    with pytest.raises(InputError, match="arrays miss"):
        import_weights(resnext[1], ours("sknet50"), "timm")


@pytest.mark.parametrize("source, model, words", [
    ("caffe2", "sknet50", "no source is named 'caffe2': there are timm"),
    ("timm", "sknet101", "timm has no net of the architecture of sknet101"),
    ("torchvision", "sknet50", "it has those of resnext50, inception_v3")])
def test_sources_that_there_are_not(resnext, source, model, words):
    with pytest.raises(InputError, match=words):
        import_weights(resnext[1], models.create(model), source)


def test_nets_of_other_layers(resnext):
    with pytest.raises(InputError, match=r"layer conv1/7x7_s2/bn \(BatchNorm\): .*"
                       "with CuDNNBatchNorm"):
        import_weights(resnext[1], ours("resnext50", bn="caffe"), "timm")


@pytest.mark.parametrize("content", [
    b"", b"\x80", b"\x80\x02}q\x00.", b"PK\x03\x04", b"<html>", b"\x08\x08" * 30,
    b"\x10" + 7 * b"\0" + b"{" + 30 * b"x"])
def test_files_of_other_kinds(tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(InputError) as error:
        import_weights(tmp_path / "file", models.create("sknet50"), "timm")
    assert str(error.value).startswith(f"{tmp_path / 'file'}: ")
    assert "\n" not in str(error.value)


def test_pickles_are_not_run(tmp_path):
    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "trapped",))
    torch.save({"conv1.weight": Trap()}, tmp_path / "trap.pth")
    with pytest.raises(InputError, match="trap.pth: not a state dict"):
        import_weights(tmp_path / "trap.pth", models.create("sknet50"), "timm")
    assert not (tmp_path / "trapped").exists()


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match="none.pth: No such file"):
        import_weights(tmp_path / "none.pth", models.create("sknet50"), "timm")


def test_every_table_names_each_layer_once():
    for source in SOURCES.values():
        for model, table in source.items():
            names = list(table.modules.values())
            assert len(names) == len(set(names)), model
