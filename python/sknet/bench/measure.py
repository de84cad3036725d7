"""Engines timed in turns, so that what else the machine does meets all alike."""
import random
import statistics
import time

import numpy as np

from sknet.bench.worker import Failure, Worker
from sknet.errors import InputError

ROUNDS = 3  # the least
# Of the largest output; deep untrained nets multiply the last digit's rounding.
WITHIN = {"f32": 5e-3, "tf32": 2e-2, "f16": 2e-2, "bf16": 1e-1}


def random_images(source, batch):
    return np.random.default_rng(1).normal(
        size=(batch, *source.shape)).astype(np.float32)


def measure(source, engines, batch, place, seconds, tick, used_mib=None):
    """Time engines, {name: Engine}, on a batch of random images, for about as long as
    told. Return a dict of

        batch, rounds;
        missing: {name: why it does not run};
        ms, least_ms, passes, peak_mib, start_s: {name: number}; the first is the
            median;
        gpu_mib, with `used_mib`: the same of the GPU's memory, or None.

    Every round has another order, and ends with a call of `tick` with the seconds
    since the first began. Raises InputError if two engines' outputs differ, or none
    runs.

    place: what the engines take last, a number of threads or a GPU's.
    used_mib: gives how much of the GPU's memory is in use, or None.
    """
    images = random_images(source, batch)
    workers, missing = {}, {}
    try:
        for name, engine in engines.items():
            try:
                workers[name] = Worker(engine, source, images, place)
            except (Failure, ImportError, InputError) as error:
                missing[name] = str(error)
        _compare(workers, engines)
        rounds = _rounds(workers, missing, seconds, tick)
        gpu_mib = {name: _given_back(worker, used_mib)
                   for name, worker in workers.items()} if used_mib else None
    finally:
        for worker in workers.values():
            worker.end()
    if not workers:
        raise InputError("no engine runs: " + "; ".join(
            f"{name} ({why})" for name, why in missing.items()))

    def each(what):
        return {name: what(worker) for name, worker in workers.items()}
    memory = {} if gpu_mib is None else dict(gpu_mib=gpu_mib)
    return dict(batch=batch, rounds=rounds, missing=missing, **memory,
                ms=each(lambda worker: statistics.median(worker.ms)),
                least_ms=each(lambda worker: min(worker.ms)),
                passes=each(lambda worker: len(worker.ms)),
                peak_mib=each(lambda worker: worker.peak_mib),
                start_s=each(lambda worker: worker.start_s))


def _compare(workers, engines):
    first = next(iter(workers), None)
    for name, worker in workers.items():
        expected = workers[first].outputs
        difference = abs(worker.outputs - expected).max() / abs(expected).max()
        within = max(WITHIN[engines[each].precision] for each in (first, name))
        if not difference < within:
            raise InputError(f"{name}'s outputs differ from {first}'s by "
                             f"{difference:.1e} of the largest; nothing was timed")


def _given_back(worker, used_mib):
    """End the worker: how much less of the GPU's memory is then in use. What engines
    and CUDA take, they keep until their process ends, so this is their most."""
    before = used_mib()
    worker.end()
    after = used_mib()
    return None if None in (before, after) else before - after


def _rounds(workers, missing, seconds, tick):
    """Give each its turns; those that fail go from `workers` to `missing`."""
    dice, rounds, start = random.Random(0), 0, time.perf_counter()
    while workers and (rounds < ROUNDS or time.perf_counter() - start < seconds):
        for name in dice.sample(list(workers), len(workers)):
            try:
                workers[name].turn()
            except Failure as error:
                missing[name] = str(error)
                workers.pop(name).end()
        rounds += 1
        tick(time.perf_counter() - start)
    return rounds


def product_peak(size=1536):
    """The most GFLOP/s of a product of square matrices, float32: NumPy's or, where it
    is faster, a compiled 1x1 convolution's. Some BLAS lack kernels for new processors.
    """
    a = np.random.default_rng(0).normal(size=(size, size)).astype(np.float32)
    times = []
    for _ in range(12):
        begin = time.perf_counter()
        a @ a
        times.append(time.perf_counter() - begin)
    return max(2e-9 * size ** 3 / min(times), _compiled_peak(size))


def _compiled_peak(size):
    from sknet.files import in_memory
    from sknet.pycaffe import caffe
    text = f"""
    layer {{ name: "data" type: "Input" top: "data" input_param {{
            shape {{ dim: 1 dim: {size} dim: {size} dim: 1 }} }} }}
    layer {{ name: "product" type: "Convolution" bottom: "data" top: "product"
            convolution_param {{ num_output: {size} kernel_size: 1 }} }}"""
    with in_memory(text) as path:
        net = caffe.Net(path, caffe.TEST)
    try:
        program = caffe.compile(net)
    except (ImportError, caffe.Error):  # without oneDNN, or AVX2
        return 0
    return max(step["gflops"] for _ in range(12) for step in program.explain(1))
