"""Gates of channels are compiled to one step."""
from collections import Counter

import caffe
import numpy as np
import pytest
from compiled_nets import assert_same, make_net
from sknet import models
from sknet.text import to_text


def layer(name, type, bottoms, text="", tops=None):
    names = [f"bottom: '{bottom}'" for bottom in bottoms.split()]
    names += [f"top: '{top}'" for top in (tops or name).split()]
    return f"layer {{ name: '{name}' type: '{type}' {' '.join(names)} {text} }}\n"


def product(name, bottom, outputs, text=""):
    return layer(name, "Convolution", bottom, "convolution_param { "
                 f"num_output: {outputs} kernel_size: 1 {text} }}")


def pool(name, kind):
    return layer(name, "Pooling", "data",
                 f"pooling_param {{ pool: {kind} global_pooling: true }}")


EXCITE = (pool("mean", "AVE") + product("fc1", "mean", 3)
          + layer("relu", "ReLU", "fc1", tops="fc1") + product("fc2", "fc1", 7)
          + layer("gate", "Sigmoid", "fc2"))
CBAM = (pool("mean", "AVE") + pool("max", "MAX")
        + layer("both", "Concat", "mean max", "concat_param { axis: 2 }")
        + product("fc1", "both", 3) + layer("relu", "ReLU", "fc1", tops="fc1")
        + product("fc2", "fc1", 7)
        + layer("parts", "Slice", "fc2", "slice_param { axis: 2 }", "a b")
        + layer("sum", "Eltwise", "a b") + layer("gate", "Sigmoid", "sum"))


@pytest.mark.parametrize("layers", [EXCITE, CBAM, EXCITE.replace("num_output: 3", "num_output: 1")],
                         ids=["squeeze and excitation", "CBAM", "narrow"])
def test_a_gate(layers, tmp_path):
    net = make_net(tmp_path / "net.prototxt", layers, data=(3, 9, 5, 4))
    program = caffe.compile(net)
    for shape in (3, 9, 5, 4), (2, 9, 1, 1), (1, 9, 20, 3):
        found = assert_same(net, program=program, data=shape)
        assert "Excitation" in found
        assert not {"Convolution", "Sigmoid", "Slice", "Sum"} & set(found)


def test_other_channels(tmp_path):
    net = make_net(tmp_path / "net.prototxt", EXCITE, data=(2, 9, 5, 4))
    with pytest.raises(caffe.Error, match="channels of mean"):
        caffe.compile(net).forward(data=np.zeros((2, 4, 5, 4)))


@pytest.mark.parametrize("change", [
    ("type: 'Sigmoid'", "type: 'TanH'"), ("AVE global_pooling: true", "AVE kernel_size: 2"),
    ("kernel_size: 1 ", "kernel_size: 1 stride: 2 "), ("kernel_size: 1 ", "kernel_size: 1 pad: 1 ")])
def test_what_is_none(change, tmp_path):
    net = make_net(tmp_path / "net.prototxt", EXCITE.replace(*change), data=(2, 9, 6, 4))
    assert "Excitation" not in assert_same(net)


@pytest.mark.parametrize("outputs", [["fc1", "gate"], ["fc2", "gate"]])
def test_what_is_wanted_stays(outputs, tmp_path):
    net = make_net(tmp_path / "net.prototxt", EXCITE, data=(2, 9, 6, 4))
    assert "Excitation" not in assert_same(net, outputs=outputs)


@pytest.mark.parametrize("name", ["senet50", "resnext50_cbam"])
def test_all_units(name, tmp_path):
    net = make_net(tmp_path / "net.prototxt", to_text(
        models.create(name, size=64, batch=2)))
    found = Counter(assert_same(net, within=1e-4))
    assert found["Excitation"] == 16 and found["CaffeLayer"] == 0
