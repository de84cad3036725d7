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


def sha256(path):
    """Return the hexadecimal SHA-256 of a file. Raises InputError if it cannot be
    read."""
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while part := file.read(1 << 20):
                digest.update(part)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    return digest.hexdigest()
