"""1x1 convolutions: exactly the sums of the formula, of integers, which floats hold."""
import caffe
import numpy as np
import pytest
from compiled_nets import RESIDUAL, convolution, make_net
from sknet.bench.report import machine

CONVOLUTION = """
layer {{ name: 'conv' type: 'Convolution' bottom: 'data' top: 'conv'
        convolution_param {{ num_output: {outputs} kernel_size: 1 stride: {stride} }} }}
"""
# One part of the inputs, two, and four of unlike sizes; panels of one vector, of two,
# and of both two and three; blocks of one tile and of many; tiles of one row to four.
SHAPES = [(inputs, outputs, (batch, *size))
          for inputs, outputs in ((8, 8), (40, 16), (64, 32), (376, 40), (392, 56),
                                  (1000, 128))
          for batch, size in ((1, (1, 1)), (1, (1, 2)), (3, (1, 1)), (2, (7, 9)),
                              (1, (20, 21)))]


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


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("inputs, outputs, place", SHAPES, ids=str)
def test_sums(inputs, outputs, place, threads, tmp_path):
    batch, *size = place
    net = make_net(tmp_path / "net.prototxt",
                   CONVOLUTION.format(outputs=outputs, stride=1) + RESIDUAL,
                   data=(batch, inputs, *size), more=(batch, outputs, *size))
    values = integers(net)
    program = caffe.compile(net, threads=threads)
    step = convolution(program)  # with the sum and the ReLU in it
    assert "relu" in step["layers"]
    if machine().endswith("avx2"):  # and nothing longer
        assert step["implementation"] == "own AVX2"
    sums = convolved(net, values["data"]) + values["more"]
    np.testing.assert_array_equal(program.forward(**values)["out"],
                                  np.where(sums > 0, sums, sums / 4))


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_strides_and_other_sizes(stride, tmp_path):
    net = make_net(tmp_path / "net.prototxt",
                   CONVOLUTION.format(outputs=24, stride=stride), data=(2, 16, 5, 7))
    values = integers(net)["data"].ravel()
    program = caffe.compile(net)
    for shape in ((2, 16, 5, 7), (1, 16, 40, 30), (3, 16, 1, 1)):
        data = np.resize(values, shape)
        np.testing.assert_array_equal(program.forward(data=data)["conv"],
                                      convolved(net, data, stride))


def test_what_is_not_finite_stays_at_its_position(tmp_path):
    net = make_net(tmp_path / "net.prototxt",
                   CONVOLUTION.format(outputs=24, stride=1)
                   + RESIDUAL.replace("0.25", "0"),
                   data=(1, 16, 3, 3), more=(1, 24, 3, 3))
    values = integers(net)
    values["data"][0, 3, 1, 1] = values["more"][0, 7, 0, 2] = np.nan
    out = caffe.compile(net).forward(**values)["out"]
    expected = np.zeros(out.shape, bool)
    expected[0, :, 1, 1] = expected[0, 7, 0, 2] = True
    np.testing.assert_array_equal(np.isnan(out), expected)
