"""The generators, against the released prototxts' fingerprints and figures."""
import hashlib
from pathlib import Path

import caffe
import numpy as np
import pytest
import yaml
from google.protobuf import text_format

from sknet import models
from sknet.errors import InputError
from sknet.models.folder import files
from sknet.proto import caffe_pb2
from sknet.text import fingerprints, to_text

from net_files import write_net

HERE = Path(__file__).parent
PROTOTXT = HERE.parent.parent / "prototxt"
RELEASED = ["sknet50", "sknet101"]


@pytest.mark.parametrize("name", RELEASED)
def test_released_equals_the_published_prototxt(name):
    published = [tuple(line.split()[::-1]) for line in
                 (HERE / f"fingerprints/{name}.txt").read_text().splitlines()]
    assert fingerprints(models.create(name, "released")) == published


def test_a_fingerprint_sees_every_parameter():
    net = models.create("sknet50", "released")
    before = fingerprints(net)
    net.layer[1].convolution_param.pad[0] = 2
    assert [at for at, pair in enumerate(fingerprints(net))
            if pair != before[at]] == [1]


@pytest.mark.parametrize("name", RELEASED)
def test_all_kinds_share_the_layers_between(name):
    def between(kind, first, last):
        layers = models.create(name, kind).layer
        return [layer.SerializeToString() for layer in layers[first:last]]
    released = between("released", 1, -3)
    assert between("deploy", 1, -1) == released
    assert between("train_val", 2, -3) == released


def test_the_released_sknet101_has_narrow_attention_in_its_second_stage():
    def squeezed(name):
        return {layer.name: layer.convolution_param.num_output
                for layer in models.create(name).layer
                if layer.name.endswith("_2/B_fc1")}
    names = [f"conv{stage}_2/B_fc1" for stage in (2, 3, 4, 5)]
    assert squeezed("sknet50") == dict(zip(names, (32, 32, 32, 64)))
    assert squeezed("sknet101") == dict(zip(names, (32, 16, 32, 64)))


# Counted from the published prototxts: learnable parameters, with statistics,
# blobs, layers that have any.
FIGURES = {"sknet50": (27479784, 27564328, 443, 187),
           "sknet101": (48686760, 48859304, 885, 374)}


@pytest.mark.parametrize("name", RELEASED)
def test_figures_in_caffe(name, tmp_path):
    path = write_net(tmp_path / "net.prototxt", models.create(name))
    net = caffe.Net(path, caffe.TEST)
    blobs = [blob for blobs in net.params.values() for blob in blobs]
    # CuDNNBatchNorm's third and fourth blobs are statistics.
    statistics = sum(blob.count for name, blobs in net.params.items()
                     if name.endswith("/bn") for blob in blobs[2:])
    with_statistics = sum(blob.count for blob in blobs)
    assert (with_statistics - statistics, with_statistics, len(blobs),
            len(net.params)) == FIGURES[name]
    assert list(net.inputs) == ["data"] and list(net.outputs) == ["prob"]


@pytest.mark.parametrize("size", [64, 97, 224, 320])
def test_any_size_fits_the_same_weights(size, tmp_path):
    param = models.create("sknet50", size=size, batch=2, num_classes=7)
    pool, = (layer for layer in param.layer if layer.name == "avepool/7x7")
    assert pool.pooling_param.global_pooling == (size != 224)
    net = caffe.Net(write_net(tmp_path / "net.prototxt", param), caffe.TEST)
    assert net.blobs["data"].data.shape == (2, 3, size, size)
    assert net.params["classifier"][0].data.shape == (7, 2048)
    net.forward()
    np.testing.assert_allclose(net.blobs["prob"].data.sum(1), 1, rtol=1e-5)


@pytest.mark.parametrize("name", models.names())
def test_the_smallest_size_is_possible(name, tmp_path):
    param = models.create(name, size=models.get(name).min_size)
    net = caffe.Net(write_net(tmp_path / "net.prototxt", param), caffe.TEST)
    assert net.blobs["prob"].data.shape == (1, models.get(name).dataset.num_classes)


@pytest.mark.parametrize("name", models.names())
def test_deploy_has_one_input_and_no_label(name):
    net = models.create(name)
    first, last = net.layer[0], net.layer[-1]
    assert (first.type, list(first.top)) == ("Input", ["data"])
    assert (last.type, list(last.top)) == ("Softmax", ["prob"])
    assert not any("label" in layer.bottom for layer in net.layer)


def test_train_val_reads_lmdb_in_both_phases():
    train, test = models.create("sknet50", "train_val", batch=16).layer[:2]
    assert train.include[0].phase == caffe_pb2.TRAIN
    assert test.include[0].phase == caffe_pb2.TEST
    for layer in (train, test):
        assert layer.data_param.backend == caffe_pb2.DataParameter.LMDB
        assert layer.transform_param.crop_size == 224
        assert list(layer.transform_param.mean_value) == [104, 117, 123]
    assert train.data_param.batch_size == 16
    assert train.transform_param.mirror and not test.transform_param.mirror


def test_digits_are_not_mirrored():
    for layer in models.create("sknet_digits", "train_val").layer[:2]:
        assert not layer.transform_param.mirror


def test_solver_follows_the_paper():
    solver = models.create("sknet50", "solver")
    images = 1281167
    assert solver.iter_size * 32 == 256
    assert (solver.base_lr, solver.momentum) == pytest.approx((.1, .9))
    assert solver.weight_decay == pytest.approx(1e-4)
    assert solver.max_iter == round(100 * images / 256)
    assert list(solver.stepvalue) == [
        round(epoch * images / 256) for epoch in (30, 60, 90)]
    # The whole validation set, each image once.
    test = models.create("sknet50", "train_val").layer[1]
    assert solver.test_iter[0] * test.data_param.batch_size == 50000


@pytest.mark.parametrize("name", models.names())
def test_committed_files_are_what_is_generated(name):
    folder = PROTOTXT / name
    expected = files(name)
    assert set(expected) == {"train_val.prototxt", "deploy.prototxt",
                             "solver.prototxt", "readme.md"}
    for file, text in expected.items():
        assert (folder / file).read_text() == text, (
            f"{folder / file}: run tools/generate_prototxt.py")
    assert expected["deploy.prototxt"].startswith(
        f"# Made by: sknet generate {name} --kind deploy\n")


def test_every_folder_is_a_model():
    assert {path.name for path in PROTOTXT.iterdir()} == set(models.names())


def test_shipped_weights_have_the_stated_hash():
    content = (PROTOTXT / "sknet_digits/sknet_digits.caffemodel").read_bytes()
    assert hashlib.sha1(content).hexdigest() == models.get("sknet_digits").sha1


@pytest.mark.parametrize("name", models.names())
def test_readme_has_the_front_matter_of_caffes_model_zoo(name):
    """As scripts/download_model_binary.py reads it."""
    lines = (PROTOTXT / name / "readme.md").read_text().split("\n")
    top = lines.index("---")
    bottom = lines.index("---", top + 1)
    front = yaml.safe_load("\n".join(lines[top + 1:bottom]))
    assert front["name"] and front["license"]
    assert front["caffemodel"] == f"{name}.caffemodel"
    assert "gist_id" not in front
    if models.get(name).weights:
        assert front["caffemodel_url"].startswith("https://")


def test_text_is_canonical():
    net = models.create("sknet_digits")
    text = to_text(net)
    assert to_text(text_format.Parse(text, caffe_pb2.NetParameter())) == text
    # Whatever the order that fields were set in.
    layer = caffe_pb2.LayerParameter()
    layer.type = "ReLU"
    layer.name = "a"
    assert to_text(layer) == 'name: "a"\ntype: "ReLU"\n'


@pytest.mark.parametrize("arguments, message", [
    (("sknet5",), "did you mean sknet50"),
    (("vgg16", "deploy"), "there are sknet50"),
    (("sknet50", "test"), "no kind"),
    (("sknet_digits", "released"), "no prototxt of it was released"),
])
def test_unknown_names(arguments, message):
    with pytest.raises(InputError, match=message):
        models.create(*arguments)


@pytest.mark.parametrize("kind, options, message", [
    ("deploy", dict(size=63), "size: 63 pixels; expected 64"),
    ("deploy", dict(num_classes=0), "num_classes: 0"),
    ("train_val", dict(batch=-1), "batch: -1"),
    ("released", dict(size=320), "size: not an option"),
    ("solver", dict(num_classes=10), "num_classes: not an option"),
    ("solver", dict(batch=48), "batch: 48; expected a divisor of the recipe's 256"),
    ("deploy", dict(label_smoothing=.1), "label_smoothing: not an option"),
    ("train_val", dict(label_smoothing=1.), "label_smoothing: 1.0"),
    ("deploy", dict(recipe="senet"), "recipe: not an option of the kind deploy"),
    ("solver", dict(recipe="vgg"), "expected one of sknet, senet"),
    ("deploy", dict(bn="torch"), "expected one of cudnn, caffe"),
    ("train_val", dict(lr_mult_backbone=-1.), "lr_mult_backbone: -1"),
    ("deploy", dict(branches="3x3"), "branches: 3x3g32; expected 2 or more"),
    ("deploy", dict(branches="3x3,3x3g32"), "3x3g32 is there twice"),
    ("deploy", dict(branches="3x3,4x4"), "4x4g32; expected odd"),
    ("deploy", dict(branches="3x3,5x3"), "'5x3'; expected a kernel like"),
    ("deploy", dict(branches="3x3,5x5g48"), "48 groups do not divide 128"),
    ("deploy", dict(groups=48), "48 groups do not divide 128"),
    ("deploy", dict(branches="3x3,5x5d0"), "'5x5d0'; expected no zeros"),
    ("deploy", dict(branches=""), "''; expected a kernel like"),
    ("deploy", dict(branches="3x3,3x3d99999999999"), "d99999999999: .*range"),
    ("deploy", dict(reduction=0), "reduction: 0; expected 1"),
    ("deploy", dict(size=2 ** 31), "size: 2147483648; expected 1 to"),
    ("deploy", dict(lr_mult_backbone=float("nan")), "lr_mult_backbone: nan"),
    ("deploy", dict(lr_mult_backbone=1e60), "and finite"),
])
def test_impossible_options(kind, options, message):
    with pytest.raises(InputError, match=message):
        models.create("sknet50", kind, **options)


def test_options_of_selective_kernels_need_some():
    with pytest.raises(InputError, match="resnext50 has no selective kernels"):
        models.create("resnext50", branches="3x3,5x5")
