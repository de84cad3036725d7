"""Snapshots: a net's weights, and the solver's state that belongs to them."""
import re
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
    found = [Snapshot(number, state.with_suffix(".caffemodel"), state)
             for number, state in _numbered(prefix, ".solverstate")]
    return sorted((snapshot for snapshot in found if snapshot.weights.exists()),
                  key=lambda snapshot: -snapshot.iteration)


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

    Raises InputError if a weight is not finite, and caffe.Error if the disk is full;
    the older snapshots then stay.
    """
    for layer, blobs in solver.net.params.items():
        if not all(np.isfinite(blob.data).all() for blob in blobs):
            raise InputError(f"iteration {solver.iter}: layer {layer} has weights that "
                             "are not finite; there is no snapshot of that")
    solver.snapshot()
    _forget_first(f"{prefix}_iter_{solver.iter}.caffemodel")
    delete_old(prefix, keep)


def delete_old(prefix, keep):
    """Delete all snapshots but the newest `keep`, and what a kill has left of older
    ones."""
    for last in find(prefix)[:keep][-1:]:
        # Without its weights, a state would be no snapshot.
        for end in (".solverstate", ".caffemodel"):
            for number, path in _numbered(prefix, end):
                if number < last.iteration:
                    path.unlink()


def save_weights(net, path):
    """Write a caffe.Net's weights to a caffemodel, whole or not at all. Raises
    caffe.Error if the disk is full."""
    net.save(str(path))
    _forget_first(path)


def restore(solver, snapshot):
    """Put a solver where it was."""
    # A kill may have come in between.
    _forget_first(snapshot.weights)
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


def _numbered(prefix, end):
    """Return [(iteration, path)] of the snapshots' files whose names end so."""
    prefix = Path(prefix)
    found = [(re.fullmatch(r"_iter_(\d+)", path.stem[len(prefix.name):]), path)
             for path in prefix.parent.glob(f"{prefix.name}_iter_*{end}")]
    return [(int(match[1]), path) for match, path in found if match]


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
