"""Published weights: fetched, checked against their model, and the same each time.

Nobody published hashes of these files. So the first file that fits its model sets
the hash, in a lock file, and what is fetched later must have it. The lock file is
no part of the cache, which may be emptied.
"""
import contextlib
import hashlib
import json
import os
import shutil
from pathlib import Path

from sknet import models
from sknet.errors import InputError
from sknet.files import digest, refuse_overwriting, replacing
from sknet.models.options import CHOICES
from sknet.weights import files
from sknet.weights.download import download
from sknet.weights.fit import slots
from sknet.weights.verify import check, verify


def cache():
    """Return the folder, a Path, of what can be fetched again."""
    return _home("XDG_CACHE_HOME", ".cache")


def lock_file():
    """Return the path of the lock file: JSON, {model: {sha256, source}}."""
    return _home("XDG_DATA_HOME", ".local/share") / "weights.lock.json"


def fetch(model, source=None, path=None, force=False):
    """Return (path, bn) of a model's weights: of the file, a Path, and the
    convention of batch norms (Options.bn) with which it fits the model.

    source: a file or a URL; by default where the authors published it.
    path: where the file is to be; by default in the cache.
    force: fetch again, and overwrite what is there.

    Raises InputError if it cannot be had or written, is not the model's, or not
    the same as the first time.
    """
    source = source or models.get(model).weights
    if source is None:
        raise InputError(f"{model}: no address of its weights is known; expected "
                         "--from FILE or URL")
    path = Path(path) if path else cache() / f"{model}.caffemodel"
    with _alone():
        locks = _read_locks()
        known = locks.get(model, {}).get("sha256")
        if known and path.exists() and digest(path) == known and not force:
            # It may have been killed when the file was there.
            shutil.rmtree(_partial(source), ignore_errors=True)
            return path, _convention(model, path)
        refuse_overwriting(path, force)
        with _obtained(source) as file:
            try:
                sha256 = _checked_digest(model, file, known)
                bn = _convention(model, file)
            except InputError as error:
                reason = str(error).removeprefix(f"{file}: ")
                raise InputError(f"{source}: {reason}") from error
            if not known:
                locks[model] = dict(sha256=sha256, source=str(source))
                _write_locks(locks)
            with replacing(path) as name:
                shutil.copyfile(file, name)
    return path, bn


def _home(variable, default):
    return Path(os.environ.get(variable) or Path.home() / default) / "sknet"


@contextlib.contextmanager
def _alone():
    """No other process fetches at the same time. Disks and folders that refuse are
    InputErrors."""
    from filelock import FileLock, Timeout
    try:
        cache().mkdir(parents=True, exist_ok=True)
        with FileLock(cache() / "fetch.lock", timeout=0):
            yield
    except Timeout as error:
        raise InputError("another `sknet fetch` is running") from error
    except OSError as error:
        raise InputError(f"{error.filename or cache()}: {error.strerror or error}") \
            from error


@contextlib.contextmanager
def _obtained(source):
    """Yield the path of the file; a downloaded one is removed at the end."""
    if not str(source).startswith(("http://", "https://")):
        yield Path(source)
        return
    folder = _partial(source)
    file = download(source, folder)
    try:
        yield file
    finally:
        shutil.rmtree(folder)


def _partial(source):
    """The folder of what is there of a download."""
    name = hashlib.sha256(str(source).encode()).hexdigest()[:16]
    return cache() / "partial" / name


def _checked_digest(model, file, known):
    """The file's SHA-256, if it is `known` or nothing is."""
    sha256, sha1 = digest(file), models.get(model).sha1
    if known not in (None, sha256):
        raise InputError(f"its SHA-256 is {sha256}; the first one fetched of {model} "
                         f"had {known}, which {lock_file()} insists on")
    if sha1 and digest(file, "sha1") != sha1:
        raise InputError(f"its SHA-1 is not the published one of {model}, {sha1}")
    return sha256


def _convention(model, file):
    """The convention of batch norms with which the file fits the model."""
    weights = files.read(file)
    nets = {bn: slots(models.create(model, bn=bn)) for bn in CHOICES["bn"]}
    bn = min(nets, key=lambda bn: len(verify(weights, nets[bn]).problems))
    check(weights, nets[bn], file)
    return bn


def _read_locks():
    path = lock_file()
    if not path.exists():
        return {}
    try:
        locks = json.loads(path.read_text())
        if all(isinstance(lock["sha256"], str) for lock in locks.values()):
            return locks
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error
    raise InputError(f"{path}: not a lock file of sknet")


def _write_locks(locks):
    lock_file().parent.mkdir(parents=True, exist_ok=True)
    with replacing(lock_file()) as name:
        Path(name).write_text(json.dumps(locks, indent=2) + "\n")
