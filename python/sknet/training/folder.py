"""The folder of a training: what is in it, and whose it is."""
import contextlib
import json
from pathlib import Path

from sknet.errors import InputError
from sknet.files import replacing
from sknet.training.curves import Curves

LMDBS = "train_lmdb", "val_lmdb"


class RunFolder:
    """solver, train_val, deploy, labels, best: files' paths in the folder.

    name: what its snapshots' names begin with.
    """

    def __init__(self, path, name):
        self.path, self.title = Path(path).absolute(), name
        self.prefix = self.path / name
        self.solver, self.train_val, self.deploy = (
            self.path / f"{kind}.prototxt" for kind in ("solver", "train_val", "deploy"))
        self.labels = self.path / "labels.txt"
        self.best = self.path / "best.caffemodel"

    def curves(self, measures, until):
        return Curves(self.path, measures, until)

    def files(self):
        """All that a training leaves in it, but for LMDBs."""
        return [*self.path.glob("*_iter_*"), self.solver,
                self.train_val, self.deploy, self.labels, self.best,
                self.path / "curves.csv", self.path / "curves.png"]

    def clean(self):
        """Remove files that a kill left half written."""
        files = {f".{path.name}." for path in (*self.files(), self.path / "run.json")}
        for path in self.path.glob(".*"):
            if "_iter_" in path.name or path.name.startswith(tuple(files)):
                path.unlink()


def settings_of(path):
    """Return what a folder's training was begun with, a dict. Raises InputError if
    it is no such folder."""
    path = Path(path, "run.json")
    try:
        return json.loads(path.read_text())
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; expected the folder of a training "
                         "that sknet train began") from error
    except ValueError as error:
        raise InputError(f"{path}: not what sknet train wrote") from error


@contextlib.contextmanager
def opened(path, name, settings, force=False):
    """Yield the RunFolder of a training with those settings, {option: value}; no
    other process has it meanwhile.

    force: begin anew where there is a training with others.

    Raises InputError if snapshots of another training, or something else, are in the
    folder, or it cannot be written to.
    """
    from filelock import FileLock, Timeout
    run = RunFolder(path, name)
    try:
        run.path.mkdir(parents=True, exist_ok=True)
        with FileLock(run.path / ".lock", timeout=0):
            run.clean()
            _begin(run, settings, force)
            yield run
    except Timeout as error:
        raise InputError(f"{path}: another sknet train is at work in it") from error
    except OSError as error:
        raise InputError(f"{error.filename or path}: {error.strerror}") from error


def _begin(run, settings, force):
    """Make the folder this training's."""
    there = {entry.name for entry in run.path.iterdir()} - {".lock"}
    if there and not force:
        if "run.json" not in there:
            raise InputError(f"{run.path}: there is something else in it; expected a "
                             "new folder, or --force")
        found = settings_of(run.path)
        if found == settings:
            return
        if list(run.path.glob("*_iter_*")):
            raise InputError(f"{run.path}: {_difference(settings, found)}; --force "
                             "begins anew")
    for path in run.files():
        path.unlink(missing_ok=True)
    with replacing(run.path / "run.json") as name:
        Path(name).write_text(json.dumps(settings, indent=2) + "\n")


def _difference(settings, found):
    name = next(name for name in sorted({*settings, *found})
                if settings.get(name) != found.get(name))
    option = name if name in ("model", "data") else f"--{name.replace('_', '-')}"
    before, now = (f"no {option}" if value in (None, False) else f"{option} {value}"
                   for value in (found.get(name), settings.get(name)))
    return f"its training has {before}, this one has {now}"
