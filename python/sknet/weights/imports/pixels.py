"""From PyTorch's way of giving images to a net to Caffe's."""
from dataclasses import replace

import numpy as np

from sknet.errors import InputError
from sknet.shapes import shaped_layers
from sknet.weights.blobs import Layer, Weights


def for_pixels(net, weights, mean, std):
    """Return (Weights, settings of Preprocessing) that score images as a net does
    that is given (RGB / 255 - mean) / std.

    Caffe's transforms have one scale for all channels, no std: the first
    convolution takes them up, and the channels' other order. Its padding stays 0,
    so the mean cannot go there; it is one of the settings.

    net: the weights' NetParameter, whose first layer with weights is a convolution
        of 3 channels.
    mean, std: of red, green and blue, in 0-1.

    Raises InputError if the net begins otherwise.
    """
    first = next(layer for layer in shaped_layers(net) if layer.blobs)
    name = first.param.name
    if first.param.type != "Convolution" or first.blobs[0][1] != 3:
        raise InputError(f"layer {name} ({first.param.type}): expected a "
                         "convolution of 3 channels to begin with")
    kernel, *bias = weights.layers[name].blobs
    data = kernel.data / (255 * np.reshape(std, (3, 1, 1)))
    kernel = replace(kernel, data=np.ascontiguousarray(data[:, ::-1], np.float32))
    settings = dict(channels="bgr", scale=1.0,
                    mean=tuple(255 * value for value in reversed(mean)))
    return Weights(weights.name, {
        **weights.layers,
        name: Layer(first.param.type, [kernel, *bias])}), settings
