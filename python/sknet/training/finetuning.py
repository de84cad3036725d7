"""A net that begins with the weights of another training."""
from sknet.errors import InputError
from sknet.weights import files
from sknet.weights.fit import Slot, compare
from sknet.weights.statistics import flaws
from sknet.weights.verify import verify


def fill(net, path):
    """Fill a caffe.Net's layers with the weights of the same names in a file of any
    format. Return lines for the user: what was filled, and what begins fresh.

    A classifier of other classes stays fresh, as do layers that the file lacks.

    Raises InputError if no layer is filled, if other weights do not fit, or some
    cannot be right.
    """
    stored = files.read(path)
    wanted = {name: Slot(net.layer_dict[name].type,
                         tuple(tuple(blob.shape) for blob in blobs))
              for name, blobs in net.params.items()}
    fit = compare(stored, wanted)
    filled = [name for name in wanted
              if name in stored.layers and name not in fit.clashes]
    _check(stored, wanted, fit, filled, path)
    for name in filled:
        for blob, found in zip(net.params[name], stored.layers[name].blobs):
            blob.data[...] = found.data.reshape(blob.data.shape)
    return list(_report(path, wanted, fit, filled))


def _check(stored, wanted, fit, filled, path):
    if not filled:
        cause = "".join(f"; {cause}" for cause in verify(stored, wanted).causes[:1])
        raise InputError(f"{path}: has weights for none of the net's layers{cause}")
    last = list(wanted)[-1]
    for name, clash in fit.clashes.items():
        if name != last:
            causes = verify(stored, wanted).causes
            cause = "".join(f"; {cause}" for cause in causes[:1])
            raise InputError(f"{path}: does not fit the net: layer {name}{clash}{cause}")
    for name in filled:
        problems, _ = flaws(wanted[name].type, stored.layers[name].blobs)
        if problems:
            raise InputError(f"{path}: layer {name}: {problems[0]}")


def _report(path, wanted, fit, filled):
    yield f"{path}: fills {len(filled)} of {len(wanted)} layers with weights"
    for name, clash in fit.clashes.items():
        yield f"fresh: {name}{clash}"
    if fit.missing:
        yield f"fresh, as the file has no weights for it: {', '.join(fit.missing)}"
    if fit.unused:
        yield f"in the file, but not used: {', '.join(fit.unused)}"
