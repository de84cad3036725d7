"""Results for each image of a dataset in a file, a JSON object a line: what is
computed, then each image. It grows while the net works, and is what a run that was
cut off goes on from."""
import contextlib
import fcntl
import json
import os

from sknet.errors import InputError
from sknet.files import refusals, replacing


class Journal:
    """The rows of the file `path`: dicts with the `index` of an image and, where it
    could not be read, its `name` and the `error`.

    results: {index: what `keep` returns of the row} of the images done.
    errors: {index: (name, error)} of those that could not be read.
    todo: the batches that are not done.
    """

    def __init__(self, path, keep):
        self.path, self._keep = path, keep
        self.results, self.errors, self.todo = {}, {}, []

    def add(self, rows):
        """Append a batch's rows to the file. Raises InputError if it cannot be
        written."""
        with refusals(self.path):
            self._file.write(b"".join(map(_line, rows)))
            self._file.flush()
        for row in rows:
            self._remember(row)

    @classmethod
    @contextlib.contextmanager
    def opened(cls, path, what, identity, batches, keep, force=False):
        """Yield the Journal of a file that is made, or goes on.

        what: the rows are, for messages.
        identity: {what: JSON value} that must be the same for it to go on.
        batches: ranges of indices. Those that the file has not whole, or with
            errors, are done again.

        Raises InputError if the file is of another identity, and not `force`, or if
        another process writes to it.
        """
        self = cls(path, keep)
        rows = [] if force else _read(path, what, identity)
        self.todo = _incomplete(rows, batches)
        again = {index for batch in self.todo for index in batch}
        with replacing(path) as name:
            self._file = open(name, "wb")
            _lock(self._file, path)
            self._file.write(_line(identity))
            self.add([row for row in rows if row["index"] not in again])
        try:
            yield self
        finally:
            # What could not be written has been told.
            with contextlib.suppress(OSError):
                self._file.close()
            if not self.results and not self.errors and os.path.isfile(path):
                os.unlink(path)

    def _remember(self, row):
        index = row["index"]
        if "error" in row:
            self.errors[index] = row["name"], row["error"]
        else:
            self.results[index] = self._keep(row)


def _line(value):
    return json.dumps(value).encode() + b"\n"


def _read(path, what, identity):
    """The file's rows; none if there is no file, or nothing in it."""
    try:
        file = open(path, "rb")
    except FileNotFoundError:
        return []
    with file:
        _lock(file, path)
        values = _values(file)
        if not values and not file.tell():
            return []
    if not values or set(identity) - set(values[0]) \
            or any("index" not in row for row in values[1:]):
        raise InputError(f"{path}: not {what}; --force overwrites it")
    for key, value in json.loads(_line(identity)).items():
        if values[0][key] != value:
            raise InputError(
                f"{path}: {what}, but of another run: {key} is "
                f"{_shown(values[0][key])} there, {_shown(value)} here; --force "
                "overwrites it")
    return values[1:]


def _values(file):
    """The objects in a file's lines, up to the first that was cut off."""
    values = []
    for line in file:
        try:
            value = json.loads(line)
        except ValueError:
            break
        if not isinstance(value, dict):
            break
        values.append(value)
    return values


def _incomplete(rows, batches):
    done = {row["index"] for row in rows if "error" not in row}
    return [batch for batch in batches if not done.issuperset(batch)]


def _lock(file, path):
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise InputError(f"{path}: another process is writing to it") from error
    except OSError as error:
        # A device has nothing to lock.
        if os.path.isfile(path):
            raise InputError(f"{path}: cannot be locked: {error.strerror}") from error


def _shown(value):
    text = json.dumps(value)
    return text if len(text) < 60 else text[:57] + "..."
