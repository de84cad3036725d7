"""Files that are either whole or not there."""
import contextlib
import errno
import fcntl
import filecmp
import glob
import hashlib
import os
import secrets
import tempfile
from pathlib import Path

from sknet.errors import InputError


@contextlib.contextmanager
def replacing(path, force=True):
    """Yield the name of a new file, and give it path's name when the block ends
    without an error.

    force: else a file with another content stays, and is an InputError.

    A link's target is replaced, not the link; a file that is there keeps its
    mode. What is no regular file (a device, a pipe) is itself what is yielded.
    Until it is whole the file has no name in any folder, where the system knows
    such files, so that nothing is left of it if the process is killed.

    Raises InputError if the folder cannot be written to, or its disk is full.
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():
        if path.is_dir():
            raise InputError(f"{path}: cannot be written: it is a folder")
        yield str(path)
        return
    with refusals(path):
        handle, name = _new_file(path)
    nameless = name.startswith(_NAMELESS)
    try:
        with refusals(path, FULL):
            yield name
        if not force and path.exists() and not filecmp.cmp(name, path, shallow=False):
            refuse_overwriting(path, force)
        with refusals(path):
            os.fchmod(handle, _mode(path))
            os.fsync(handle)
            if nameless:
                _put(handle, name, path)
            else:
                os.replace(name, path)
    except BaseException:
        if not nameless:
            os.unlink(name)
        raise
    finally:
        os.close(handle)


@contextlib.contextmanager
def in_memory(text):
    """Yield the name of a file with the text, for what takes files only. It is in no
    folder: nothing is left of it if the process is killed."""
    handle = os.memfd_create("text")
    try:
        with refusals("a file in memory"), \
                open(handle, "w", encoding="utf-8", closefd=False) as file:
            file.write(text)
        yield f"{_NAMELESS}self/fd/{handle}"
    finally:
        os.close(handle)


# Of a disk, a quota, a process's limit.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# Where Linux shows a process's open files.
_NAMELESS = "/proc/"


@contextlib.contextmanager
def refusals(path, numbers=None):
    """The system's errors in the block, those of the `numbers` or all, are InputErrors
    of a file that cannot be written."""
    try:
        yield
    except OSError as error:
        if numbers and error.errno not in numbers:
            raise
        raise InputError(f"{path}: cannot be written: {error.strerror}") from error


def _new_file(path):
    """The descriptor of a new file in the path's folder, and a name to open it by:
    if possible one that is in no folder."""
    try:
        handle = os.open(path.parent, os.O_TMPFILE | os.O_RDWR, 0o600)
        return handle, f"{_NAMELESS}{os.getpid()}/fd/{handle}"
    except (AttributeError, OSError):
        # Another system than Linux, or a file system that has no such files.
        return tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)


def _put(handle, name, path):
    """Give the file without a name, which `name` opens, the path."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        _link(name, path, folder)
    except FileExistsError:
        _replace(handle, name, path, folder)
    finally:
        os.close(folder)


def _replace(handle, name, path, folder):
    """The same where there is a file: it takes another name, for a moment; the lock
    says that this process is alive."""
    _remove_leftovers(path)
    with contextlib.suppress(OSError):  # who writes to it may have a lock already
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    own = path.with_name(f".{path.name}.{secrets.token_hex(4)}.new")
    _link(name, own, folder)
    try:
        os.replace(own, path)
    except OSError:
        own.unlink()
        raise


def _remove_leftovers(path):
    """What a kill has left between two names: no process has a lock on it."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.new"):
        with contextlib.suppress(OSError), open(left, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            left.unlink()


def _link(name, path, folder):
    # With a folder's descriptor, or Python would not follow the link.
    os.link(name, path, src_dir_fd=folder, follow_symlinks=True)


def _mode(path):
    """The mode of the file that is there, or of any other new file; temporary
    ones are private."""
    if path.exists():
        return path.stat().st_mode & 0o7777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def refuse_overwriting(path, force):
    """Raise InputError if a regular file is there, and not `force`."""
    if os.path.isfile(path) and not force:
        raise InputError(f"{path}: is there already; --force overwrites it")


def read_bytes(path):
    """Return the file's content. Raises InputError if it cannot be read."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error


def digest(path, algorithm="sha256"):
    """Return a file's hash in hexadecimal, by an algorithm of hashlib. Raises
    InputError if it cannot be read."""
    hasher = hashlib.new(algorithm)
    try:
        with open(path, "rb") as file:
            while part := file.read(1 << 20):
                hasher.update(part)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    return hasher.hexdigest()
