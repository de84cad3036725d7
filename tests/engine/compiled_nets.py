"""Small nets, plain and compiled."""
import os

import caffe
import numpy as np
from sknet.bench.report import vector_units

# After a layer "conv": what its step does besides.
RESIDUAL = """
layer { name: 'sum' type: 'Eltwise' bottom: 'conv' bottom: 'more' top: 'out' }
layer { name: 'relu' type: 'ReLU' bottom: 'out' top: 'out'
        relu_param { negative_slope: 0.25 } }
"""


def has(unit):
    """Whether programs use these vectors: avx2, avx512f, avx512_bf16 or amx_bf16."""
    shorter = {"AVX2": ("avx2",), "AVX512_CORE": ("avx2", "avx512f"),
               "AVX512_CORE_BF16": ("avx2", "avx512f", "avx512_bf16")}
    return unit in vector_units() and unit in shorter.get(
        os.environ.get("ONEDNN_MAX_CPU_ISA"), vector_units())


def rounded(values):
    """The nearest of 8 significant bits, to even at a tie, by arithmetic."""
    mantissa, exponent = np.frexp(np.float64(values))
    return np.ldexp(np.rint(mantissa * 256), exponent - 8)


def make_net(path, layers, seed=0, **shapes):
    """A net of Input layers of the given shapes and the text of layers, with
    random weights; its prototxt is written to `path`."""
    text = ""
    for name, shape in shapes.items():
        dims = " ".join(f"dim: {dim}" for dim in shape)
        text += (f"layer {{ name: '{name}' type: 'Input' top: '{name}' "
                 f"input_param {{ shape {{ {dims} }} }} }}\n")
    path.write_text(text + layers)
    net = caffe.Net(str(path), caffe.TEST)
    random = np.random.default_rng(seed)
    for blobs in net.params.values():
        for blob in blobs:
            blob.data[...] = random.uniform(-1, 1, blob.data.shape)
    for layer in net.layers:  # variances, and BatchNorm's factor
        for index in {"BatchNorm": (1, 2), "CuDNNBatchNorm": (3,)}.get(
                layer.type, ()):
            blob = layer.blobs[index]
            blob.data[...] = random.uniform(.5, 2, blob.data.shape)
    return net


def random_inputs(net, seed=1, **shapes):
    random = np.random.default_rng(seed)
    return {name: random.normal(size=shapes.get(name, net.blobs[name].data.shape))
            .astype(np.float32) for name in net.inputs}


def plain(net, inputs, outputs):
    """Copies of a net's blobs after a forward."""
    for name, values in inputs.items():
        net.blobs[name].reshape(*values.shape)
        net.blobs[name].data[...] = values
    net.forward()
    return {name: net.blobs[name].data.copy() for name in outputs}


def convolution(program):
    """The only convolution of a program, as it explains it."""
    step, = (step for step in program.explain(0) if step["kind"] == "Convolution")
    return step


def assert_same(net, within=1e-5, outputs=None, program=None, **shapes):
    """A program's outputs are the net's, relative to the largest value; returns
    the kinds of its steps."""
    program = program or caffe.compile(net, outputs=outputs)
    inputs = random_inputs(net, **shapes)
    expected = plain(net, inputs, program.outputs)
    actual = program.forward(**{name: inputs[name] for name in program.inputs})
    assert list(actual) == list(expected)
    for name, values in expected.items():
        assert actual[name].shape == values.shape, name
        assert np.isfinite(values).all() and np.ptp(values) > 0
        difference = abs(actual[name] - values).max() / abs(values).max()
        assert difference < within, f"{name}: {difference:.1e} of the largest"
    return [step["kind"] for step in program.explain(0)]
