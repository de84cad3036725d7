"""caffe.compile, as programs use it."""
import os
import threading

import caffe
import h5py
import numpy as np
import pytest
from compiled_nets import assert_same, make_net, plain, random_inputs
from sknet import models
from sknet.text import to_text

NET = """
layer { name: 'conv' type: 'Convolution' bottom: 'data' top: 'conv'
        convolution_param { num_output: 8 kernel_size: 3 pad: 1 } }
layer { name: 'relu' type: 'ReLU' bottom: 'conv' top: 'conv' }
layer { name: 'pool' type: 'Pooling' bottom: 'conv' top: 'pool'
        pooling_param { pool: AVE global_pooling: true } }
layer { name: 'fc' type: 'InnerProduct' bottom: 'pool' top: 'fc'
        inner_product_param { num_output: 5 } }
"""


@pytest.fixture
def net(tmp_path):
    return make_net(tmp_path / "net.prototxt", NET, data=(2, 3, 9, 9))


def test_other_batches_and_sizes(net):
    program = caffe.compile(net)
    for shape in ((1, 3, 9, 9), (5, 3, 9, 9), (1, 3, 16, 7), (2, 3, 9, 9),
                  (3, 3, 5, 5), (4, 3, 6, 6), (1, 3, 9, 9)):
        assert_same(net, program=program, data=shape)


def test_blobs_as_of_a_net(net):
    program = caffe.compile(net, outputs=["conv", "fc"])
    assert (program.inputs, program.outputs) == (["data"], ["conv", "fc"])
    program.blobs["data"].reshape(4, 3, 7, 7)
    program.reshape()
    assert tuple(program.blobs["conv"].shape) == (4, 8, 7, 7)
    values = random_inputs(net, data=(4, 3, 7, 7))
    program.blobs["data"].data[...] = values["data"]
    program.forward()
    for name, expected in plain(net, values, ["conv", "fc"]).items():
        np.testing.assert_allclose(program.blobs[name].data, expected,
                                   rtol=1e-4, atol=1e-5)


def test_weights_are_those_of_the_compilation(net):
    inputs = random_inputs(net)
    program = caffe.compile(net)
    before = program.forward(**inputs)["fc"].copy()
    for blobs in net.params.values():
        blobs[0].data[...] = 0
    np.testing.assert_array_equal(program.forward(**inputs)["fc"], before)
    del net
    np.testing.assert_array_equal(program.forward(**inputs)["fc"], before)
    assert np.ptp(before) > 0


def test_the_net_stays_as_it_is(net):
    inputs = random_inputs(net)
    before = plain(net, inputs, net.blobs)
    caffe.compile(net).forward(data=inputs["data"][:1])
    for name, values in before.items():
        np.testing.assert_array_equal(net.blobs[name].data, values)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_stays_so(value, tmp_path):
    net = make_net(tmp_path / "net.prototxt", to_text(models.create(
        "sknet_digits", batch=2)).partition("\n")[2])
    images = random_inputs(net)["data"]
    images[0, 1, 20, 30] = value
    program = caffe.compile(net)
    result = program.forward(data=images)["prob"]
    assert np.isnan(result[0]).all() and np.isfinite(result[1]).all()


def test_programs_in_threads(net, tmp_path):
    other = make_net(tmp_path / "other.prototxt", NET, seed=5, data=(2, 3, 9, 9))
    inputs = random_inputs(net)
    wanted, got = {}, {}
    for name, each in dict(net=net, other=other).items():
        wanted[name] = caffe.compile(each).forward(**inputs)["fc"].copy()

    def run(name, each):
        program = caffe.compile(each)
        got[name] = [program.forward(**inputs)["fc"].copy() for _ in range(50)]

    threads = [threading.Thread(target=run, args=item)
               for item in dict(net=net, other=other).items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name, results in got.items():
        for result in results:
            np.testing.assert_array_equal(result, wanted[name])


def test_threads_of_a_program(net):
    inputs = random_inputs(net)
    one = caffe.compile(net, threads=1).forward(**inputs)["fc"]
    two = caffe.compile(net, threads=2).forward(**inputs)["fc"]
    np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-6)


def test_explain(net):
    steps = caffe.compile(net).explain(2)
    convolution, = (step for step in steps if step["kind"] == "Convolution")
    assert convolution["layers"] == ["conv", "relu"]
    assert convolution["ms"] > 0 and convolution["gflops"] > 0


def test_a_fallback_is_named(tmp_path):
    net = make_net(tmp_path / "net.prototxt", "layer { name: 'tanh' "
                   "type: 'TanH' bottom: 'data' top: 'tanh' }", data=(2, 3))
    step, = caffe.compile(net).explain(0)
    assert (step["kind"], step["implementation"]) == ("CaffeLayer",
                                                      "Caffe's TanH")


def test_errors(net, tmp_path):
    with pytest.raises(caffe.Error, match="no blob 'nosuch'"):
        caffe.compile(net, outputs=["nosuch"])
    with pytest.raises(ValueError, match="precision 'int4'"):
        caffe.compile(net, precision="int4")
    training = caffe.Net(str(tmp_path / "net.prototxt"), caffe.TRAIN)
    with pytest.raises(caffe.Error, match="phase TRAIN"):
        caffe.compile(training)
    program = caffe.compile(net)
    with pytest.raises(ValueError, match="no inputs image; expected data"):
        program.forward(image=np.zeros((2, 3, 9, 9)))
    with pytest.raises(caffe.Error, match="channels of data") as error:
        program.forward(data=np.zeros((2, 4, 9, 9)))
    assert str(error.value).startswith("layer conv (Convolution): ")
    with pytest.raises(caffe.Error, match="data is empty: 0 3 9 9"):
        program.forward(data=np.zeros((0, 3, 9, 9)))
    assert_same(net, program=program)


def test_memory_is_reused(tmp_path):
    """Twenty layers of one size after each other take the memory of two."""
    layers = "".join(
        f"layer {{ name: '{i}' type: 'Convolution' bottom: "
        f"'{i - 1 if i else 'data'}' top: '{i}' convolution_param {{ "
        f"num_output: 8 kernel_size: 1 }} }}\n" for i in range(20))
    net = make_net(tmp_path / "net.prototxt", layers, data=(1, 8, 128, 128))
    image = 8 * 128 * 128 * 4
    assert caffe.compile(net).activation_bytes < 3.5 * image
    assert_same(net, within=1e-4)


def test_the_memory_limit(net):
    """What activations take counts; the program remains usable."""
    program = caffe.compile(net)
    images = random_inputs(net)["data"]
    try:
        caffe.set_memory_limit(1 << 24)
        with pytest.raises(caffe.Error, match="limit"):
            program.forward(data=np.zeros((1, 3, 700, 700), np.float32))
    finally:
        caffe.set_memory_limit(0)
    assert np.isfinite(program.forward(data=images)["fc"]).all()


def test_a_source_of_data_is_not_opened_twice(tmp_path):
    """A net's data layer goes on where it is."""
    h5py.File(tmp_path / "data.h5", "w").update(
        {"data": np.arange(6, dtype=np.float32).reshape(6, 1)})
    (tmp_path / "list.txt").write_text(str(tmp_path / "data.h5"))
    net = make_net(tmp_path / "net.prototxt", f"""
        layer {{ name: 'data' type: 'HDF5Data' top: 'data' hdf5_data_param {{
                source: '{tmp_path / "list.txt"}' batch_size: 2 }} }}
        layer {{ name: 'double' type: 'Power' bottom: 'data' top: 'double'
                power_param {{ scale: 2 }} }}""")
    program = caffe.compile(net)
    for first in (0, 2, 4, 0):
        values = program.forward()["double"]
        np.testing.assert_array_equal(values, [[2 * first], [2 * first + 2]])


def test_threads_wait_quietly():
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"
