"""Which names each source has for the layers of which of our models."""
from dataclasses import dataclass

from sknet.errors import InputError
from sknet.weights.imports import dual_path, inceptions, residual


@dataclass(frozen=True)
class Table:
    """modules: {layer's name: the source's module that has its weights}, of all
        that have any.
    remark: how the source's net and ours differ nevertheless.
    unused: what names begin with that a deploy net has no use for.
    """
    modules: dict
    remark: str = ""
    unused: tuple = ()


_POOL = ("The source's first pool pads by 1 and rounds down; ours does not pad and "
         "rounds up, so that all further features lie on another grid: the same "
         "weights, other scores. Give pool1/3x3_s2 pad: 1 and round_mode: FLOOR "
         "for the source's.")
_MEAN = ("The source's padded mean pools divide by what they cover of the image; "
         "ours by 9, as their authors' do in Caffe.")
_ELU = "The source's last activation is ELU by default; ours is ReLU, as published."
_AUXILIARY = ("AuxLogits.",)

_TIMM = {
    "resnext50": Table(residual.resnext(residual.DEPTH_50), _POOL),
    "resnext101": Table(residual.resnext(residual.DEPTH_101), _POOL),
    "senet50": Table(residual.senet(residual.DEPTH_50), _POOL),
    "senet101": Table(residual.senet(residual.DEPTH_101), _POOL),
    "sknet50": Table(residual.sknet(residual.DEPTH_50), _POOL),
    "inception_v3": Table(inceptions.inception_v3(), unused=_AUXILIARY),
    "inception_v4": Table(inceptions.inception_v4(), _MEAN),
    "inception_resnet_v2": Table(inceptions.inception_resnet_v2(), _MEAN),
    "dpn92": Table(dual_path.dpn(dual_path.DEPTH_92), _ELU),
    "dpn98": Table(dual_path.dpn(dual_path.DEPTH_98), _ELU)}

# By the library that has the names. timm_legacy: its legacy_seresnext nets, which
# hold what SENet's authors trained in Caffe.
SOURCES = {
    "timm": _TIMM,
    "torchvision": {name: _TIMM[name] for name in ("resnext50", "inception_v3")},
    "timm_legacy": {
        "senet50": Table(residual.legacy_senet(residual.DEPTH_50)),
        "senet101": Table(residual.legacy_senet(residual.DEPTH_101))}}


def source_of(source, model):
    """Return the Table of a source for a model. Raises InputError if there is
    none."""
    if source not in SOURCES:
        raise InputError(f"no source is named {source!r}: there are "
                         + ", ".join(SOURCES))
    if model not in SOURCES[source]:
        raise InputError(f"{source} has no net of the architecture of "
                         f"{model or 'a net without a name'}; it has those of "
                         + ", ".join(SOURCES[source]))
    return SOURCES[source][model]
