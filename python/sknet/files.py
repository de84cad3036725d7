"""Files that are either whole or not there."""
import contextlib
import hashlib
import os
import tempfile
from pathlib import Path

from sknet.errors import InputError


@contextlib.contextmanager
def replacing(path):
    """Yield the name of a new file in path's folder, and give it path's name
    when the block ends without an error.

    A link's target is replaced, not the link; a file that is there keeps its
    mode. What is no regular file (a device, a pipe) is itself what is yielded.

    Raises InputError if the folder cannot be written to.
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():
        if path.is_dir():
            raise InputError(f"{path}: cannot be written: it is a folder")
        yield str(path)
        return
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from error
    os.close(handle)
    try:
        yield name
        os.chmod(name, _mode(path))
        try:
            os.replace(name, path)
        except OSError as error:
            raise InputError(
                f"{path}: cannot be written: {error.strerror}") from error
    except BaseException:
        os.unlink(name)
        raise


def _mode(path):
    """The mode of the file that is there, or of any other new file; mkstemp's
    are private."""
    if path.exists():
        return path.stat().st_mode & 0o7777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


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
