"""What can be varied in a model's files."""
from dataclasses import dataclass, fields
from typing import Optional

from sknet.errors import InputError

FLOAT_MAX = 3.4e38  # of the 32 bits that a rate has in the file
_NET = frozenset(("deploy", "train_val"))


@dataclass(frozen=True)
class Options:
    """Options of `create`; each kind of file takes some (see KINDS_OF).

    num_classes, size (pixels), channels (of the input): by default the model's.
    batch: images a pass, by default 1 in deploy; in train_val, for training.
        In a solver, that of its train_val: it sets iter_size.
    global_pool: pool globally at the end, at the published size too.
    bn: `cudnn` for CuDNNBatchNorm, `caffe` for BatchNorm and Scale.
    frozen_bn: normalise with the stored statistics, and learn neither them nor
        scale and bias.
    layers: `sknet`, or `stock` for nothing that BVLC's Caffe lacks.
    lr_mult_backbone: for fine-tuning: learning rates of all layers but the
        classifier are multiplied by it. The classifier has a name of its own,
        so that old weights do not go there.
    label_smoothing: share of the target that is spread over all classes.
    augment: what is done to the images for training, of AUGMENTATIONS; by default
        no more than a crop and, where the model's data bear it, mirroring.
    recipe: a solver's, of RECIPES; by default the model's.
    branches (like "3x3,5x5g64"), groups, reduction, min_width: of SKNets'
        selective kernel convolutions, see Selection.vary.
    """
    num_classes: Optional[int] = None
    size: Optional[int] = None
    channels: Optional[int] = None
    batch: Optional[int] = None
    global_pool: bool = False
    bn: str = "cudnn"
    frozen_bn: bool = False
    layers: str = "sknet"
    lr_mult_backbone: Optional[float] = None
    label_smoothing: float = 0.0
    augment: Optional[str] = None
    recipe: Optional[str] = None
    branches: Optional[str] = None
    groups: Optional[int] = None
    reduction: Optional[int] = None
    min_width: Optional[int] = None

    def given(self):
        """Return {name: value} of those that are not at their default."""
        return {field.name: getattr(self, field.name) for field in fields(self)
                if getattr(self, field.name) != field.default}

    def of(self, kind):
        """Return the Options with only those that this kind of file takes."""
        return Options(**{name: value for name, value in self.given().items()
                          if kind in KINDS_OF.get(name, _NET)})

    def selection(self):
        """Return those that vary a Selection."""
        return {name: getattr(self, name)
                for name in ("branches", "groups", "reduction", "min_width")}

    def check(self, kind, model):
        """Raise InputError if an option is not one of this kind of file of this
        model, or has no possible value."""
        for name, value in self.given().items():
            if kind not in KINDS_OF.get(name, _NET):
                raise InputError(f"{name}: not an option of the kind {kind}")
            if type(value) is int and not 1 <= value < 2 ** 31:
                raise InputError(f"{name}: {value}; expected 1 to 2^31 - 1")
            if name in CHOICES and value not in CHOICES[name]:
                raise InputError(f"{name}: {value!r}; expected one of "
                                 + ", ".join(CHOICES[name]))
            if name in self.selection() and model.selection is None:
                raise InputError(f"{name}: {model.name} has no selective kernels")
        if not 0 <= (self.lr_mult_backbone or 0) < FLOAT_MAX:
            raise InputError(f"lr_mult_backbone: {self.lr_mult_backbone}; "
                             "expected 0 or more, and finite")
        if not 0 <= self.label_smoothing < 1:
            raise InputError(f"label_smoothing: {self.label_smoothing}; "
                             "expected at least 0 and less than 1")
        if self.size and self.size < model.min_size:
            raise InputError(f"size: {self.size} pixels; expected "
                             f"{model.min_size} or more for {model.name}")


# Of options that are not for both nets, deploy and train_val.
KINDS_OF = {"batch": _NET | {"solver"}, "label_smoothing": {"train_val"},
            "augment": {"train_val"}, "recipe": {"solver"}}
CHOICES = {"bn": ("cudnn", "caffe"), "layers": ("sknet", "stock"),
           "augment": ("senet",), "recipe": ("sknet", "senet")}
