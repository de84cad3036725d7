"""Deploy nets, made of nets for training."""
import pytest
from google.protobuf import text_format

from sknet import models
from sknet.deploy import to_deploy
from sknet.errors import InputError
from sknet.proto import caffe_pb2
from sknet.text import to_text


def net(text):
    return text_format.Parse(text, caffe_pb2.NetParameter())


@pytest.mark.parametrize("name", models.names())
def test_every_models_training_net(name):
    """What the generator makes for training is what it makes to deploy."""
    train, deploy = (models.create(name, kind) for kind in ("train_val", "deploy"))
    before = to_text(train)
    assert to_text(to_deploy(train)) == to_text(deploy)
    assert to_text(train) == before
    assert to_text(to_deploy(deploy)) == to_text(deploy)


@pytest.mark.parametrize("name, options", [
    ("sknet50", dict(size=320)), ("sknet_digits", dict(channels=1)),
    ("inception_v3", {})])
def test_augmented_data(name, options):
    train = models.create(name, "train_val", augment="senet", **options)
    assert to_text(to_deploy(train)) == to_text(models.create(name, **options))


def test_released_net():
    """Its one Input has two tops; its batch stays."""
    released = to_deploy(models.create("sknet50", "released"))
    deploy = models.create("sknet50", batch=32)
    assert [layer.type for layer in released.layer] == [
        layer.type for layer in deploy.layer]
    data = released.layer[0]
    assert list(data.top) == ["data"]
    assert [list(shape.dim) for shape in data.input_param.shape] == [[32, 3, 224, 224]]


def test_old_inputs_rules_and_what_nothing_needs():
    deployed = to_deploy(net("""
        input: "data" input_dim: 2 input_dim: 3 input_dim: 8 input_dim: 8
        state { stage: "deploy" }
        layer { name: "fc" type: "InnerProduct" bottom: "data" top: "fc"
                include { stage: "deploy" } inner_product_param { num_output: 5 } }
        layer { name: "not" type: "InnerProduct" bottom: "data" top: "not"
                include { stage: "train" } inner_product_param { num_output: 5 } }
        layer { name: "unused" type: "ReLU" bottom: "data" top: "unused" }
        layer { name: "silence" type: "Silence" bottom: "unused" }
        layer { name: "relu" type: "ReLU" bottom: "fc" top: "fc" }"""))
    assert to_text(deployed) == to_text(net("""
        layer { name: "input" type: "Input" top: "data"
                input_param { shape { dim: 2 dim: 3 dim: 8 dim: 8 } } }
        layer { name: "fc" type: "InnerProduct" bottom: "data" top: "fc"
                inner_product_param { num_output: 5 } }
        layer { name: "relu" type: "ReLU" bottom: "fc" top: "fc" }"""))


def test_the_last_of_several_losses():
    deployed = to_deploy(net("""
        layer { name: "data" type: "Input" top: "data" top: "label"
                input_param { shape { dim: 2 dim: 3 dim: 4 } shape { dim: 2 dim: 4 } } }
        layer { name: "aux" type: "ReLU" bottom: "data" top: "aux" }
        layer { name: "loss1" type: "SoftmaxWithLoss" bottom: "aux" bottom: "label"
                top: "loss1" softmax_param { axis: 1 } loss_weight: 0.3 }
        layer { name: "main" type: "TanH" bottom: "data" top: "main" }
        layer { name: "loss2" type: "SoftmaxWithLoss" bottom: "main" bottom: "label"
                top: "loss2" softmax_param { axis: -2 } }
        layer { name: "top-1" type: "Accuracy" bottom: "main" bottom: "label"
                top: "top-1" }"""))
    assert to_text(deployed) == to_text(net("""
        layer { name: "data" type: "Input" top: "data"
                input_param { shape { dim: 2 dim: 3 dim: 4 } } }
        layer { name: "main" type: "TanH" bottom: "data" top: "main" }
        layer { name: "prob" type: "Softmax" bottom: "main" top: "prob"
                softmax_param { axis: -2 } }"""))


def test_several_results_and_inputs():
    two = net("""
        layer { name: "data" type: "Input" top: "a" top: "b"
                input_param { shape { dim: 2 dim: 3 } } }
        layer { name: "sum" type: "Eltwise" bottom: "a" bottom: "b" top: "sum" }
        layer { name: "parts" type: "Slice" bottom: "sum" top: "c" top: "d" top: "e" }
        layer { name: "relu" type: "ReLU" bottom: "c" top: "c" }""")
    assert to_text(to_deploy(two)) == to_text(two)


def test_nothing_to_deploy():
    with pytest.raises(InputError, match="x.prototxt: no layer computes"):
        to_deploy(net("""
            layer { name: "data" type: "Input" top: "data"
                    input_param { shape { dim: 2 } } }"""), "x.prototxt")
