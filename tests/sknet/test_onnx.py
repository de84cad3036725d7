"""Models in ONNX Runtime give the scores that they give in caffe.Net."""
import json
from pathlib import Path

import caffe
import numpy as np
import onnx
import pytest
from google.protobuf import text_format
from PIL import Image
from sknet import models
from sknet.classifier import Classifier
from sknet.errors import InputError
from sknet.lowering import to_batch_norm_and_scale, to_stock
from sknet.onnx import export
from sknet.proto import caffe_pb2
from sknet.weights import files
from sknet.weights.blobs import Weights

from onnx_nets import (assert_equal, caffe_outputs, checked, exported,
                       fill_steadily, weights_of)
from random_nets import fill, make_net

IMAGES = sorted(Path(__file__).resolve().parents[2].glob(
    "prototxt/sknet_digits/images/*.png"))
LABELS = ["null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben",
          "acht", "neun"]


@pytest.fixture(scope="module")
def digits():
    """The shipped classifier, its model in ONNX, and the shipped images."""
    classifier = Classifier("sknet_digits")
    model = export(classifier.param, files.read(classifier.weights),
                   classifier.preprocessing, LABELS)
    images = np.stack([classifier.preprocessing(Image.open(path).convert("RGB"))
                       for path in IMAGES])
    return classifier, model, images


def test_digits(digits):
    classifier, model, images = digits
    session = checked(model)
    assert len(images) >= 10
    for batch in images[:1], images[1:4], images:
        worst = assert_equal(session, classifier.net, {"data": batch})
        print(f"sknet_digits, {len(batch)} images: {worst:.1e}")


def test_any_value_can_be_asked_for_by_its_blobs_name(digits):
    """As netron shows them, and onnx.utils.extract_model needs."""
    classifier, model, images = digits
    fetched = onnx.ModelProto()
    fetched.CopyFrom(model)
    values = {value.name: value for value in model.graph.value_info}
    blobs = [name for name in values if name in classifier.net.blobs]
    assert set(classifier.net.blobs) >= set(blobs)
    assert len(blobs) > 50 and {"classifier", "conv2_1/B_softmax"} <= set(blobs)
    fetched.graph.output.extend(values[name] for name in blobs)
    session = checked(fetched)
    classifier(images)
    for name, found in zip(blobs, session.run(blobs, {"data": images})):
        expected = classifier.net.blobs[name].data
        assert abs(found - expected).max() < 1e-4 * abs(expected).max(), name


def test_metadata(digits):
    classifier, model, _ = digits
    metadata = {entry.key: json.loads(entry.value)
                for entry in model.metadata_props}
    settings = classifier.preprocessing
    assert metadata == {"labels": LABELS, "preprocessing": {
        "channels": "bgr", "mean": list(settings.mean), "scale": settings.scale,
        "size": settings.crop, "shorter_side": settings.shorter_side}}


def test_opset_and_input(digits):
    _, model, _ = digits
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [
        ("", 17)]
    session = checked(model)
    value, = session.get_inputs()
    assert (value.name, value.shape) == ("data", ["batch", 3, 64, 64])
    value, = session.get_outputs()
    assert (value.name, value.shape) == ("prob", ["batch", 10])


# Every family, at a small size with odd sizes on the way.
ZOO = ["sknet26", "sknet29", "resnext50", "senet50", "resnext50_bam",
       "resnext50_cbam", "inception_v3", "inception_v4", "inception_resnet_v2",
       "dpn92", "attention56", "attentionnext56", "shufflenet_v2_sk_0_5"]


def random_scores(folder, name, **options):
    """A model that ends with its scores, and its caffe.Net with random weights."""
    param = models.create(name, size=75, num_classes=50, batch=2, global_pool=True,
                          **options)
    del param.layer[-1]
    net = make_net(folder, param)
    if name.startswith("inception"):
        fill_steadily(net)
    else:
        net.blobs["data"].data[...] = random_images(2, 75, 75)
        fill(net)
    return param, net


def random_images(batch, *size):
    """Images, each of more contrast than the one before."""
    images = np.random.default_rng(batch).normal(size=(batch, 3, *size))
    return images * 1.2 ** np.arange(batch).reshape(-1, 1, 1, 1)


def assert_tells_apart(net, images):
    """What is compared differs between images by 50 times what may differ."""
    scores, = caffe_outputs(net, {"data": images}).values()
    assert scores.std(axis=0).mean() > 50e-4 * abs(scores).max()


@pytest.mark.parametrize("name", ZOO)
def test_model(tmp_path, name):
    """One file for all batches and sizes."""
    param, net = random_scores(tmp_path, name)
    session = exported(param, net, dynamic_size=True)
    assert [value.name for value in session.get_outputs()] == ["classifier"]
    worst = max(assert_equal(session, net, {"data": images}) for images in (
        random_images(1, 75, 75), random_images(3, 96, 81)))
    print(f"{name}: {worst:.1e} of the largest score")
    assert_tells_apart(net, random_images(3, 96, 81))


@pytest.mark.parametrize("name, lower", [
    ("sknet26", to_batch_norm_and_scale), ("sknet26", to_stock),
    ("resnext50_cbam", to_stock), ("shufflenet_v2_sk_0_5", to_stock)])
def test_lowered_model(tmp_path, name, lower):
    """In ONNX, nets of BVLC's layers give what the nets give that they were."""
    param, net = random_scores(tmp_path, name)
    session = checked(export(*lower(param, weights_of(net))))
    for batch in 1, 3:
        assert_equal(session, net, {"data": random_images(batch, 75, 75)})


def test_a_fixed_last_pool_fits_one_size(tmp_path):
    param = models.create("sknet26", num_classes=5)
    weights = weights_of(make_net(tmp_path, param))
    with pytest.raises(InputError, match=r"layer classifier \(InnerProduct\): its "
                       r"weights fit images of one size only.*--global-pool"):
        export(param, weights, dynamic_size=True)
    del weights.layers["classifier"]
    with pytest.raises(InputError, match="layer classifier: no weights"):
        export(param, weights)


def test_weights_of_another_net():
    with pytest.raises(InputError, match="layer conv1/7x7_s2: no weights"):
        export(models.create("sknet50"), Weights())


def test_old_input_fields_and_shared_weights(tmp_path):
    """Blobs that layers share, of which a file may have one."""
    text = """name: "shared" input: "data" input_dim: 1 input_dim: 3 input_dim: 5
    input_dim: 5
    layer { name: "a" type: "Convolution" bottom: "data" top: "a"
            param { name: "w" } convolution_param { num_output: 3 kernel_size: 3
            bias_term: false } }
    layer { name: "b" type: "Convolution" bottom: "a" top: "b"
            param { name: "w" } convolution_param { num_output: 3 kernel_size: 3
            bias_term: false } }"""
    (tmp_path / "net.prototxt").write_text(text)
    net = caffe.Net(str(tmp_path / "net.prototxt"), caffe.TEST)
    net.params["a"][0].data[...] = np.random.default_rng(0).normal(
        size=(3, 3, 3, 3))
    weights = weights_of(net)
    del weights.layers["b"]
    session = checked(export(text_format.Parse(text, caffe_pb2.NetParameter()),
                             weights))
    assert_equal(session, net, {"data": np.random.default_rng(0).normal(
        size=(2, 3, 5, 5))})
