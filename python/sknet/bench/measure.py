"""Engines timed in turns, each in a process of its own: its threads and its memory are
apart from the others', and it waits at a pipe while they work."""
import contextlib
import random
import signal
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np

from sknet.bench.engines import ENGINES
from sknet.bench.worker import serve
from sknet.errors import InputError

ROUNDS = 3  # the least
_CONTEXT = get_context("spawn")  # which takes nothing over but the environment


class Failure(Exception):
    """Why an engine does not run."""


class Worker:
    """An engine's process. Raises Failure; ImportError where its files cannot be
    made.

    outputs: of the images; start_s: seconds until they were there.
    ms: of each pass; peak_mib: the most memory that the process had.
    """

    def __init__(self, engine, source, images, threads):
        files = getattr(source, engine.files)
        self.ms, self.peak_mib = [], None
        self._pipe, end = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(
            target=serve, args=(end, engine.start, files, images, threads), daemon=True)
        with _deaf_to_ctrl_c():
            self._process.start()
        end.close()
        try:
            self.outputs, self.start_s = self._answer()
        except BaseException:
            self.end()
            raise

    def turn(self):
        try:
            self._pipe.send("go")
        except BrokenPipeError:
            pass  # it has died since, which the answer tells
        times, self.peak_mib = self._answer()
        self.ms += times

    def end(self):
        self._process.kill()
        self._process.join()
        self._pipe.close()

    def _answer(self):
        try:
            answer = self._pipe.recv()
        except (EOFError, ConnectionResetError):
            self._process.join()
            raise Failure("its process ended with status "
                          f"{self._process.exitcode}") from None
        if isinstance(answer, str):
            raise Failure(answer)
        return answer


def random_images(source, batch):
    return np.random.default_rng(1).normal(
        size=(batch, *source.shape)).astype(np.float32)


def measure(source, names, batch, threads, seconds, tick):
    """Time engines on a batch of random images, for about as long as told. Return a
    dict of

        batch, rounds;
        missing: {name: why it does not run};
        ms, least_ms, passes, peak_mib, start_s: {name: number}; the first is the
            median.

    Every round has another order, and ends with a call of `tick` with the seconds
    that it took. Raises InputError if two engines' outputs differ, or none runs.
    """
    images = random_images(source, batch)
    workers, missing = {}, {}
    try:
        for name in names:
            try:
                workers[name] = Worker(ENGINES[name], source, images, threads)
            except (Failure, ImportError) as error:
                missing[name] = str(error)
        _compare({name: worker.outputs for name, worker in workers.items()})
        rounds = _rounds(workers, missing, seconds, tick)
    finally:
        for worker in workers.values():
            worker.end()
    if not workers:
        raise InputError("no engine runs: " + "; ".join(
            f"{name} ({why})" for name, why in missing.items()))

    def each(what):
        return {name: what(worker) for name, worker in workers.items()}
    return dict(batch=batch, rounds=rounds, missing=missing,
                ms=each(lambda worker: statistics.median(worker.ms)),
                least_ms=each(lambda worker: min(worker.ms)),
                passes=each(lambda worker: len(worker.ms)),
                peak_mib=each(lambda worker: worker.peak_mib),
                start_s=each(lambda worker: worker.start_s))


def _compare(outputs):
    first = next(iter(outputs), None)
    for name, output in outputs.items():
        difference = abs(output - outputs[first]).max() / abs(outputs[first]).max()
        if not difference < 1e-3:
            raise InputError(f"{name}'s outputs differ from {first}'s by "
                             f"{difference:.1e} of the largest; nothing was timed")


def _rounds(workers, missing, seconds, tick):
    """Give each its turns; those that fail go from `workers` to `missing`."""
    dice, rounds, start = random.Random(0), 0, time.perf_counter()
    while workers and (rounds < ROUNDS or time.perf_counter() - start < seconds):
        began = time.perf_counter()
        for name in dice.sample(list(workers), len(workers)):
            try:
                workers[name].turn()
            except Failure as error:
                missing[name] = str(error)
                workers.pop(name).end()
        rounds += 1
        tick(time.perf_counter() - began)
    return rounds


def alone(function, *args):
    """What a function gives in a process of its own."""
    with ProcessPoolExecutor(1, _CONTEXT) as pool:
        with _deaf_to_ctrl_c():
            future = pool.submit(function, *args)
        return future.result()


@contextlib.contextmanager
def _deaf_to_ctrl_c():
    """Processes that the block starts do not hear it: this one ends them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def matmul_peak(size=1536):
    """The most GFLOP/s of NumPy's matrix product, float32."""
    a = np.random.default_rng(0).normal(size=(size, size)).astype(np.float32)
    times = []
    for _ in range(12):
        begin = time.perf_counter()
        a @ a
        times.append(time.perf_counter() - begin)
    return 2e-9 * size ** 3 / min(times)
