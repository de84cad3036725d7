"""Snapshots: a net's weights, and the solver's state that belongs to them."""
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sknet.errors import InputError
from sknet.files import replacing
from sknet.proto import caffe_pb2
from sknet.weights import files


@dataclass(frozen=True)
class Snapshot:
    iteration: int
    weights: Path
    state: Path


def find(prefix):
    """Return the Snapshots whose files begin with `prefix`, the newest first. They
    are complete: Caffe writes the state after the weights, each under another name
    until it is whole."""
    prefix, found = Path(prefix), []
    for state in prefix.parent.glob(f"{prefix.name}_iter_*.solverstate"):
        number = re.fullmatch(r"_iter_(\d+)", state.stem[len(prefix.name):])
        weights = state.with_suffix(".caffemodel")
        if number and weights.exists():
            found.append(Snapshot(int(number[1]), weights, state))
    return sorted(found, key=lambda snapshot: -snapshot.iteration)


def newest(prefix, report):
    """Return the newest Snapshot that can be read, or None. Newer ones are set aside,
    and report(line) is called with what is wrong with them."""
    for snapshot in find(prefix):
        try:
            _check(snapshot)
            return snapshot
        except InputError as error:
            aside = snapshot.state.rename(f"{snapshot.state}.broken")
            report(f"{error}; now {aside.name}, and the snapshot before is used")
    return None


def take(solver, prefix, keep):
    """Snapshot, and delete all but the newest `keep`.

    Raises InputError if a weight is not finite, or the disk is too full; the older
    snapshots then stay.
    """
    for layer, blobs in solver.net.params.items():
        if not all(np.isfinite(blob.data).all() for blob in blobs):
            raise InputError(f"iteration {solver.iter}: layer {layer} has weights that "
                             "are not finite; there is no snapshot of that")
    _check_space(solver.net, Path(prefix).parent)
    solver.snapshot()
    _forget_first(f"{prefix}_iter_{solver.iter}.caffemodel")
    for old in find(prefix)[keep:]:
        # Without its weights, a state would be no snapshot.
        old.state.unlink()
        old.weights.unlink()


def save_weights(net, path):
    """Write a caffe.Net's weights to a caffemodel, whole or not at all. Raises
    InputError if the disk is too full."""
    _check_space(net, path.parent)
    net.save(str(path))
    _forget_first(path)


def restore(solver, snapshot):
    """Put a solver where it was."""
    state = _read_state(snapshot.state)
    if state.learned_net != str(snapshot.weights):
        # The folder has another name now.
        state.learned_net = str(snapshot.weights)
        with replacing(snapshot.state) as name:
            Path(name).write_bytes(state.SerializeToString())
    solver.restore(str(snapshot.state))


def _forget_first(path):
    """Drop from a caffemodel with which image its training went on, so that it is the
    same, to the byte, as that of a training which was never stopped."""
    net = caffe_pb2.NetParameter.FromString(Path(path).read_bytes())
    layers = [layer for layer in net.layer if layer.augmented_data_param.HasField("first")]
    for layer in layers:
        layer.augmented_data_param.ClearField("first")
    if layers:
        with replacing(path) as name:
            Path(name).write_bytes(net.SerializeToString())


def _check_space(net, folder):
    """Before there are half of a snapshot's files."""
    weights = sum(blob.data.nbytes for blobs in net.params.values()
                  for blob in blobs)
    # The history is as large as the weights; that of Adam and its like, twice.
    needed = 3 * weights + (1 << 20)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise InputError(f"{folder}: {free >> 20} MiB are free; a snapshot needs up to "
                         f"{needed >> 20} MiB")


def _read_state(path):
    try:
        return caffe_pb2.SolverState.FromString(path.read_bytes())
    # protobuf's error has one name or another.
    except Exception as error:
        raise InputError(f"{path}: not one of Caffe's solver states") from error


def _check(snapshot):
    files.read(snapshot.weights)
    state = _read_state(snapshot.state)
    if state.iter != snapshot.iteration:
        raise InputError(f"{snapshot.state}: of iteration {state.iter}, unlike its name")
