"""Layers written in Python, and what they and callbacks raise."""
import gc
import traceback
import weakref

import caffe
import numpy as np
import pytest
from small_nets import REGRESSION, input_layer, python_layer

METHODS = ("setup", "reshape", "forward", "backward")


class Scale(caffe.Layer):
    """top = factor · bottom; records its calls."""

    def __init__(self, param):
        super().__init__(param)
        self.calls = []

    def setup(self, bottom, top):
        super().setup(bottom, top)
        self.factor = float(self.param_str)
        self.calls.append(("setup", len(bottom), len(top)))

    def reshape(self, bottom, top):
        top[0].reshape(*bottom[0].shape)
        self.calls.append("reshape")

    def forward(self, bottom, top):
        assert len(bottom) == len(top) == 1
        top[0].data[...] = self.factor * bottom[-1].data
        self.calls.append("forward")

    def backward(self, top, propagate_down, bottom):
        assert list(propagate_down) == [True]
        bottom[0].diff[...] = self.factor * top[0].diff
        self.calls.append("backward")


class Failure(Exception):
    pass


class Failing(Scale):
    """Fails in the method that param_str names."""


def fail_in(name):
    def method(self, *args):
        if self.param_str == name:
            Failing.error = Failure(name)
            raise Failing.error
        if name == "reshape":
            args[1][0].reshape(*args[0][0].shape)
    return method


for name in METHODS:
    setattr(Failing, name, fail_in(name))


class NoMethods(caffe.Layer):
    pass


class NoInit(caffe.Layer):
    def __init__(self, param):
        pass


class NotALayer:
    def __init__(self, param):
        pass


def test_calls_and_values(make_net):
    net = make_net(input_layer(2, 3) + python_layer(Scale, param_str="2.5"),
                   caffe.TRAIN)
    layer = net.layers[1]
    assert type(layer) is Scale and layer is net.layers[1]
    assert layer.type == "Python"
    assert layer.param_str == "2.5" and layer.phase == caffe.TRAIN
    data = np.arange(6).reshape(2, 3)
    net.blobs["data"].data[...] = data
    assert (net.forward()["top"] == 2.5 * data).all()
    net.blobs["top"].diff[...] = data
    net.backward()
    assert (net.blobs["data"].diff == 2.5 * data).all()
    net.reshape()
    assert layer.calls == [("setup", 1, 1), "reshape", "reshape", "forward",
                           "backward", "reshape"]


def test_a_net_owns_its_python_layers(make_net):
    net = make_net(input_layer(1) + python_layer(Scale, param_str="1"))
    alive = weakref.ref(net.layers[1])
    gc.collect()
    assert alive() is not None
    net.forward()
    del net
    gc.collect()
    assert alive() is None


def test_a_python_layer_outlives_its_net(make_net):
    net = make_net(input_layer(1) + python_layer(Scale, param_str="1"))
    layer = net.layers[1]
    del net
    gc.collect()
    assert layer.type == "Python" and len(layer.blobs) == 0


@pytest.mark.parametrize("method", METHODS)
def test_exceptions_come_back(make_net, method):
    with pytest.raises(Failure) as caught:
        net = make_net(
            input_layer(1) + python_layer(Failing, param_str=method))
        net.forward()
        net.backward()
    assert caught.value is Failing.error
    assert "raise Failing.error" in "".join(
        traceback.format_exception(Failure, caught.value, caught.tb))


def test_a_net_goes_on_after_an_exception(make_net):
    net = make_net(input_layer(1) + python_layer(Failing, param_str="forward"))
    layer = net.layers[1]
    for _ in range(3):
        with pytest.raises(Failure):
            net.forward()
    layer.param_str = ""
    net.forward()
    # Neither the exception nor its frames hold on to anything.
    alive = weakref.ref(layer)
    del net, layer, Failing.error
    gc.collect()
    assert alive() is None


def test_exceptions_through_a_solver(make_solver):
    net = REGRESSION.replace("bottom: 'ip'", "bottom: 'top'")
    solver = make_solver(net.replace(
        "layer { name: 'loss'",
        python_layer(Failing, "ip", param_str="backward") +
        "layer { name: 'loss'"), "max_iter: 5")
    with pytest.raises(Failure):
        solver.step(1)
    with pytest.raises(Failure):
        solver.solve()
    assert solver.iter == 0


@pytest.mark.parametrize("cls, error, message", [
    (NoMethods, NotImplementedError, "layer has no method reshape"),
    (NoInit, TypeError, "__init__"),
    (NotALayer, TypeError, "layer layer: .*NotALayer is not a caffe.Layer"),
])
def test_bad_classes(make_net, cls, error, message):
    with pytest.raises(error, match=message):
        make_net(input_layer(1) + python_layer(cls))


def test_missing_module_and_class(make_net):
    text = input_layer(1) + python_layer(Scale)
    with pytest.raises(ModuleNotFoundError, match="no_such"):
        make_net(text.replace(Scale.__module__, "no_such"))
    with pytest.raises(AttributeError, match="NoSuch"):
        make_net(text.replace("Scale", "NoSuch"))


def test_no_python_layers_in_several_solver_threads(make_net):
    text = input_layer(1) + python_layer(Scale, param_str="1")
    caffe.set_solver_count(2)
    try:
        with pytest.raises(RuntimeError, match="use train.py"):
            make_net(text, caffe.TRAIN)
        make_net(text, caffe.TEST)
        caffe.set_multiprocess(True)
        make_net(text, caffe.TRAIN)
    finally:
        caffe.set_multiprocess(False)
        caffe.set_solver_count(1)


HOOKS = ("before_forward", "after_forward", "before_backward",
         "after_backward")


def test_callbacks_of_a_net(make_net):
    net = make_net(input_layer(1) + python_layer(Scale, param_str="1"))
    calls = []
    for hook in HOOKS:
        getattr(net, hook)(lambda layer, hook=hook: calls.append((hook, layer)))
    net.forward()
    net.backward()
    assert calls == (
        [(hook, layer) for layer in (0, 1) for hook in HOOKS[:2]] +
        [(hook, layer) for layer in (1, 0) for hook in HOOKS[2:]])
    with pytest.raises(TypeError):
        net.before_forward("not a function")


@pytest.mark.parametrize("hook", HOOKS)
def test_exceptions_in_callbacks_of_a_net(make_net, hook):
    def callback(layer):
        raise Failure(layer)
    net = make_net(input_layer(1) + python_layer(Scale, param_str="1"))
    getattr(net, hook)(callback)
    with pytest.raises(Failure):
        net.forward()
        net.backward()


def test_callbacks_live_as_long_as_the_net(make_solver):
    class Callback:
        def __call__(self, *args):
            pass
    callbacks = [Callback() for _ in range(3)]
    alive = [weakref.ref(callback) for callback in callbacks]
    solver = make_solver()
    solver.add_callback(*callbacks[:2])
    solver.net.before_forward(callbacks[2])   # a wrapper that goes at once
    del callbacks
    gc.collect()
    solver.step(1)
    assert all(ref() for ref in alive)
    del solver
    gc.collect()
    assert not any(ref() for ref in alive)
