"""A net that only computes makes an index of its own, beyond a blob's end: Embed gave
what lies in memory there, loss layers wrote to it."""
import caffe
import numpy as np
import pytest

EMBED = """
layer { name: "index" type: "DummyData" top: "index"
  dummy_data_param { shape { dim: 1 } data_filler { value: VALUE } } }
layer { name: "attack" type: "Embed" bottom: "index" top: "found"
  embed_param { input_dim: 3 num_output: 8 } }"""
LOSS = """
layer { name: "data" type: "DummyData" top: "data" top: "label"
  dummy_data_param { shape { dim: 1 dim: 3 dim: 1 dim: 1 } shape { LABEL }
    data_filler { value: 0.25 } data_filler { value: VALUE } } }
layer { name: "score" type: "InnerProduct" bottom: "data" top: "score"
  inner_product_param { num_output: 3 } }
layer { name: "attack" type: "TYPE" bottom: "score" bottom: "label" top: "loss" MORE }"""
INFOGAIN = """
layer { name: "gain" type: "DummyData" top: "gain"
  dummy_data_param { shape { dim: 1 dim: 1 dim: 3 dim: 3 } data_filler { value: 1 } } }"""
# A layer after the loss changes the labels, which its gradient needs: in place, by the
# name that Caffe gives the copy.
CHANGED = """
layer { name: "change" type: "Power" bottom: "label" top: "label_data_1_split_1"
  power_param { shift: 1e6 } }"""
TYPES = ["Accuracy", "HingeLoss", "MultinomialLogisticLoss", "SoftmaxWithLoss"]
OUTSIDE = ["3", "-1", "1e6", "1e30", "nan"]


def loss(kind, value):
    dims = "dim: 1" if kind == "Accuracy" else "dim: 1 dim: 1 dim: 1 dim: 1"
    return LOSS.replace("TYPE", kind).replace("LABEL", dims).replace("VALUE", value) \
        .replace("MORE", "")


def infogain(value):
    text = loss("InfogainLoss", value)
    return INFOGAIN + text.replace('bottom: "label"', 'bottom: "label" bottom: "gain"')


@pytest.fixture
def forward(write):
    def run(text):
        net = caffe.Net(write(text), caffe.TRAIN, allow="compute")
        net.forward()
        return net
    return run


@pytest.mark.parametrize("value", OUTSIDE)
def test_embed(forward, value):
    with pytest.raises(caffe.Error, match=r"is out of range: expected 0 to 2") as caught:
        forward(EMBED.replace("VALUE", value))
    assert caught.value.layer == "attack"


@pytest.mark.parametrize("value", OUTSIDE)
@pytest.mark.parametrize("kind", TYPES)
def test_labels(forward, kind, value):
    with pytest.raises(caffe.Error, match="is out of range: expected 0 to 2") as caught:
        forward(loss(kind, value))
    assert caught.value.layer == "attack"


@pytest.mark.parametrize("value", OUTSIDE)
def test_infogain(forward, value):
    with pytest.raises(caffe.Error, match="is out of range: expected 0 to 2"):
        forward(infogain(value))


@pytest.mark.parametrize("kind", [*TYPES, "InfogainLoss"])
def test_last_class_is_within(forward, kind):
    forward(infogain("2") if kind == "InfogainLoss" else loss(kind, "2"))
    forward(EMBED.replace("VALUE", "2"))


def test_label_to_be_ignored_need_be_no_class(forward):
    for text in (loss("SoftmaxWithLoss", "255"), loss("Accuracy", "255"),
                 infogain("255")):
        param = "accuracy_param" if "Accuracy" in text else "loss_param"
        net = forward(text.replace('top: "loss"', f'top: "loss" {param} '
                                   "{ ignore_label: 255 }"))
        if param == "loss_param":
            net.backward()
            np.testing.assert_array_equal(net.blobs["score"].diff, 0)


@pytest.mark.parametrize("kind", [*TYPES[1:], "InfogainLoss"])
def test_labels_that_change_before_the_gradient(forward, kind):
    text = infogain("1") if kind == "InfogainLoss" else loss(kind, "1")
    net = forward(text + CHANGED)
    with pytest.raises(caffe.Error, match="1000001 is out of range: expected 0 to 2"):
        net.backward()
