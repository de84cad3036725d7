"""A training's files: train_val, solver and deploy net of a model, for one's data."""
from dataclasses import dataclass, replace

from sknet.errors import InputError
from sknet.models import get
from sknet.models.kinds import build
from sknet.models.registry import RECIPES, Dataset
from sknet.proto import caffe_pb2


@dataclass(frozen=True)
class Data:
    """LMDBs, their paths, and what is in them; classes: their names, or None."""
    train: str
    val: str
    train_images: int
    val_images: int
    num_classes: int
    classes: tuple = ()


@dataclass(frozen=True)
class Schedule:
    """What may differ from a model's Recipe. By default:

    epochs: the recipe's; its milestones move with them.
    base_lr: the recipe's.
    iter_size: as many passes as give the recipe's batch.
    test_interval, snapshot, in iterations: an epoch.
    display: 20 iterations.
    gpus: number of them; 0: the CPU.
    """
    epochs: float = None
    base_lr: float = None
    iter_size: int = None
    test_interval: int = None
    snapshot: int = None
    display: int = None
    seed: int = 1
    gpus: int = 0


def training_files(name, data, options, schedule):
    """Return (train_val, solver, deploy) of a model: two NetParameters, and the
    SolverParameter between them; the solver's paths are still to be set.

    options: Options; the classes are the data's unless it says more.

    Raises InputError if models.create does.
    """
    options = replace(options, num_classes=options.num_classes or data.num_classes)
    if options.num_classes < data.num_classes:
        raise InputError(f"--num-classes {options.num_classes}: the images are of "
                         f"{data.num_classes} classes")
    model = _on(data, _with_recipe(get(name), options, schedule))
    net = build(model, "train_val", options.of("train_val"))
    for layer in net.layer:
        if layer.type in ("Data", "AugmentedData"):
            _read_all(layer, data, options, model.preprocessing, schedule.seed)
    return net, _solver(model, options, schedule), build(
        model, "deploy", replace(options, batch=None).of("deploy"))


def _on(data, model):
    """The Model trained on that data. Validation takes in every image once: its
    batch divides their number."""
    most = min(model.recipe.val_batch, data.val_images)
    batch = next(size for size in range(most, 0, -1) if data.val_images % size == 0)
    return replace(
        model, recipe=replace(model.recipe, val_batch=batch),
        dataset=Dataset("", data.num_classes, data.train_images, data.val_images,
                        mirror=model.dataset.mirror))


def _with_recipe(model, options, schedule):
    recipe = RECIPES[options.recipe] if options.recipe else model.recipe
    if schedule.epochs is not None:
        factor = schedule.epochs / recipe.epochs
        recipe = replace(recipe, epochs=schedule.epochs, milestones=tuple(
            factor * milestone for milestone in recipe.milestones))
    if schedule.base_lr is not None:
        recipe = replace(recipe, base_lr=schedule.base_lr)
    if schedule.iter_size is not None:
        batch = options.batch or recipe.gpu_batch
        recipe = replace(recipe, batch=batch * schedule.iter_size
                         * max(1, schedule.gpus))
    return replace(model, recipe=replace(
        recipe, random_seed=schedule.seed,
        solver_mode="GPU" if schedule.gpus else "CPU"))


def _solver(model, options, schedule):
    batch = (options.batch or model.recipe.gpu_batch) * max(1, schedule.gpus)
    # The recipe is the model's already.
    solver = build(model, "solver", replace(options, recipe=None, batch=batch)
                   .of("solver"))
    for field in ("test_interval", "snapshot", "display"):
        value = getattr(schedule, field)
        if value is not None:
            setattr(solver, field, value)
    return solver


def _read_all(layer, data, options, preprocessing, seed):
    """Make a data layer read the data, of any size, and go on where it stopped."""
    train = layer.include[0].phase == caffe_pb2.TRAIN
    layer.type = "AugmentedData"
    layer.data_param.source = data.train if train else data.val
    layer.augmented_data_param.seed = seed
    layer.augmented_data_param.shuffle = train
    transform = layer.transform_param
    transform.force_color = options.channels != 1
    transform.force_gray = options.channels == 1
    transform.mean_value[:] = image_settings(preprocessing, options.channels)["mean"]
    if not (train and options.augment):
        transform.shorter_side = round(
            preprocessing.shorter_side * transform.crop_size / preprocessing.crop)


def image_settings(preprocessing, channels=None):
    """Return the fields of Preprocessing in which images as Caffe decodes them, blue
    first, or grey if there is one channel, differ from a model's own."""
    mean = preprocessing.mean
    if channels == 1:
        return dict(channels="gray", mean=(sum(mean) / len(mean),))
    return dict(channels="bgr",
                mean=mean[::-1] if preprocessing.channels == "rgb" else mean)
