"""A net and its weights as two files: PREFIX.prototxt and PREFIX.caffemodel."""
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sknet.errors import InputError
from sknet.files import refuse_overwriting, replacing
from sknet.source import shipped
from sknet.text import to_text
from sknet.weights import files
from sknet.weights.formats import caffemodel


def read_weights(model, path=None):
    """Return (Weights, path) of a file or, by default, of what comes with a model.
    Raises InputError if nothing does."""
    path = path or shipped(model, f"{model}.caffemodel")
    if path is None:
        raise InputError(f"{model}: no weights come with it; expected "
                         "--weights FILE")
    return files.read(path), path


def paths(prefix):
    """Return the two files' names."""
    return f"{prefix}.prototxt", f"{prefix}.caffemodel"


@contextmanager
def writing(prefix, net, weights, command, force=False):
    """Write a NetParameter and its Weights to new files, yield the caffemodel's
    name, and give both their own names when the block ends without an error.

    command: named in the prototxt's first line.

    Raises InputError if a file is there already, and not `force`.
    """
    for path in paths(prefix):
        refuse_overwriting(path, force)
    with ExitStack() as stack:
        prototxt, model = (stack.enter_context(replacing(path))
                           for path in paths(prefix))
        Path(prototxt).write_text(to_text(net, command), encoding="utf-8")
        caffemodel.write(model, weights)
        yield model
