"""What a training needs, in its folder: LMDBs, prototxts, labels."""
import shlex
from dataclasses import fields
from pathlib import Path

from sknet.data.image_lmdb import ImageLmdb
from sknet.deploy import to_deploy
from sknet.errors import InputError
from sknet.files import replacing
from sknet.models.options import Options
from sknet.text import read_net, to_text
from sknet.training.images import open_images
from sknet.training.lmdb_making import make_lmdb
from sknet.training.prototxts import Data, Schedule, training_files
from sknet.training.solvers import read_solver


def prepare(run, settings, gpus, force, report):
    """Write the files of a RunFolder, the solver last; what is there is kept.

    settings: {option: value} of `sknet train`; gpus: their number; force: replace
    LMDBs of other images; report(line): called with what the user should know.

    Raises InputError if the images, options or files are bad.
    """
    if settings["solver"]:
        _copy(run, settings, report)
        return
    options, schedule = (
        of(**{field.name: settings[field.name] for field in fields(of)
              if field.name in settings}) for of in (Options, Schedule))
    # Before LMDBs are made, which may take hours, in vain.
    training_files(settings["model"], Data("", "", 1, 1, 1), options, schedule)
    data = _make_data(run, settings, force)
    net, solver, deploy = training_files(settings["model"], data, options, schedule)
    if data.classes:
        _write(run.labels, "".join(f"{name}\n" for name in data.classes))
    _write_all(run, net, solver, deploy, ["sknet", "train", settings["model"],
                                          settings["data"]])


def _make_data(run, settings, force):
    """The Data of the images, LMDBs being made of those in files."""
    train, val = open_images(settings["data"], settings["val"], settings["val_share"],
                             settings["seed"])
    classes = train.classes or val.classes or ()
    labels = [dataset.label(index) for dataset in (train, val)
              for index in range(len(dataset))]
    if min(labels) < 0:
        raise InputError(f"{settings['data']}: a label of {min(labels)}; expected 0 or "
                         "more")
    folder = Path(settings["lmdb_folder"] or run.path)
    size = settings["resize_width"] and (settings["resize_width"],
                                         settings["resize_height"])
    paths, counts = [], []
    # Training's in a random order, so that Data may read them, too.
    for dataset, name, seed in ((train, "train_lmdb", settings["seed"]),
                                (val, "val_lmdb", None)):
        if isinstance(dataset, ImageLmdb):
            paths.append(dataset.path)
            counts.append(len(dataset))
        else:
            paths.append(str(folder / name))
            counts.append(make_lmdb(dataset, folder / name, size, seed, force))
    return Data(*paths, *counts, max(len(classes), max(labels) + 1), tuple(classes))


def _copy(run, settings, report):
    """A prepared solver and its net, for this folder."""
    solver = read_solver(settings["solver"])
    net = read_net(solver.net)
    if solver.random_seed < 0:
        solver.random_seed = settings["seed"]
    try:
        deploy = to_deploy(net, solver.net)
    except InputError as error:
        report(f"no {run.deploy.name}: {error}")
        deploy = None
    _write_all(run, net, solver, deploy, ["sknet", "train", "--solver",
                                          settings["solver"]])


def _write_all(run, net, solver, deploy, command):
    command = shlex.join([*command, "-o", str(run.path)])
    if deploy:
        _write(run.deploy, to_text(deploy, command))
    _write(run.train_val, to_text(net, command))
    solver.net, solver.snapshot_prefix = str(run.train_val), str(run.prefix)
    _write(run.solver, to_text(solver, command))


def _write(path, text):
    with replacing(path) as name:
        Path(name).write_text(text, encoding="utf-8")
