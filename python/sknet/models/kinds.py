"""A model's files: what goes around its body."""
from sknet.errors import InputError
from sknet.models.graph import Graph
from sknet.models.registry import get
from sknet.proto import caffe_pb2

KINDS = ("train_val", "deploy", "solver", "released")
# Below this, the last stages have nothing left to look at.
MIN_SIZE = 64


def create(name, kind="deploy", *, num_classes=None, size=None, batch=None):
    """Return a model's NetParameter, or its SolverParameter.

    kind: `deploy`: one input `data` (batch x 3 x size x size), output `prob`.
        `train_val`: LMDB data, loss, top-1 and top-5 accuracy.
        `solver`: the recipe for prototxt/NAME/train_val.prototxt.
        `released`: the prototxt that the authors published; takes no options.
    num_classes, size (pixels): by default those of the model's data set.
    batch: images a pass, by default 1 in deploy; in train_val, for training.

    Raises InputError if the model, or such a file of it, is not known, or an
    option is not possible.
    """
    model = get(name)
    if kind not in KINDS:
        raise InputError(f"no kind of file is named {kind!r}: there are "
                         + ", ".join(KINDS))
    options = dict(num_classes=num_classes, size=size, batch=batch)
    given = [option for option, value in options.items() if value is not None]
    if kind in ("solver", "released") and given:
        raise InputError(f"{given[0]}: not an option of the kind {kind}")
    for option in given:
        if options[option] < 1:
            raise InputError(f"{option}: {options[option]}; expected 1 or more")
    size = size or model.preprocessing.crop
    if size < MIN_SIZE:
        raise InputError(f"size: {size} pixels; expected {MIN_SIZE} or more")
    if kind == "solver":
        return _solver(model)
    graph = Graph(name, num_classes or model.dataset.num_classes, size)
    {"deploy": _deploy, "train_val": _train_val, "released": _released}[kind](
        model, graph, batch)
    return graph.net


def _deploy(model, graph, batch):
    graph.layer("data", "Input", input_param=dict(
        shape=[dict(dim=[batch or 1, 3, graph.size, graph.size])]))
    scores = model.body(graph)
    graph.layer("prob", "Softmax", scores)


def _train_val(model, graph, batch):
    settings = model.preprocessing
    for phase, size, mirror in (
            ("TRAIN", batch or model.recipe.gpu_batch, model.dataset.mirror),
            ("TEST", model.recipe.val_batch, False)):
        part = "train" if phase == "TRAIN" else "val"
        transform = dict(crop_size=graph.size, mean_value=settings.mean)
        if mirror:
            transform.update(mirror=True)
        if settings.scale != 1:
            transform.update(scale=settings.scale)
        graph.layer("data", "Data", tops=["data", "label"],
                    include=[dict(phase=phase)], transform_param=transform,
                    data_param=dict(
                        source=f"{model.dataset.folder}/{model.dataset.prefix}"
                               f"{part}_lmdb",
                        batch_size=size, backend="LMDB"))
    scores = model.body(graph)
    _loss_and_accuracy(graph, scores, include=[dict(phase="TEST")])


def _released(model, graph, batch):
    if model.released is None:
        raise InputError(f"{model.name}: no prototxt of it was released")
    graph.net.name = model.released
    graph.layer("input", "Input", tops=["data", "label"], input_param=dict(
        shape=[dict(dim=[32, 3, graph.size, graph.size]), dict(dim=[32])]))
    scores = model.body(graph)
    _loss_and_accuracy(graph, scores)


def _loss_and_accuracy(graph, scores, **rules):
    """`rules` say when accuracy is computed."""
    graph.layer("loss", "SoftmaxWithLoss", scores, "label")
    graph.layer("top-1", "Accuracy", scores, "label", **rules)
    graph.layer("top-5", "Accuracy", scores, "label",
                accuracy_param=dict(top_k=5), **rules)


def _solver(model):
    recipe, dataset = model.recipe, model.dataset

    def steps(epochs):
        return round(epochs * dataset.train_images / recipe.batch)

    return caffe_pb2.SolverParameter(
        net=f"prototxt/{model.name}/train_val.prototxt",
        test_iter=[dataset.val_images // recipe.val_batch],
        test_interval=steps(1), test_initialization=False,
        base_lr=recipe.base_lr, lr_policy="multistep", gamma=0.1,
        stepvalue=[steps(epoch) for epoch in recipe.milestones],
        max_iter=steps(recipe.epochs),
        iter_size=recipe.batch // recipe.gpu_batch,
        momentum=recipe.momentum, weight_decay=recipe.weight_decay,
        display=20, average_loss=20, snapshot=steps(1),
        snapshot_prefix=f"{dataset.folder}/{model.name}",
        solver_mode=recipe.solver_mode, random_seed=recipe.random_seed)
