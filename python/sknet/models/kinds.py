"""A model's files: what goes around its body."""
from sknet.errors import InputError
from sknet.lowering import to_batch_norm_and_scale, to_stock
from sknet.models.finetuning import freeze_batch_norm, scale_backbone
from sknet.models.graph import Graph
from sknet.models.options import Options
from sknet.models.registry import AUGMENTATIONS, RECIPES, get
from sknet.proto import caffe_pb2

KINDS = ("train_val", "deploy", "solver", "released")


def create(name, kind="deploy", **options):
    """Return a model's NetParameter, or its SolverParameter.

    kind: `deploy`: one input `data` (batch x channels x size x size), output
            `prob`.
        `train_val`: LMDB data, or AugmentedData's with `augment`; loss, top-1 accuracy, and top-5 if there are more
            than 5 classes.
        `solver`: the recipe for prototxt/NAME/train_val.prototxt.
        `released`: the prototxt that the authors published; takes no options.
    options: those of Options.

    Raises InputError if the model, or such a file of it, is not known, or an
    option is not possible.
    """
    return build(get(name), kind, Options(**options))


def build(model, kind, options):
    """The same of a Model, which may have a dataset or recipe of its own."""
    if kind not in KINDS:
        raise InputError(f"no kind of file is named {kind!r}: there are "
                         + ", ".join(KINDS))
    options.check(kind, model)
    if kind == "solver":
        return _solver(model, options)
    size = options.size or model.preprocessing.crop
    graph = Graph(model.name, options.num_classes or model.dataset.num_classes, size,
                  options.global_pool or size != model.preprocessing.crop)
    {"deploy": _deploy, "train_val": _train_val, "released": _released}[kind](
        model, graph, options)
    return _varied(graph.net, options)


def _varied(net, options):
    if options.frozen_bn:
        freeze_batch_norm(net)
    if options.lr_mult_backbone is not None:
        scale_backbone(net, options.lr_mult_backbone)
    if options.layers == "stock":
        return to_stock(net)[0]
    if options.bn == "caffe":
        return to_batch_norm_and_scale(net)[0]
    return net


def _body(model, graph, options):
    if model.selection is None:
        return model.body(graph)
    return model.body(graph, model.selection.vary(**options.selection()))


def _deploy(model, graph, options):
    graph.layer("data", "Input", input_param=dict(shape=[dict(
        dim=[options.batch or 1, options.channels or 3, graph.size, graph.size])]))
    scores = _body(model, graph, options)
    graph.layer("prob", "Softmax", scores)


def _train_val(model, graph, options):
    for phase in ("TRAIN", "TEST"):
        _data(graph, model, options, phase)
    scores = _body(model, graph, options)
    loss = dict(loss_param=dict(label_smoothing=options.label_smoothing)) \
        if options.label_smoothing else {}
    _loss_and_accuracy(graph, scores, loss, dict(include=[dict(phase="TEST")]))


def _data(graph, model, options, phase):
    """Images and labels from one of the model's LMDBs."""
    settings, dataset, train = model.preprocessing, model.dataset, phase == "TRAIN"
    mean = settings.mean
    if options.channels not in (None, len(mean)):
        mean = [sum(mean) / len(mean)]
    transform = dict(crop_size=graph.size, mean_value=mean)
    if train and dataset.mirror:
        transform.update(mirror=True)
    if settings.scale != 1:
        transform.update(scale=settings.scale)
    kind, own = "Data", {}
    if options.augment:
        kind = "AugmentedData"
        # A grey photograph or one with transparency is like the others, then.
        force = {1: "force_gray", 3: "force_color"}.get(options.channels or 3)
        if force:
            transform[force] = True
        if train:
            transform.update(AUGMENTATIONS[options.augment])
            own.update(augmented_data_param=dict(shuffle=True))
        else:
            transform.update(shorter_side=round(
                graph.size * settings.shorter_side / settings.crop))
    batch = options.batch or model.recipe.gpu_batch
    graph.layer("data", kind, tops=["data", "label"], include=[dict(phase=phase)],
                transform_param=transform, data_param=dict(
                    source=f"{dataset.folder}/{dataset.lmdbs[not train]}",
                    batch_size=batch if train else model.recipe.val_batch,
                    backend="LMDB"), **own)


def _released(model, graph, options):
    if model.released is None:
        raise InputError(f"{model.name}: no prototxt of it was released")
    graph.net.name = model.released
    graph.layer("input", "Input", tops=["data", "label"], input_param=dict(
        shape=[dict(dim=[32, 3, graph.size, graph.size]), dict(dim=[32])]))
    scores = _body(model, graph, options)
    _loss_and_accuracy(graph, scores, {}, {})


def _loss_and_accuracy(graph, scores, loss, rules):
    """loss: fields of the loss layer; rules: when accuracy is computed."""
    graph.layer("loss", "SoftmaxWithLoss", scores, "label", **loss)
    graph.layer("top-1", "Accuracy", scores, "label", **rules)
    if graph.num_classes > 5:
        graph.layer("top-5", "Accuracy", scores, "label",
                    accuracy_param=dict(top_k=5), **rules)


def _solver(model, options):
    recipe = RECIPES[options.recipe] if options.recipe else model.recipe
    dataset = model.dataset
    batch = options.batch or recipe.gpu_batch
    if recipe.batch % batch:
        raise InputError(f"batch: {batch}; expected a divisor of the recipe's "
                         f"{recipe.batch} images a step")

    def steps(epochs):
        return max(1, round(epochs * dataset.train_images / recipe.batch))

    return caffe_pb2.SolverParameter(
        net=f"prototxt/{model.name}/train_val.prototxt",
        test_iter=[dataset.val_images // recipe.val_batch],
        test_interval=steps(1), test_initialization=False,
        base_lr=recipe.base_lr, lr_policy="multistep", gamma=0.1,
        stepvalue=[steps(epoch) for epoch in recipe.milestones],
        max_iter=steps(recipe.epochs), iter_size=recipe.batch // batch,
        momentum=recipe.momentum, weight_decay=recipe.weight_decay,
        display=20, average_loss=20, snapshot=steps(1),
        snapshot_prefix=f"{dataset.folder}/{model.name}",
        solver_mode=recipe.solver_mode, random_seed=recipe.random_seed)
