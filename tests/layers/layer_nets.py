"""One-layer nets for the tests of this folder."""
import caffe
import numpy as np


def make_net(path, shapes, layer, phase=caffe.TEST):
    """A net of Input layers with the given {name: shape}, and the text of a
    layer; its prototxt is written to `path`."""
    text = "force_backward: true\n"
    for name, shape in shapes.items():
        dims = " ".join(f"dim: {dim}" for dim in shape)
        text += (f"layer {{ name: '{name}' type: 'Input' top: '{name}' "
                 f"input_param {{ shape {{ {dims} }} }} }}\n")
    path.write_text(text + layer)
    return caffe.Net(str(path), phase)


def forward(net, **inputs):
    """The output of a net with one, as a copy; inputs may change shape."""
    for name, value in inputs.items():
        net.blobs[name].reshape(*value.shape)
        net.blobs[name].data[...] = value
    net.forward()
    return net.blobs[net.outputs[0]].data.copy()


def backward(net, top_diff):
    """Backward from the one output's gradient; {input: gradient}."""
    net.clear_param_diffs()
    net.blobs[net.outputs[0]].diff[...] = top_diff
    net._backward(len(net.layers) - 1, 0)
    return {name: net.blobs[name].diff.copy() for name in net.inputs}


def near(actual, expected, within=1e-4):
    np.testing.assert_allclose(actual, expected, rtol=within, atol=within)
