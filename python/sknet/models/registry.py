"""The models by name: one decorated function each."""
import difflib
from dataclasses import dataclass, field
from typing import Callable, Optional

from sknet.data.preprocessing import Preprocessing
from sknet.errors import InputError
from sknet.models.selective_kernel import Selection


@dataclass(frozen=True)
class Dataset:
    """What a model is trained on.

    folder: where the generated files look for the LMDBs, and leave snapshots.
    lmdbs: their names, for training and for validation.
    classes: the labels, where they are few.
    """
    folder: str
    num_classes: int
    train_images: int
    val_images: int
    lmdbs: tuple = ("train_lmdb", "val_lmdb")
    mirror: bool = True
    classes: tuple = ()


IMAGENET = Dataset(folder="examples/imagenet",
                   lmdbs=("ilsvrc12_train_lmdb", "ilsvrc12_val_lmdb"),
                   num_classes=1000, train_images=1281167, val_images=50000)
CIFAR10 = Dataset(folder="examples/cifar10",
                  lmdbs=("cifar10_train_lmdb", "cifar10_test_lmdb"),
                  num_classes=10, train_images=50000, val_images=10000)


@dataclass(frozen=True)
class Recipe:
    """How a model is trained: SGD, the rate divided by 10 at each milestone.

    batch: images in a solver's step, of which `gpu_batch` at a time.
    milestones, epochs: in passes over the training images.
    The defaults are SKNet's (section 4.1).
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


RECIPES = {
    "sknet": Recipe(),
    # Of the released models: as many images and the rate that SENet's README
    # gives, for 270 epochs.
    "senet": Recipe(milestones=(125, 200, 250), epochs=270),
}

# Fields of TransformationParameter, for training.
AUGMENTATIONS = {
    # Of SENet's README, which SKNet's refers to.
    "senet": dict(min_area_ratio=0.08, max_area_ratio=1,
                  min_aspect_ratio=3 / 4, max_aspect_ratio=4 / 3,
                  max_rotation_angle=10, max_pixel_jitter=20),
}


@dataclass(frozen=True)
class Model:
    """A model of the registry.

    body: function that adds the layers from the blob `data` to the classes'
        scores to a Graph, and returns the scores' name. With a `selection`, it
        takes that, or a varied one, as its second argument.
    title: one line.
    licence: of the published weights.
    weights, sha1: address and hash of the published caffemodel, if known.
    released: the net's name in the prototxt that its authors published, if so.
    published: parameters in millions and GFLOPs in the README of SKNet
        (table 2), None where it is silent.
    remark: what else a user should know: a sentence or two.
    min_size: pixels, below which the last stages have nothing left to look at.
    """
    name: str
    body: Callable
    title: str
    paper: str
    licence: str = "no weights known"
    weights: Optional[str] = None
    sha1: Optional[str] = None
    released: Optional[str] = None
    published: tuple = (None, None)
    remark: str = ""
    min_size: int = 64
    selection: Optional[Selection] = None
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
