"""1x1 convolutions: exactly the sums of the formula, of integers, which floats hold."""
import os
import subprocess
import sys
from pathlib import Path

import caffe
import numpy as np
import pytest
from compiled_nets import RESIDUAL, convolution, has, make_net, rounded

CONVOLUTION = """
layer {{ name: 'conv' type: 'Convolution' bottom: 'data' top: 'conv'
        convolution_param {{ num_output: {outputs} kernel_size: 1 stride: {stride} }} }}
"""
# One part of the inputs, two, and more of unlike sizes; panels of one vector to four,
# alone and together; blocks of one tile and of many; tiles of one row to six.
CHANNELS = [(8, 8), (40, 16), (64, 32), (96, 48), (376, 40), (392, 56), (416, 112),
            (1000, 128), (1024, 80)]
PLACES = [(1, (1, 1)), (1, (1, 2)), (3, (1, 1)), (1, (1, 4)), (1, (1, 5)), (2, (7, 9)),
          (1, (20, 21)), (1, (23, 29))]


def kernel(short, inputs, outputs):
    """The name of ours that takes so many channels, or "oneDNN"."""
    if short:
        fits = not has("amx_bf16") and inputs % 32 == 0 and outputs % 16 == 0
        return "own AVX-512 BF16" if fits else "oneDNN"
    if has("avx512f"):
        fits = inputs % 16 == 0 and outputs % 16 == 0
        return "own AVX-512" if fits else "oneDNN"
    return "own AVX2" if has("avx2") else "oneDNN"


def integers(net):
    random = np.random.default_rng(0)
    for blobs in net.params.values():
        for blob in blobs:
            blob.data[...] = random.integers(-3, 4, blob.data.shape)
    return {name: random.integers(-3, 4, net.blobs[name].data.shape).astype("f")
            for name in net.inputs}


def convolved(net, data, stride=1):
    weights, bias = (blob.data for blob in net.params["conv"])
    return np.einsum("oi,nihw->nohw", weights[:, :, 0, 0].astype("d"),
                     data[:, :, ::stride, ::stride]) + bias[:, None, None]


@pytest.mark.parametrize("precision", ["f32", "bf16"])
@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("place", PLACES, ids=str)
@pytest.mark.parametrize("inputs, outputs", CHANNELS)
def test_sums(inputs, outputs, place, threads, precision, tmp_path):
    batch, size = place
    net = make_net(tmp_path / "net.prototxt",
                   CONVOLUTION.format(outputs=outputs, stride=1) + RESIDUAL,
                   data=(batch, inputs, *size), more=(batch, outputs, *size))
    values = integers(net)
    program = caffe.compile(net, precision, threads=threads)
    step = convolution(program)  # with the sum and the ReLU in it
    assert "relu" in step["layers"]
    short = precision == "bf16" and has("avx512_bf16") and size != (1, 1)
    assert step["implementation"].startswith(kernel(short, inputs, outputs))
    sums = convolved(net, values["data"]) + values["more"]
    expected = np.where(sums > 0, sums, sums / 4)
    np.testing.assert_array_equal(program.forward(**values)["out"],
                                  rounded(expected) if short else expected)


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("outputs", [24, 48])
def test_strides_and_other_sizes(outputs, stride, tmp_path):
    net = make_net(tmp_path / "net.prototxt",
                   CONVOLUTION.format(outputs=outputs, stride=stride),
                   data=(2, 16, 5, 7))
    values = integers(net)["data"].ravel()
    program = caffe.compile(net)
    for shape in ((2, 16, 5, 7), (1, 16, 40, 30), (3, 16, 1, 1)):
        data = np.resize(values, shape)
        np.testing.assert_array_equal(program.forward(data=data)["conv"],
                                      convolved(net, data, stride))


@pytest.mark.parametrize("precision", ["f32", "bf16"])
@pytest.mark.parametrize("outputs", [24, 48])
def test_what_is_not_finite_stays_at_its_position(outputs, precision, tmp_path):
    net = make_net(tmp_path / "net.prototxt",
                   CONVOLUTION.format(outputs=outputs, stride=1)
                   + RESIDUAL.replace("0.25", "0"),
                   data=(1, 32, 3, 3), more=(1, outputs, 3, 3))
    values = integers(net)
    values["data"][0, 3, 1, 1] = values["more"][0, 7, 0, 2] = np.nan
    out = caffe.compile(net, precision).forward(**values)["out"]
    expected = np.zeros(out.shape, bool)
    expected[0, :, 1, 1] = expected[0, 7, 0, 2] = True
    np.testing.assert_array_equal(np.isnan(out), expected)


@pytest.mark.parametrize("most", ["AVX2", "AVX512_CORE"])
def test_with_shorter_vectors(most):
    """These kernels and the others, as where the processor has nothing longer."""
    folder = Path(__file__).parent
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k",
         f"not {test_with_shorter_vectors.__name__}",
         *(folder / f"test_{name}.py" for name in ("pointwise", "winograd", "bf16"))],
        env={**os.environ, "ONEDNN_MAX_CPU_ISA": most}, capture_output=True,
        text=True)
    assert done.returncode == 0, done.stdout + done.stderr
