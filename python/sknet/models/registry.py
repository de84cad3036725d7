"""The models by name: one decorated function each."""
import difflib
from dataclasses import dataclass, field
from typing import Callable, Optional

from sknet.data.preprocessing import Preprocessing
from sknet.errors import InputError


@dataclass(frozen=True)
class Dataset:
    """What a model is trained on.

    folder: where the generated files look for train_lmdb and val_lmdb (with
        `prefix` before their names), and leave snapshots.
    classes: the labels, where they are few.
    """
    folder: str
    num_classes: int
    train_images: int
    val_images: int
    prefix: str = ""
    mirror: bool = True
    classes: tuple = ()


IMAGENET = Dataset(folder="examples/imagenet", prefix="ilsvrc12_",
                   num_classes=1000, train_images=1281167, val_images=50000)


@dataclass(frozen=True)
class Recipe:
    """How a model is trained: SGD, the rate divided by 10 at each milestone.

    batch: images in a solver's step, of which `gpu_batch` at a time.
    milestones, epochs: in passes over the training images.
    The defaults are the paper's (section 4.1).
    """
    batch: int = 256
    gpu_batch: int = 32
    val_batch: int = 50
    base_lr: float = 0.1
    milestones: tuple = (30, 60, 90)
    epochs: int = 100
    momentum: float = 0.9
    weight_decay: float = 1e-4
    solver_mode: str = "GPU"
    random_seed: Optional[int] = None


@dataclass(frozen=True)
class Model:
    """A model of the registry.

    body: function that adds the layers from the blob `data` to the classes'
        scores to a Graph, and returns the scores' name.
    title: one line.
    released: the net's name in the prototxt that its authors published, if so.
    licence: of the published weights.
    """
    name: str
    body: Callable
    title: str
    paper: str
    licence: str
    released: Optional[str] = None
    dataset: Dataset = IMAGENET
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    recipe: Recipe = field(default_factory=Recipe)


_MODELS = {}


def register(**metadata):
    """Decorator: the function is the body of the model of its own name, its
    docstring's first line the title; `metadata` are Model's other fields."""
    def add(body):
        title = body.__doc__.partition("\n")[0]
        _MODELS[body.__name__] = Model(body.__name__, body, title, **metadata)
        return body
    return add


def names():
    """Return all models' names, in the order of their definition."""
    return list(_MODELS)


def get(name):
    """Return the Model of that name. Raises InputError if there is none."""
    if name not in _MODELS:
        close = difflib.get_close_matches(name, _MODELS, 1)
        hint = f"did you mean {close[0]}?" if close else \
            f"there are {', '.join(_MODELS)}"
        raise InputError(f"no model is named {name!r}: {hint}")
    return _MODELS[name]
