"""Train a model on your images.

DATA is a folder with a folder of images for each class, the same with `train` and
`val` in it, a list ("PATH LABEL" a line), or an LMDB (with --val). In the folder RUN
it leaves LMDBs of the images, train_val, solver and deploy.prototxt, snapshots,
best.caffemodel (the best in validation), labels.txt, curves.csv and curves.png.

A training that was stopped, by Ctrl-C or otherwise, goes on when the same command is
given again, or `sknet train --resume RUN`; on the CPU, to the same bits. The
prototxts in RUN may be changed meanwhile.
"""
import argparse
import math
import shlex
import sys
from pathlib import Path

from sknet.commands import generate
from sknet.commands.arguments import add_trust, positive
from sknet.errors import InputError

EXAMPLE = "sknet train sknet50 photos/ -o run --weights sknet50.caffemodel --epochs 10"
# What does not change a training, or says where it is.
OTHERS = {"verb", "run", "debug", "defaults", "output", "resume", "force", "keep",
          "trust_prototxt"}
PATHS = ("data", "val", "solver", "weights", "lmdb_folder")


def add_arguments(parser):
    parser.add_argument("model", nargs="?", metavar="MODEL", help="see `sknet models`")
    parser.add_argument("data", nargs="?", metavar="DATA", help="see above")
    parser.add_argument("-o", "--output", metavar="RUN", help="the training's folder")
    parser.add_argument("--resume", metavar="RUN", help="go on with the training in RUN")
    parser.add_argument("--solver", metavar="FILE", help="train as this solver's "
                        "prototxt says, instead of MODEL and DATA")
    add_trust(parser, "computes, or reads images and data")
    parser.add_argument("--weights", metavar="FILE", help="begin with these weights "
                        "(caffemodel, HDF5, npz or safetensors)")
    parser.add_argument("--keep", type=positive, default=3, metavar="N",
                        help="snapshots that stay (default: %(default)s)")
    parser.add_argument("--gpu", metavar="N", help="a GPU's number, several (0,1), or "
                        "all (default: the CPU)")
    parser.add_argument("--force", action="store_true",
                        help="begin anew where there is another training")
    images = parser.add_argument_group("images")
    images.add_argument("--val", metavar="DATA", help="for validation")
    images.add_argument("--val-share", type=_share, default=.1, metavar="X",
                        help="the share of each class that is held out where there are "
                        "no images for validation (default: %(default)s)")
    images.add_argument("--resize-width", type=positive, metavar="PIXELS",
                        help="resize images in the LMDBs, as convert_imageset does")
    images.add_argument("--resize-height", type=positive, metavar="PIXELS")
    images.add_argument("--lmdb-folder", metavar="FOLDER",
                        help="where the LMDBs are made (default: RUN)")
    schedule = parser.add_argument_group("schedule (default: the model's recipe)")
    schedule.add_argument("--epochs", type=_above_0, metavar="X")
    schedule.add_argument("--base-lr", type=_above_0, metavar="X")
    schedule.add_argument("--iter-size", type=positive, metavar="N",
                          help="batches in an iteration")
    schedule.add_argument("--test-interval", type=positive, metavar="N",
                          help="iterations between validations (default: an epoch)")
    schedule.add_argument("--snapshot", type=positive, metavar="N",
                          help="iterations between snapshots (default: an epoch)")
    schedule.add_argument("--display", type=positive, metavar="N",
                          help="iterations between rows in curves.csv (default: 20)")
    schedule.add_argument("--seed", type=_seed, default=1, metavar="N",
                          help="of all that is random (default: %(default)s)")
    generate.add_options(parser)
    parser.set_defaults(defaults=vars(parser.parse_args([])))


def run(args):
    from sknet.training.folder import opened, settings_of
    settings = _settings(args)
    _check(args, settings)
    if args.resume:
        settings = settings_of(args.resume)
    name = settings["model"] or Path(settings["solver"]).stem
    with opened(args.output or args.resume, name, settings, args.force) as run:
        stopped, conclusion = _train(run, settings, args.keep, args.force,
                                     args.trust_prototxt)
    if stopped:
        return 128 + stopped
    print("\n".join(conclusion))
    return 0


def _check(args, settings):
    """Options that do nothing are mistakes."""
    given = {name for name, value in settings.items() if value != args.defaults[name]}
    if args.resume:
        if given or args.output or args.force:
            raise InputError("--resume: goes on as the training began; expected "
                             "nothing beside it but --keep")
        return
    if not args.output:
        raise InputError("expected -o RUN, the training's folder, or --resume RUN")
    if args.solver:
        useless = sorted(given - {"solver", "weights", "gpu", "seed"})
        if useless:
            raise InputError(f"{useless[0].replace('_', '-')}: not an option with "
                             "--solver, which says all that")
    elif not args.data:
        raise InputError("expected MODEL and DATA, or --solver FILE")
    if bool(args.resize_width) != bool(args.resize_height):
        raise InputError("--resize-width and --resize-height: expected both or neither")


def _settings(args):
    """What tells a training from others, as JSON has it."""
    settings = {name: value for name, value in vars(args).items() if name not in OTHERS}
    for name in PATHS:
        if settings[name]:
            settings[name] = str(Path(settings[name]).absolute())
    return settings


def _train(run, settings, keep, force, trust):
    """Train, from the newest snapshot on. Return (the signal that stopped it or None,
    lines that conclude it)."""
    from sknet.pycaffe import caffe
    from sknet.text import read_net
    from sknet.training import snapshots
    from sknet.training.devices import gpu_numbers, start_solver
    from sknet.training.finetuning import fill
    from sknet.training.loop import Loop
    from sknet.training.preparation import prepare
    from sknet.training.progress import Progress
    from sknet.training.solvers import forgetful, read_solver
    gpus = gpu_numbers(settings["gpu"])
    if gpus:
        caffe.set_device(gpus[0])  # an error here comes before the making of LMDBs
    if not run.solver.exists():
        try:
            prepare(run, settings, len(gpus), force, _say)
        except KeyboardInterrupt:
            _say(f"stopped; {_how_to_go_on(run)}")
            raise
    param = read_solver(run.solver)
    param.net = str(run.train_val)  # also where the folder was moved
    net = read_net(param.net)
    for layer in forgetful(net):
        _say(f"layer {layer}: begins with its first images again where a training goes "
             "on; an AugmentedData layer would not")
    snapshot = snapshots.newest(run.prefix, _say)
    if snapshot:
        # The last time, a kill may have come in between.
        snapshots.delete_old(run.prefix, keep)
        _say(f"goes on from iteration {snapshot.iteration}")

    def begin(net):
        if settings["weights"]:
            for line in fill(net, settings["weights"]):
                _say(line)
    solver = start_solver(param, run.prefix, snapshot, gpus, begin, trust)
    images = len(next(iter(solver.net.blobs.values())).data)
    progress = Progress(param.max_iter, solver.iter,
                        images * param.iter_size * max(1, len(gpus)))
    loop = Loop(solver, param, run, keep, progress)
    try:
        stopped = loop()
    except (InputError, caffe.Error) as error:
        last = snapshots.find(run.prefix)[:1]
        raise InputError(f"{error}; " + (f"the last snapshot is {last[0].weights}"
                                         if last else "there is no snapshot")) from error
    finally:
        progress.close()
    if stopped:
        _say(f"stopped at iteration {solver.iter}; {_how_to_go_on(run)}")
    return stopped, [] if stopped else list(
        _conclusion(run, net, settings["val"], loop))


def _conclusion(run, net, data, loop):
    """What came out, where it is, and what to do with it."""
    from sknet.training.snapshots import find
    from sknet.training.usage import commands
    weights = find(run.prefix)[0].weights
    yield f"weights: {weights}"
    validations = loop.curves.validations()
    if validations:
        weights = run.best
        for kind, (iteration, measured) in (("last", validations[-1]),
                                            ("best", loop.best())):
            values = ", ".join(f"{name} {value:.4f}" for name, value in measured.items())
            yield f"{kind} validation, iteration {iteration}: {values}"
        yield f"best weights: {weights}"
    yield f"curves: {loop.curves.plot_path}, {loop.curves.path}"
    yield from commands(run, net, weights, data)


def _say(line):
    print(f"sknet train: {line}", file=sys.stderr)


def _how_to_go_on(run):
    return f"`{shlex.join(['sknet', 'train', '--resume', str(run.path)])}` goes on"


def _above_0(text):
    value = float(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value


def _seed(text):
    number = int(text)
    if not 0 <= number < 2 ** 31:
        raise argparse.ArgumentTypeError(f"{number} is not in 0 to 2^31 - 1")
    return number


def _share(text):
    value = float(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return value
