"""Convert weights, or a net with its weights, to another format.

  caffemodel, h5, npz, safetensors: the weights, bit by bit
  stock: a deploy prototxt and a caffemodel, of layers that BVLC's Caffe has
  onnx: the deploy net, for the runtimes of ONNX

stock and onnx need --model, which says the net. So does --from, which reads
another library's weights for it: a PyTorch state dict (.pth, .safetensors) or an
ONNX model.
"""
import shlex
import sys
from dataclasses import replace

from sknet.commands.arguments import channel_values, positive
from sknet.errors import InputError

EXAMPLE = ("sknet convert sknet50.caffemodel --to onnx --model sknet50 "
           "-o sknet50.onnx")
# Formats, and how files' names end that have them; of stock, how both begin.
ENDS = {"caffemodel": ".caffemodel", "h5": ".caffemodel.h5", "npz": ".npz",
        "safetensors": ".safetensors", "stock": "_stock", "onnx": ".onnx"}


def add_arguments(parser):
    parser.add_argument("weights", metavar="FILE",
                        help="weights: caffemodel, HDF5, npz or safetensors")
    parser.add_argument("--from", dest="source",
                        choices=("timm", "torchvision", "timm_legacy"),
                        help="whose names the weights have (default: ours)")
    parser.add_argument("--to", required=True, choices=ENDS, help="see above")
    parser.add_argument("-o", "--output", metavar="FILE",
                        help="default: FILE's name with another end; of stock, what "
                        "both files' names begin with")
    parser.add_argument("--force", action="store_true",
                        help="overwrite files that are there")
    net = parser.add_argument_group("nets (--from; stock, onnx)")
    net.add_argument("--model", metavar="NAME|DEPLOY",
                     help="a model's name (see `sknet models`) or a net's prototxt")
    net.add_argument("--reshape-free", action="store_true",
                     help="stock: SK units without Reshape, which some importers do "
                     "not know to 4 axes")
    net.add_argument("--dynamic-size", action="store_true",
                     help="onnx: images of any size; needs a global pool")
    net.add_argument("--labels", metavar="FILE",
                     help="onnx: the classes' names, kept in the file")
    net.add_argument("--mean", type=channel_values, metavar="R,G,B",
                     help="--from: what is subtracted from images of 0-1 there, such "
                     "as 0.485,0.456,0.406; the weights are then for Caffe's pixels")
    net.add_argument("--std", type=channel_values, metavar="R,G,B",
                     help="--from: what they are divided by, such as "
                     "0.229,0.224,0.225")
    changes = parser.add_argument_group("changes to the weights, first")
    changes.add_argument("--average", nargs="+", default=[], metavar="FILE",
                         help="the mean of FILE and these, snapshots of one "
                         "training")
    changes.add_argument("--num-classes", type=positive, metavar="N",
                         help="a fresh classifier of N outputs, for fine-tuning")


def run(args):
    from sknet.weights import files
    from sknet.weights.surgery import average, with_classes
    _check(args)
    weights, settings = (_imported(args) if args.source
                         else (files.read(args.weights), {}))
    try:
        if args.average:
            weights = average([weights, *map(files.read, args.average)])
        if args.num_classes:
            weights = with_classes(weights, args.num_classes)
    except InputError as error:
        raise InputError(f"{args.weights}: {error}") from error
    output = args.output or _stem(args.weights) + ENDS[args.to]
    if args.to == "stock":
        _write_stock(args, weights, output)
    elif args.to == "onnx":
        _write_onnx(args, weights, settings, output)
    else:
        files.write(output, weights, args.force)
        print(output)
    return 0


def _check(args):
    """Options that do nothing are mistakes."""
    nets = ("stock", "onnx")
    if args.source:
        if not args.model:
            raise InputError(f"--from {args.source}: needs --model, which says the "
                             "net")
        if bool(args.mean) != bool(args.std):
            raise InputError("--mean and --std: expected both or neither")
        if args.std and min(args.std) <= 0:
            raise InputError("--std: expected values above 0")
    elif args.mean or args.std:
        raise InputError("--mean and --std: not options without --from")
    for option, targets in (("model", nets), ("reshape_free", ("stock",)),
                            ("dynamic_size", ("onnx",)), ("labels", ("onnx",)),
                            ("num_classes", set(ENDS) - set(nets))):
        if option == "model" and args.source:
            continue
        if getattr(args, option) and args.to not in targets:
            raise InputError(f"--{option.replace('_', '-')}: not an option of "
                             f"--to {args.to}")
    if args.to in nets and not args.model:
        raise InputError(f"--to {args.to}: needs --model, which says the net")
    if args.output and args.to != "stock" and not args.output.endswith(ENDS[args.to]):
        raise InputError(f"-o {args.output}: expected a name that ends in "
                         f"{ENDS[args.to]}")


def _stem(path):
    """A weight file's name without its end."""
    return next((path[:-len(end)] for end in sorted(ENDS.values(), key=len)[::-1]
                 if path.endswith(end)), path)


def _imported(args):
    """Another library's weights, and the settings of Preprocessing that they need,
    None if that is not known; what there is to know of them is said."""
    from sknet import models
    from sknet.weights.imports import for_pixels, import_weights
    net = models.create(args.model)
    weights, remark = import_weights(args.weights, net, args.source)
    # Whose pixels they are for, nobody has said.
    settings = None
    if args.mean:
        weights, settings = for_pixels(net, weights, args.mean, args.std)
        mean = ",".join(f"{value:.6g}" for value in settings["mean"])
        remark = f"{remark} For classify: --mean {mean} --channels bgr.".lstrip()
    if remark:
        print(f"sknet convert: {args.weights}: {remark}", file=sys.stderr)
    return weights, settings


def _deploy(args, weights):
    """The deploy net that the weights are for, which they fill."""
    from sknet.deploy import to_deploy
    from sknet.source import read_source
    from sknet.weights.fit import slots
    from sknet.weights.verify import check
    net = to_deploy(read_source(args.model), args.model)
    check(weights, slots(net, args.model), args.weights)
    return net


def _write_stock(args, weights, prefix):
    from sknet.lowering import to_stock
    from sknet.weights.pair import paths, writing
    net, weights = to_stock(_deploy(args, weights), weights, args.reshape_free)
    command = shlex.join(["sknet", "convert", args.weights, "--to", "stock",
                          "--model", args.model])
    with writing(prefix, net, weights, command, args.force):
        pass
    print(", ".join(paths(prefix)))


def _write_onnx(args, weights, settings, output):
    try:
        import onnx
    except ImportError as error:
        raise InputError("--to onnx needs the package onnx: pip install onnx") \
            from error

    from sknet import models
    from sknet.files import refuse_overwriting, replacing
    from sknet.onnx.net import export
    refuse_overwriting(output, args.force)
    net = _deploy(args, weights)
    known = models.get(net.name) if net.name in models.names() else None
    labels = _labels(args, net, known)
    preprocessing = None
    if known and settings is not None:
        preprocessing = replace(known.preprocessing, **settings)
    model = export(net, weights, preprocessing, labels or None, args.dynamic_size)
    with replacing(output) as name:
        onnx.save(model, name)
    print(output)


def _labels(args, net, known):
    """The classes' names: the given ones or, if they are as many as the deploy net's
    classes, those of the Model `known`; else None."""
    from sknet.data.labels import read_labels
    from sknet.shapes import infer
    shape = infer(net)[net.layer[-1].top[0]]
    classes = shape[1] if len(shape) > 1 else None
    if args.labels:
        labels = read_labels(args.labels)
        if len(labels) != classes:
            raise InputError(f"{args.labels}: {len(labels)} labels; {args.model} has "
                             f"{classes or 'no'} classes")
        return labels
    if known and len(known.dataset.classes) == classes:
        return known.dataset.classes
    return None
