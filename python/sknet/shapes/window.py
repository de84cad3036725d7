"""What convolutions and pools slide over an image."""
from dataclasses import dataclass

from sknet.shapes.checks import axis_of, expect, expect_axes, text


@dataclass(frozen=True)
class Window:
    """A value for each spatial axis."""
    kernel: tuple
    stride: tuple
    pad: tuple
    dilation: tuple

    def __post_init__(self):
        expect(all(self.kernel), "no kernel_size, or one of 0")
        expect(all(self.stride), "a stride of 0")

    @property
    def extent(self):
        """The kernel's size with its holes, in pixels of the bottom."""
        return tuple(dilation * (kernel - 1) + 1
                     for kernel, dilation in zip(self.kernel, self.dilation))

    def convolved(self, sizes):
        """The top's sizes for a convolution's bottom's, in pixels."""
        # C++'s division, which rounds towards 0.
        return [int(way / stride) + 1
                for way, stride in zip(self._ways(sizes), self.stride)]

    def deconvolved(self, sizes):
        """The top's sizes for a deconvolution's bottom's, in pixels."""
        return [stride * (size - 1) + extent - 2 * pad
                for size, extent, stride, pad in zip(
                    sizes, self.extent, self.stride, self.pad)]

    def pooled(self, sizes, floor=False):
        """The top's sizes for a pool's bottom's, in pixels. Steps are rounded
        up, or down with `floor`."""
        pooled = []
        for way, size, stride, pad in zip(self._ways(sizes), sizes, self.stride,
                                          self.pad):
            steps = way // stride if floor else -(-way // stride)
            # The last window is to begin in the image, not in the padding.
            if any(self.pad) and steps * stride >= size + pad:
                steps -= 1
            pooled.append(steps + 1)
        return pooled

    def _ways(self, sizes):
        """How far the window can slide, in pixels."""
        return [size + 2 * pad - extent
                for size, extent, pad in zip(sizes, self.extent, self.pad)]


def convolution_window(layer, bottom):
    """Return the Window of a layer with a convolution_param whose bottom has
    that shape. Raises InputError if it has none."""
    param = layer.convolution_param
    axes = len(bottom) - axis_of(bottom, param.axis) - 1

    def values(field, default):
        given = list(getattr(param, field))
        name = field.partition("_")[0]
        if name != "dilation" and (param.HasField(f"{name}_h")
                                   or param.HasField(f"{name}_w")):
            expect(axes == 2 and not given, f"{name}_h and {name}_w; expected 2 "
                   f"spatial axes, and no {field}")
            return getattr(param, f"{name}_h"), getattr(param, f"{name}_w")
        given = given or [default]
        expect(len(given) in (1, axes),
               f"{len(given)} values of {field} for {axes} spatial axes")
        return tuple(given * axes if len(given) == 1 else given)

    return Window(values("kernel_size", 0), values("stride", 1), values("pad", 0),
                  values("dilation", 1))


def pooling_window(layer, bottom):
    """Return the Window of a Pooling layer whose bottom has that shape. Raises
    InputError if it has none."""
    expect_axes(bottom, 4)
    param = layer.pooling_param

    def values(field):
        name = field.partition("_")[0]
        sides = [param.HasField(f"{name}_h"), param.HasField(f"{name}_w")]
        expect(not any(sides) or all(sides) and not param.HasField(field),
               f"expected {field}, or {name}_h and {name}_w")
        if any(sides):
            return getattr(param, f"{name}_h"), getattr(param, f"{name}_w")
        return (getattr(param, field),) * 2

    kernel, stride, pad = map(values, ("kernel_size", "stride", "pad"))
    if param.global_pooling:
        expect((kernel, stride, pad) == ((0, 0), (1, 1), (0, 0)),
               "global_pooling with a kernel, stride or pad")
        kernel = bottom[2:]
    window = Window(kernel, stride, pad, (1, 1))
    if any(pad):
        expect(pad[0] < kernel[0] and pad[1] < kernel[1]
               and param.pool != param.STOCHASTIC,
               f"pad {text(pad)} of a kernel {text(kernel)}; expected less, and "
               "no stochastic pooling")
    return window
