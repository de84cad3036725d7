"""What weights a net wants, and how those of a file fill it: names and shapes."""
from dataclasses import dataclass

from sknet.shapes import shaped_layers
from sknet.weights.blobs import shape_text


@dataclass(frozen=True)
class Slot:
    """A layer of a net: its type, and the shapes of its blobs."""
    type: str
    shapes: tuple


@dataclass(frozen=True)
class Fit:
    """How weights fill a net.

    matched: the number of blobs that fit.
    missing: names of the net's layers that the file has no weights for.
    clashes: {layer: what is wrong}: weights of another number or shape.
    unused: names of layers in the file that the net lacks, which is nothing bad
        in itself: a net for training has layers that a deploy net has not.
    """
    matched: int
    missing: list
    clashes: dict
    unused: list

    def problems(self):
        """Why the net is not filled, a line for each layer."""
        return [f"layer {name}: no weights for it in the file"
                for name in self.missing] + [
                    f"layer {name}{clash}" for name, clash in self.clashes.items()]


def slots(net, source=None):
    """Return {layer: Slot} of a NetParameter's layers that have blobs, in the
    phase TEST; errors are sknet.shapes.shaped_layers'."""
    return {layer.param.name: Slot(layer.param.type, layer.blobs)
            for layer in shaped_layers(net, source=source) if layer.blobs}


def compare(weights, wanted):
    """Return the Fit of Weights with {layer: Slot}."""
    matched, clashes = 0, {}
    for name, slot in wanted.items():
        if name not in weights.layers:
            continue
        blobs = weights.layers[name].blobs
        if len(blobs) != len(slot.shapes):
            clashes[name] = f": {_blobs(len(blobs))}; the net's has " \
                f"{len(slot.shapes)}"
            continue
        fits = [blob.fits(shape) for blob, shape in zip(blobs, slot.shapes)]
        matched += sum(fits)
        if not all(fits):
            at = fits.index(False)
            clashes[name] = f", blob {at}: {shape_text(blobs[at].shape)}; the " \
                f"net's is {shape_text(slot.shapes[at])}"
    return Fit(matched,
               [name for name in wanted if name not in weights.layers], clashes,
               [name for name in weights.layers if name not in wanted])


def _blobs(number):
    return f"{number} blob{'s' if number > 1 else ''}"
