"""The loop of a training: steps, validations, snapshots."""
import contextlib
import math
import signal

import numpy as np

from sknet.errors import InputError
from sknet.training import snapshots
from sknet.training.solvers import reseed
from sknet.training.validation import Validation


class Loop:
    """A solver at work.

    solver: see sknet.training.solvers.
    param: the SolverParameter, whose max_iter, test_interval, snapshot, display and
        the like say what is done when.
    run: the RunFolder, which is written to.
    keep: the number of snapshots that are kept.
    progress: see sknet.training.progress.
    """

    def __init__(self, solver, param, run, keep, progress):
        self.solver, self.param, self.run, self.keep = solver, param, run, keep
        self.progress = progress
        self.validation = Validation(solver, param.test_iter)
        self.curves = run.curves(self.validation.names, until=solver.iter)
        self._losses = []  # since the last row
        _watch_loss(solver, param.iter_size, self._losses)

    def __call__(self):
        """Train until the end. Return the number of the signal, Ctrl-C's or
        SIGTERM, that stopped it, or None.

        Either way there is a snapshot of where it stopped. Raises InputError if a
        loss or weight is not finite, or the disk is full; older snapshots stay.
        """
        solver, param = self.solver, self.param
        with _signals() as caught:
            if self._validation_is_due() and not self.curves.validated(solver.iter):
                self._do_what_is_due(caught)
            while solver.iter < param.max_iter and not caught:
                reseed(param.random_seed, solver.iter)
                solver.step(1)
                self._do_what_is_due(caught)
        return caught[0] if caught else None

    def best(self):
        """Return (iteration, {name: value}) of the best validation."""
        return self.validation.best(self.curves.validations())

    def _do_what_is_due(self, caught):
        """Validate, tell, snapshot: after as many updates as the solver has made."""
        iteration, ended = self.solver.iter, self.solver.iter == self.param.max_iter
        loss = lr = measured = None
        if self._losses:
            loss, lr = sum(self._losses) / len(self._losses), self.solver.lr
        self.progress.step(iteration, loss, lr)
        if self._validation_is_due():
            measured = self.validation(caught)
        if measured:
            self._keep_best(iteration, measured)
        snapshot = iteration and (caught or ended or self._is_due("snapshot"))
        if measured or snapshot or iteration and self._is_due("display"):
            self.curves.add(iteration, lr, loss, measured)
            self.progress.line(measured)
            self._losses.clear()
        if measured:
            self.curves.plot(f"{self.run.title}, best validation: iteration "
                             f"{self.best()[0]}")
        # Last, because what is due here is not done again when it goes on.
        if snapshot:
            snapshots.take(self.solver, self.run.prefix, self.keep)

    def _validation_is_due(self):
        if self.solver.iter == 0:
            return self.param.test_initialization
        return self._is_due("test_interval") or self.solver.iter == self.param.max_iter

    def _is_due(self, field):
        interval = getattr(self.param, field)
        return interval and self.solver.iter % interval == 0

    def _keep_best(self, iteration, measured):
        before = self.curves.validations()
        if self.validation.best([*before, (iteration, measured)])[0] == iteration:
            snapshots.save_weights(self.solver.net, self.run.best)


def _watch_loss(solver, iter_size, losses):
    """Append each iteration's loss to `losses`: as Caffe's, the mean over its passes.

    Raises InputError from within the pass, before the weights are touched, if it is
    not finite.
    """
    net, last = solver.net, len(solver.net.layers) - 1
    weighted = [(net.blobs[name], weight)
                for name, weight in net.blob_loss_weights.items() if weight]
    passes = []

    def look(layer):
        if layer < last:
            return
        loss = sum(weight * float(blob.data.sum()) for blob, weight in weighted)
        if not math.isfinite(loss):
            raise InputError(f"iteration {solver.iter}: the loss is {loss}; "
                             f"{_culprit(net)}")
        passes.append(loss)
        if len(passes) == iter_size:
            losses.append(sum(passes) / iter_size)
            passes.clear()
    net.after_forward(look)


def _culprit(net):
    """Where the first value is that is not finite."""
    for name, layer in net.layer_dict.items():
        if not all(np.isfinite(blob.data).all() for blob in layer.blobs):
            return f"the first layer with weights that are not finite is {name}"
        if not all(np.isfinite(net.blobs[top].data).all()
                   for top in net.top_names[name]):
            return f"the first layer to give values that are not finite is {name}"
    return "every layer's values are finite"


@contextlib.contextmanager
def _signals():
    """Yield a list to which Ctrl-C and SIGTERM add their number. A second Ctrl-C
    does not wait."""
    caught = []

    def note(number, frame):
        if caught:
            raise KeyboardInterrupt
        caught.append(number)
    before = {number: signal.signal(number, note)
              for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
