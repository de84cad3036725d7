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

    Raises InputError if the folder cannot be written to.
    """
    path = Path(path)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from error
    os.close(handle)
    try:
        yield name
        # mkstemp's files are private; this one is like any other new file.
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(name, 0o666 & ~mask)
        try:
            os.replace(name, path)
        except OSError as error:
            raise InputError(
                f"{path}: cannot be written: {error.strerror}") from error
    except BaseException:
        os.unlink(name)
        raise


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
