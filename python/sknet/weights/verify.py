"""Do weights fit a net, and can they be right? Asked before Caffe is, which
skips layers that it does not find, and knows no likely cause."""
from dataclasses import dataclass

from sknet.errors import InputError
from sknet.weights.blobs import shape_text
from sknet.weights.fit import compare
from sknet.weights.identify import identify
from sknet.weights.statistics import flaws

_CLASSIFIERS = ("InnerProduct", "Convolution")
_FEW = 3  # layers that someone may have renamed; more are another model's


@dataclass(frozen=True)
class Report:
    """What verify found, as lines.

    problems: what keeps the net from working, all of it.
    causes: what likely lies behind them.
    odd: what is unusual, and harmless.
    unused: names of layers in the file that the net lacks.
    """
    problems: list
    causes: list
    odd: list
    unused: list


def verify(weights, wanted):
    """Return the Report on Weights for a net, {layer: Slot}."""
    fit = compare(weights, wanted)
    problems, odd = fit.problems(), []
    for name, slot in wanted.items():
        if name in weights.layers and name not in fit.clashes:
            found = flaws(slot.type, weights.layers[name].blobs)
            for lines, texts in zip((problems, odd), found):
                lines += [f"layer {name}: {text}" for text in texts]
    return Report(problems, _causes(weights, wanted, fit), odd, fit.unused)


def check(weights, wanted, path):
    """Check that Weights, of the file `path`, fill a net, {layer: Slot}, and can
    be right. Return the names of layers in the file that the net lacks.

    Raises InputError if they do not.
    """
    report = verify(weights, wanted)
    if report.problems:
        first, *others = report.problems
        more = f", and {len(others)} more (`sknet verify` tells all)" if others else ""
        cause = "".join(f"; {cause}" for cause in report.causes[:1])
        raise InputError(f"{path}: does not fit the net: {first}{more}{cause}")
    return report.unused


def _causes(weights, wanted, fit):
    """The usual reasons for a misfit, as far as they apply."""
    if not fit.missing and not fit.clashes:
        return []
    batch_norms = list(_batch_norms(weights, wanted, fit))
    causes = [*_outputs(weights, wanted, fit), *_renamed(weights, wanted, fit)]
    if not batch_norms and (len(fit.missing) > _FEW or not causes):
        match = identify(weights)
        near = f": {match.net()} is nearest" if match else ""
        causes.insert(0, f"these are {match.net()}'s weights"
                      if match and match.exact else
                      f"they may be another model's weights{near}")
    return batch_norms + causes


def _batch_norms(weights, wanted, fit):
    """CuDNNBatchNorm has 4 blobs; BatchNorm 3, and a Scale of 2 behind it."""
    for name in fit.clashes:
        kinds = wanted[name].type, len(weights.layers[name].blobs)
        if kinds == ("CuDNNBatchNorm", 3):
            yield ("the file has BVLC's BatchNorm and Scale where the net has "
                   "CuDNNBatchNorm: it fits what `--bn caffe` makes")
            return
        if kinds == ("BatchNorm", 4):
            yield ("the file has CuDNNBatchNorm where the net has BVLC's BatchNorm "
                   "and Scale: it fits what `--bn cudnn` makes")
            return


def _outputs(weights, wanted, fit):
    """The last layer has the right inputs, and another number of outputs."""
    last = list(wanted)[-1]
    if last not in fit.clashes or wanted[last].type not in _CLASSIFIERS:
        return
    found, shape = weights.layers[last].blobs[0], wanted[last].shapes[0]
    outputs = _outputs_of(found, shape)
    if outputs:
        yield (f"the file is for {outputs} classes, the net for {shape[0]}: "
               f"num_output of {last} (`--num-classes {outputs}` makes such a net)")


def _outputs_of(blob, shape):
    """The outputs of a matrix that is like one of that shape but for them."""
    axis = blob.data.ndim - len(shape)
    if axis < 0 or blob.shape[axis] == shape[0]:
        return None
    outputs = blob.shape[axis]
    return outputs if blob.fits((outputs, *shape[1:])) else None


def _renamed(weights, wanted, fit):
    """A few layers are missing, and others of their shapes are left over."""
    if len(fit.missing) > _FEW:
        return
    left = list(fit.unused)
    for name in fit.missing:
        shapes = wanted[name].shapes
        for other in left:
            blobs = weights.layers[other].blobs
            if len(blobs) != len(shapes):
                continue
            if all(blob.fits(shape) for blob, shape in zip(blobs, shapes)):
                yield f"renamed: {other} in the file has the shapes of {name}"
            elif name == list(wanted)[-1] and _outputs_of(blobs[0], shapes[0]):
                yield (f"renamed: {other} in the file ({shape_text(blobs[0].shape)})"
                       f" is like {name} ({shape_text(shapes[0])}), a classifier of "
                       "other classes")
            else:
                continue
            left.remove(other)
            break
