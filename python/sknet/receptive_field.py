"""How much of the input a value of a blob depends on.

The theoretical receptive field: what convolutions and pools reach, padding
included, so it may be larger than the input. Where branches meet, the largest
of them counts. A pool over all of its bottom and a fully connected layer see
the whole input, and their tops' values have no place in it; where these meet
others that have one (a gate and what it scales), the others' field counts.
"""
import math
from dataclasses import dataclass
from fractions import Fraction

from sknet.shapes.window import convolution_window, pooling_window


@dataclass(frozen=True)
class _Field:
    """Of each spatial axis, in pixels of the input: what a value depends on, and
    the way to the next value's."""
    size: tuple
    step: tuple

    def through(self, extents, factors):
        """The field of a layer that looks at `extents` values of its bottom and
        goes on by `factors` of the bottom's step."""
        return _Field(
            tuple(size + (extent - 1) * step for size, extent, step in zip(
                self.size, extents, self.step)),
            tuple(step * factor for step, factor in zip(self.step, factors)))


def receptive_fields(layers):
    """Return, of each ShapedLayer, the size in pixels of the receptive field of
    its first top: a tuple (height, width); None if it is the whole input."""
    fields, sizes = {}, []
    for layer in layers:
        bottoms = [fields[name] for name in layer.param.bottom]
        tops = _tops(layer, bottoms) if bottoms else map(_pixel, layer.tops)
        fields.update(zip(layer.param.top, tops))
        first = fields[layer.param.top[0]] if layer.param.top else _largest(bottoms)
        sizes.append(first and tuple(map(math.ceil, first.size)))
    return sizes


def _pixel(shape):
    """The field of an input; labels and the like have none."""
    axes = len(shape) - 2
    return _Field((1,) * axes, (1,) * axes) if axes > 0 else None


def _tops(layer, bottoms):
    rule = _RULES.get(layer.param.type)
    field = rule(layer, *bottoms) if rule else _largest(bottoms)
    return [field] * len(layer.param.top)


def _largest(fields):
    fields = [field for field in fields if field]
    if not fields:
        return None
    return _Field(*(tuple(map(max, zip(*values))) for values in zip(
        *((field.size, field.step) for field in fields))))


def _convolution(layer, *bottoms):
    window, bottom = convolution_window(layer.param, layer.bottoms[0]), bottoms[0]
    return bottom and bottom.through(window.extent, window.stride)


def _deconvolution(layer, *bottoms):
    window, bottom = convolution_window(layer.param, layer.bottoms[0]), bottoms[0]
    # Every stride-th value of the kernel meets one of the bottom's.
    extents = [-(-extent // stride)
               for extent, stride in zip(window.extent, window.stride)]
    return bottom and bottom.through(extents, [
        Fraction(1, stride) for stride in window.stride])


def _pooling(layer, bottom):
    window = pooling_window(layer.param, layer.bottoms[0])
    if bottom is None or layer.tops[0][2:] == (1, 1) and all(
            kernel >= size for kernel, size in zip(
                window.kernel, layer.bottoms[0][2:])):
        return None
    return bottom.through(window.extent, window.stride)


def _interp(layer, bottom, like=None):
    """Values of the corners stay there; between two, both count."""
    ways = [(before - 1, after - 1) for before, after in zip(
        layer.bottoms[0][2:], layer.tops[0][2:])]
    return bottom and bottom.through(
        [1 if after == 0 or before % after == 0 else 2 for before, after in ways],
        [Fraction(before, after) if before and after else 1
         for before, after in ways])


def _lrn(layer, bottom):
    param = layer.param.lrn_param
    if bottom is None or param.norm_region == param.ACROSS_CHANNELS:
        return bottom
    return bottom.through([param.local_size] * 2, [1, 1])


def _crop(layer, bottom, like):
    return bottom


def _whole(layer, *bottoms):
    return None


_RULES = {"Convolution": _convolution, "DepthwiseConvolution": _convolution,
          "Deconvolution": _deconvolution, "Pooling": _pooling, "LRN": _lrn,
          "Interp": _interp, "Crop": _crop, "InnerProduct": _whole,
          "Reduction": _whole}
