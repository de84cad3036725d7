"""One net on the CPU and on the GPU, for the tests of this folder."""
import caffe
import numpy as np

MODES = {"CPU": caffe.set_mode_cpu, "GPU": caffe.set_mode_gpu}


def inputs(shapes):
    """The text of Input layers of {name: shape}, whose gradients are wanted."""
    text = "force_backward: true\n"
    for name, shape in shapes.items():
        dims = " ".join(f"dim: {dim}" for dim in shape)
        text += (f"layer {{ name: '{name}' type: 'Input' top: '{name}' "
                 f"input_param {{ shape {{ {dims} }} }} }}\n")
    return text


def draw(net, seed=0):
    """Random weights; variances are positive."""
    random = np.random.default_rng(seed)
    for layer in net.layers:
        for index, blob in enumerate(layer.blobs):
            shape = blob.data.shape
            if layer.type == "CuDNNBatchNorm" and index == 3:
                blob.data[...] = random.uniform(.5, 2, shape)
            else:
                blob.data[...] = random.normal(
                    0, max(1, np.prod(shape[1:])) ** -.5, shape)


def passes(net, given, seed=0):
    """Forward and backward from random gradients; {what: values}, copies of the
    outputs, of the gradients of the inputs, and of the weights with theirs."""
    random = np.random.default_rng(seed)
    for name, values in given.items():
        net.blobs[name].data[...] = values
    net.forward()
    found = {name: net.blobs[name].data.copy() for name in net.outputs}
    for name in net.outputs:
        net.blobs[name].diff[...] = random.normal(size=net.blobs[name].data.shape)
    net.clear_param_diffs()
    net._backward(len(net.layers) - 1, 0)
    found.update((f"gradient of {name}", net.blobs[name].diff.copy())
                 for name in given)
    for name, blobs in net.params.items():
        for index, blob in enumerate(blobs):
            found[f"{name} {index}"] = blob.data.copy()
            found[f"gradient of {name} {index}"] = blob.diff.copy()
    return found


def assert_same(gpu, cpu, within):
    """Differences are relative to the largest value of each."""
    assert list(gpu) == list(cpu)
    for name, expected in cpu.items():
        assert gpu[name].shape == expected.shape, name
        assert np.isfinite(expected).all(), name
        difference = abs(gpu[name] - expected).max(initial=0)
        # NaN, too.
        assert difference <= within * abs(expected).max(initial=0), (
            f"{name}: {difference:.2e} of {abs(expected).max():.2e}")
