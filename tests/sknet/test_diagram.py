import sys
from xml.etree import ElementTree

import pytest
from google.protobuf import text_format

from sknet import models
from sknet.attention import units as sk_units
from sknet.diagram import FORMATS, save
from sknet.diagram.units import units_of
from sknet.diagram.words import rows_of
from sknet.errors import InputError
from sknet.proto import caffe_pb2
from sknet.receptive_field import receptive_fields
from sknet.shapes import shaped_layers


def units(net):
    """{a unit's names as one text: the Unit}"""
    return {"–".join(unit.names[::max(len(unit.names) - 1, 1)]): unit
            for unit in units_of(shaped_layers(net))}


def parse(text):
    return text_format.Parse(
        "layer { name: 'data' type: 'Input' top: 'data' input_param { shape { "
        "dim: [1, 8, 9, 9] } } }" + text, caffe_pb2.NetParameter())


def relu(name, bottom, top=None):
    return (f"layer {{ name: '{name}' type: 'ReLU' bottom: '{bottom}' "
            f"top: '{top or name}' }} ")


# What the pictures show of each family.
@pytest.mark.parametrize("name, expected", [
    *[(name, ["data", "conv1", "pool1", "conv2_1", "conv2_2–conv2_3", "conv3_1",
              "conv3_2–conv3_4", "conv4_1", "conv4_2–conv4_6", "conv5_1",
              "conv5_2–conv5_3", last, "classifier", "prob"])
      for name, last in (("sknet50", "avepool"), ("senet50", "pool5"),
                         ("resnext50", "avepool"), ("resnext50_cbam", "avepool"))],
    ("resnext50_bam", ["data", "conv1", "pool1", "conv2_1", "conv2_2–conv2_3",
                       "bam1", "conv3_1", "conv3_2–conv3_4", "bam2", "conv4_1",
                       "conv4_2–conv4_6", "bam3", "conv5_1", "conv5_2–conv5_3",
                       "avepool", "classifier", "prob"]),
    ("dpn92", ["data", "conv1", "pool1", "conv2_1", "conv2_2–conv2_3", "conv3_1",
               "conv3_2–conv3_4", "conv4_1", "conv4_2–conv4_20", "conv5_1",
               "conv5_2–conv5_3", "avepool", "classifier", "prob"]),
    ("inception_v4", ["data", "stem1", "stem2", "stem3", "stem4",
                      "inception_a1–inception_a4", "reduction_a",
                      "inception_b1–inception_b7", "reduction_b",
                      "inception_c1–inception_c3", "avepool", "classifier",
                      "prob"]),
])
def test_units_of_the_zoo(name, expected):
    assert list(units(models.create(name))) == expected


@pytest.mark.parametrize("name", models.names())
def test_every_layer_of_every_model_is_in_one_unit(name):
    net = models.create(name)
    found = units(net)
    assert len(found) < 30
    assert len({unit.names[0] for unit in found.values()}) == len(found)
    # Layers of joined units are alike, and as many.
    assert sum(len(unit.names) * len(unit.layers)
               for unit in found.values()) == len(net.layer)


def test_names():
    """A unit's name ends at / or _, and is a layer's if it ends at _."""
    found = units(parse(
        relu("conv2_1_a", "data") + relu("conv2_1/b", "conv2_1_a")
        + relu("conv2_1_a_c", "conv2_1/b") + relu("conv2_1", "conv2_1_a_c")
        + relu("conv2_10_a", "conv2_1") + relu("conv2_10", "conv2_10_a")
        + relu("other_a", "conv2_10") + relu("other_b/x", "other_a")
        + relu("last", "other_b/x") + relu("relu", "last", "last")))
    assert {name: [layer.param.name for layer in unit.layers]
            for name, unit in found.items()} == {
        "data": ["data"],
        "conv2_1": ["conv2_1_a", "conv2_1/b", "conv2_1_a_c", "conv2_1"],
        "conv2_10": ["conv2_10_a", "conv2_10"],
        "other_a–other_b": ["other_a"],
        # The second is in place of the first.
        "last": ["last", "relu"]}


def test_what_follows_what():
    net = parse(relu("a", "data") + relu("b", "a") + relu("c", "a")
                + "layer { name: 'd' type: 'Eltwise' bottom: 'b' bottom: 'c' "
                "bottom: 'data' top: 'd' }")
    assert {name: unit.bottoms for name, unit in units(net).items()} == {
        "data": [], "a–b": ["data"], "c": ["a"], "d": ["a", "c", "data"]}


def rows(net, name):
    layers = shaped_layers(net)
    placed = {layer.param.name for layer, field in zip(
        layers, receptive_fields(layers)) if field}
    branches = {branch for unit in sk_units(net) for branch in unit.branches}
    unit, = (unit for unit in units_of(layers) if name in unit.names)
    return [columns if len(columns) > 1 else columns[0][0]
            for columns in rows_of(unit, branches, placed)]


@pytest.mark.parametrize("model, unit, expected", [
    ("sknet50", "conv3_1", [
        "1×1 · 256",
        [["3×3", "256 · 32 groups · stride 2"],
         ["5×5 (3×3, dilation 2)", "256 · 32 groups · stride 2"]],
        "select: 256 → 32 → 2 × 256", "1×1 · 512",
        "+ shortcut · 1×1 · 512 · stride 2"]),
    ("sknet50", "conv3_4", [
        "1×1 · 256", [["3×3", "256 · 32 groups"],
                      ["5×5 (3×3, dilation 2)", "256 · 32 groups"]],
        "select: 256 → 32 → 2 × 256", "1×1 · 512", "+ shortcut"]),
    ("sknet50", "avepool", ["average pool 7×7"]),
    ("sknet50", "classifier", ["fully connected · 1000"]),
    ("sknet_digits", "avepool", ["global average pool"]),
    ("sknet_digits", "pool1", ["max pool 3×3 · stride 2"]),
    ("senet50", "conv2_2", ["1×1 · 128", "3×3 · 128 · 32 groups", "1×1 · 256",
                            "gate: 256 → 16 → 256", "+ shortcut"]),
    ("resnext50_bam", "bam1", ["gate: 256 → 16 → 256", "1×1 · 16",
                               "2 × 9×9 (3×3, dilation 4) · 16", "1×1 · 1",
                               "+ shortcut"]),
    ("dpn92", "conv2_1", ["1×1 · 96", "3×3 · 96 · 32 groups", "1×1 · 272",
                          "+ shortcut · 1×1 · 288"]),
    ("inception_v3", "inception_a1", [
        [["1×1 · 64"], ["1×1 · 48", "5×5 · 64"],
         ["1×1 · 64", "3×3 · 96", "3×3 · 96"], ["average pool 3×3", "1×1 · 32"]]]),
    ("inception_resnet_v2", "inception_b20", [
        [["1×1 · 192"], ["1×1 · 128", "1×7 · 160", "7×1 · 192"]], "1×1 · 1088",
        "+ shortcut"]),
    ("attention56", "AttentionC_1", [
        "14 × 1×1 convolution", "6 × 3×3 convolution",
        "1 × max pool 3×3 · stride 2", "1 × resize"]),
    ("shufflenet_v2_sk_1_0", "stage2_2", [
        "1×1 · 58", [["3×3", "58 · depthwise"],
                     ["5×5 (3×3, dilation 2)", "58 · depthwise"]],
        "select: 58 → 32 → 2 × 58", "1×1 · 58"]),
])
def test_words(model, unit, expected):
    assert rows(models.create(model), unit) == expected


def texts(path):
    return [element.text for element in ElementTree.parse(path).iter()
            if element.tag.endswith("}text")]


def test_svg(tmp_path):
    save(models.create("sknet_digits"), tmp_path / "net.svg", 'a "title" \\ <b>')
    found = texts(tmp_path / "net.svg")
    assert found[0] == 'a "title" \\ <b>'
    for text in ("conv2_1", "5×5 (3×3, dilation 2)", "64 × 16 × 16"):
        assert text in found
    save(models.create("sknet50"), tmp_path / "net.svg", "")
    assert "conv4_2 – conv4_6\xa0\xa0\xa0× 5" in texts(tmp_path / "net.svg")


def test_any_name_can_be_drawn(tmp_path):
    name = 'a\\"b<c>&:é'
    net = parse(relu("x", "data"))
    net.layer[1].name = name
    save(net, tmp_path / "net.svg", "")
    assert name in texts(tmp_path / "net.svg")


def test_train_val_can_be_drawn(tmp_path):
    save(models.create("sknet_digits", "train_val"), tmp_path / "net.svg", "")
    assert {"images and labels", "3 × 64 × 64", "softmax loss"} <= set(
        texts(tmp_path / "net.svg"))


@pytest.mark.parametrize("kind, begin", list(zip(
    FORMATS, (b"<?xml", b"\x89PNG", b"%PDF"))))
def test_formats(sknet, tmp_path, kind, begin):
    path = tmp_path / f"net.{kind.upper()}"
    done = sknet("summary", "sknet_digits", "--plot", path)
    assert (done.returncode, done.stderr) == (0, "")
    assert path.read_bytes().startswith(begin)
    assert "conv2_1" in done.stdout
    if kind == "svg":
        assert texts(path)[0].startswith(
            "sknet_digits: 373 k parameters, 10.7 M multiply-adds")


def test_what_is_wrong_is_named(refused, tmp_path, monkeypatch):
    refused("summary", "sknet_digits", "--plot", tmp_path / "net.jpg",
            naming=["net.jpg", ".svg"])
    refused("summary", "sknet_digits", "--plot", tmp_path / "none/net.svg",
            naming=["none/net.svg", "cannot be written"])
    monkeypatch.setenv("PATH", "")
    refused("summary", "sknet_digits", "--plot", tmp_path / "net.svg",
            naming=["graphviz", "dot"])
    monkeypatch.setitem(sys.modules, "pydot", None)
    with pytest.raises(InputError, match="pip install pydot"):
        save(models.create("sknet_digits"), tmp_path / "net.svg", "")
    assert not list(tmp_path.iterdir())
