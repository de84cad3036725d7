"""Convolutions and pools in ONNX.

Both slide a window over a padded image. Caffe's pools differ in two points, which
are said here without the flag ceil_mode, since runtimes read that differently:
steps are rounded up, so that the last window may end beyond the padding; and a
mean's divisor is the part of its window that is in the padded image.
"""
from sknet.onnx.rules import rule
from sknet.shapes.checks import axis_of, expect
from sknet.shapes.window import convolution_window, pooling_window


@rule("Convolution", "DepthwiseConvolution")
def _convolution(layer, *images):
    return _convolutions(layer, "Conv", images)


@rule("Deconvolution")
def _deconvolution(layer, *images):
    return _convolutions(layer, "ConvTranspose", images)


def _convolutions(layer, kind, images):
    param, bottom = layer.param.convolution_param, layer.bottoms[0]
    expect(axis_of(bottom, param.axis) == 1,
           f"axis {param.axis}; expected the channels on axis 1")
    window = convolution_window(layer.param, bottom)
    blobs = [layer.blob(index) for index in range(len(layer.blobs))]
    return [layer.op(kind, image, *blobs, kernel_shape=window.kernel,
                     strides=window.stride, pads=window.pad * 2,
                     dilations=window.dilation, group=param.group)
            for image in images]


@rule("Pooling")
def _pooling(layer, x):
    param, bottom = layer.param.pooling_param, layer.bottoms[0]
    expect(param.pool != param.STOCHASTIC, "stochastic pooling; expected MAX, AVE")
    expect(len(layer.tops) == 1, "a mask as its second top")
    if param.global_pooling:
        return layer.op("GlobalMaxPool" if param.pool == param.MAX else
                        "GlobalAveragePool", x)
    window = pooling_window(layer.param, bottom)
    floor = param.round_mode == param.FLOOR
    beyond = [_beyond(*axis, floor) for axis in zip(
        window.kernel, window.stride, window.pad, bottom[2:], layer.tops[0][2:])]
    pads, fields = window.pad, dict(kernel_shape=window.kernel,
                                    strides=window.stride)
    if param.pool == param.MAX:
        return layer.op("MaxPool", x, pads=[*pads, *map(sum, zip(pads, beyond))],
                        **fields)
    if not any(beyond):
        return layer.op("AveragePool", x, pads=pads * 2, count_include_pad=1,
                        **fields)
    # Made part of the image, the padding counts; what lies beyond does not.
    if any(pads):
        x = layer.op("Pad", x, layer.constant([0, 0, *pads] * 2, "pads"))
    return layer.op("AveragePool", x, pads=[0, 0, *beyond], **fields)


def _beyond(kernel, stride, pad, size, pooled, floor):
    """How far the last window of an axis ends beyond the padding, in pixels."""
    if size is not None:
        start = (pooled - 1) * stride - pad
        expect(start < size, "its last window begins outside of the image")
        return max(start + kernel - (size + pad), 0)
    # What makes ONNX, which rounds down, round up. As long as padding and this are
    # less than a kernel, no window begins in the padding: those Caffe drops.
    beyond = 0 if floor else stride - 1
    expect(pad + beyond < kernel, f"kernel {kernel}, stride {stride}, pad {pad}: "
           "which windows there are depends on the image's size")
    return beyond
