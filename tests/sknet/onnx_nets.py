"""Nets in Caffe and, exported, in ONNX Runtime."""
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from sknet.onnx import export
from sknet.weights.blobs import Blob, Layer, Weights

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "zoo"))


def weights_of(net):
    """A caffe.Net's Weights, its own copies."""
    return Weights("", {
        name: Layer("", [Blob(blob.data.copy()) for blob in blobs])
        for name, blobs in net.params.items()})


def checked(model):
    """A session of ONNX Runtime, which does not rearrange the model, after the
    checks of package onnx."""
    onnx.checker.check_model(model, full_check=True)
    onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model.SerializeToString(), options)


def fill_steadily(net, seed=0):
    """Draw all weights so that rounding errors do not grow on their way, as they do
    through many batch norms whose statistics follow a batch (random_nets.fill);
    but nets with gates need those."""
    random = np.random.default_rng(seed)
    for layer in net.layers:
        blobs = [blob.data for blob in layer.blobs]
        for blob in blobs:
            blob[...] = random.normal(0, .1, blob.shape)
        if layer.type == "CuDNNBatchNorm":
            blobs[0][...] = random.uniform(.5, 1.5, blobs[0].shape)
            blobs[3][...] = random.uniform(.5, 2, blobs[3].shape)
        elif blobs:
            blobs[0] *= 10 * (2 / blobs[0][0].size) ** .5


def exported(param, net, **options):
    """The session of a caffe.Net, whose NetParameter is `param`."""
    return checked(export(param, weights_of(net), **options))


def caffe_outputs(net, inputs):
    """{output: array} for {input: array} of any batch and size."""
    for name, values in inputs.items():
        net.blobs[name].reshape(*values.shape)
        net.blobs[name].data[...] = values
    net.reshape()
    return {name: values.copy() for name, values in net.forward().items()}


def assert_equal(session, net, inputs, within=1e-4):
    """Each output is the same in both, relative to its largest value; returns the
    largest difference of all."""
    expected = caffe_outputs(net, inputs)
    names = [value.name for value in session.get_outputs()]
    assert sorted(names) == sorted(expected)
    worst = 0
    for name, found in zip(names, session.run(None, {
            name: values.astype(np.float32) for name, values in inputs.items()})):
        assert found.shape == expected[name].shape, name
        assert np.isfinite(expected[name]).all(), name
        difference = abs(found - expected[name]).max() / abs(expected[name]).max()
        assert difference < within, f"{name}: {difference:.1e}"
        worst = max(worst, difference)
    return worst
