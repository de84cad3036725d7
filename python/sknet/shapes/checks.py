"""What layers expect of a shape. All raise InputError, which does not name the
layer, if it is otherwise."""
from sknet.errors import InputError


def expect(condition, message):
    if not condition:
        raise InputError(message)


def text(shape):
    """A shape as words: 1x3x224x224."""
    return "x".join(map(str, shape)) or "a single value"


def axis_of(shape, axis):
    """Return an axis counted from the front; -1 is the last."""
    expect(-len(shape) <= axis < len(shape), f"axis {axis} of {text(shape)}")
    return axis % len(shape)


def renamed_axis_of(shape, param, old):
    """Return the axis of a message that had the name `old` for it."""
    if not param.HasField(old):
        return axis_of(shape, param.axis)
    expect(not param.HasField("axis"), f"axis and {old}; expected one of the two")
    return axis_of(shape, getattr(param, old))


def axis_range(shape, param):
    """Return (first, end) of a message's `axis` and `num_axes`, where -1 is all
    that follow."""
    first = axis_of(shape, param.axis)
    end = len(shape) if param.num_axes == -1 else first + param.num_axes
    expect(first <= end <= len(shape), f"axis {param.axis}, num_axes "
           f"{param.num_axes} of {text(shape)}")
    return first, end


def expect_axes(shape, number):
    expect(len(shape) == number,
           f"bottom is {text(shape)}; expected {number} axes")


def expect_channels(shape):
    expect(len(shape) >= 2, f"bottom is {text(shape)}; expected N x C x ...")


def expect_same(*shapes):
    expect(len(set(shapes)) == 1, f"bottoms {', '.join(map(text, shapes))}; "
           "expected one shape")
