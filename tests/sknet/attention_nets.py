"""Nets whose SK units' attention is known."""
import caffe
import numpy as np

HEAD = """
name: 'known'
layer { name: 'data' type: 'Input' top: 'data'
        input_param { shape { dim: [1, 1, 32, 32] } } }
"""
BRANCH = """
layer {{ name: '{unit}/{branch}' type: 'Convolution' bottom: 'data'
         top: '{unit}/{branch}' convolution_param {{ num_output: {channels}
         kernel_size: 3 dilation: {reach} pad: {reach} bias_term: false }} }}
"""
SELECTION = """
layer {{ name: '{unit}_3x3' type: 'Eltwise' {bottoms} top: '{unit}_3x3' }}
layer {{ name: '{unit}/B_global_pool' type: 'Pooling' bottom: '{unit}_3x3'
         top: '{unit}/pool' pooling_param {{ pool: AVE global_pooling: true }} }}
layer {{ name: '{unit}/B_fc1' type: 'Convolution' bottom: '{unit}/pool'
         top: '{unit}/fc1' convolution_param {{ num_output: 1 kernel_size: 1
         bias_term: false }} }}
layer {{ name: '{unit}/B_fc2' type: 'Convolution' bottom: '{unit}/fc1'
         top: '{unit}/fc2' convolution_param {{ num_output: {outputs}
         kernel_size: 1 }} }}
layer {{ name: '{unit}/B_re' type: 'Reshape' bottom: '{unit}/fc2' top: '{unit}/B_re'
         reshape_param {{ shape {{ dim: [0, {number}, -1, 0] }} }} }}
layer {{ name: '{unit}/B_softmax' type: 'Softmax' bottom: '{unit}/B_re'
         top: '{unit}/B_softmax' softmax_param {{ axis: 1 }} }}
layer {{ name: '{unit}/seen' type: 'Silence' bottom: '{unit}/B_softmax' }}
"""
TAIL = """
layer { name: 'fc' type: 'InnerProduct' bottom: 'data' top: 'fc'
        inner_product_param { num_output: 2 } }
layer { name: 'prob' type: 'Softmax' bottom: 'fc' top: 'prob' }
"""


def branches(kernels):
    """The names of a unit's branches: a3, b5, ..."""
    return [f"{letter}{kernel}" for letter, kernel in zip("abc", kernels)]


def write_known_net(folder, units):
    """Write a deploy net of 32x32 grey images, and its weights; return their paths.

    units: {name: (kernels, gains, biases)}, the latter branches x channels. The
        softmax is over gains * z + biases, where z is the mean of the input.
    """
    text = HEAD
    for unit, (kernels, gains, _) in units.items():
        number, channels = np.shape(gains)
        for branch, kernel in zip(branches(kernels), kernels):
            text += BRANCH.format(unit=unit, branch=branch, channels=channels,
                                  reach=(kernel - 1) // 2)
        text += SELECTION.format(
            unit=unit, number=number, outputs=number * channels, bottoms=" ".join(
                f"bottom: '{unit}/{branch}'" for branch in branches(kernels)))
    deploy = folder / "known.prototxt"
    deploy.write_text(text + TAIL)
    net = caffe.Net(str(deploy), caffe.TEST)
    for unit, (kernels, gains, biases) in units.items():
        for place, branch in enumerate(branches(kernels)):
            # The first branch gives its input, the others nothing.
            net.params[f"{unit}/{branch}"][0].data[:, :, 1, 1] = not place
        net.params[f"{unit}/B_fc1"][0].data[...] = 1 / np.shape(gains)[1]
        for blob, values in zip(net.params[f"{unit}/B_fc2"], (gains, biases)):
            blob.data[...] = np.reshape(values, blob.data.shape)
    weights = str(folder / "known.caffemodel")
    net.save(weights)
    return str(deploy), weights
