"""Which model weights are of, by names and shapes: of the registry, or one whose
weights are published."""
from dataclasses import dataclass
from typing import Optional

from sknet import models
from sknet.models.options import CHOICES
from sknet.weights import published
from sknet.weights.fit import Fit, compare, slots


@dataclass(frozen=True)
class Match:
    """A model's name, the convention of its batch norms (Options.bn; None for a net
    that the registry does not have), its deploy net's {layer: Slot}, and how the
    weights fill that.

    share: of all blobs, of the file or of the net, those that both have.
    """
    model: str
    bn: Optional[str]
    wanted: dict
    fit: Fit
    share: float

    @property
    def exact(self):
        return self.share == 1

    def net(self):
        """The net as words."""
        if self.bn is None:
            return f"{self.model} (not among `sknet models`)"
        return f"{self.model} --bn {self.bn}" if self.bn != "cudnn" else self.model


def identify(weights):
    """Return the Match of the model that Weights fit best, or None if they have
    no blob of any.

    The nets for training, and those that the authors published, have the same
    blobs as the deploy nets that are looked at.
    """
    stored = sum(len(layer.blobs) for layer in weights.layers.values())
    best = None
    for name, bn, wanted in _known():
        fit = compare(weights, wanted)
        of_net = sum(len(slot.shapes) for slot in wanted.values())
        share = fit.matched / (stored + of_net - fit.matched)
        if share > (best.share if best else 0):
            best = Match(name, bn, wanted, fit, share)
    return best


def _known():
    """Name, bn and {layer: Slot} of each."""
    for name in models.names():
        for bn in CHOICES["bn"]:
            yield name, bn, slots(models.create(name, bn=bn))
    for name, wanted in published.nets().items():
        yield name, None, wanted
