"""Engines timed in turns, so that what else the machine does meets all alike."""
import time

import numpy as np

from sknet.bench.engines import ENGINES
from sknet.errors import InputError

ROUNDS = 7  # the least of each


def prepare(source, names, batch, threads):
    """Return ({name: function}, {name: why it is not there}) for a batch of random
    images. Raises InputError if two engines' outputs differ."""
    images = np.random.default_rng(1).normal(
        size=(batch, *source.shape)).astype(np.float32)
    runs, missing, outputs = {}, {}, {}
    for name in names:
        try:
            runs[name] = ENGINES[name](source, images, threads)
        except ImportError as error:
            missing[name] = str(error)
            continue
        outputs[name] = np.array(runs[name]()).reshape(batch, -1)
    first = next(iter(outputs), None)
    for name, output in outputs.items():
        difference = abs(output - outputs[first]).max() / abs(outputs[first]).max()
        if not difference < 1e-3:
            raise InputError(f"{name}'s outputs differ from {first}'s by "
                             f"{difference:.1e} of the largest; nothing was timed")
    return runs, missing


def measure(runs, seconds, tick):
    """{name: milliseconds of each round} of functions called in turns, for about as
    long as told. Every round begins with another, and ends with a call of `tick` with
    the seconds that it took."""
    times = {name: [] for name in runs}
    order = list(runs)
    start = time.perf_counter()
    while (time.perf_counter() - start < seconds
           or len(times[order[0]]) < ROUNDS):
        round_began = time.perf_counter()
        for name in order:
            begin = time.perf_counter()
            runs[name]()
            times[name].append(1e3 * (time.perf_counter() - begin))
        order.append(order.pop(0))
        tick(time.perf_counter() - round_began)
    return times


def matmul_peak(threads, size=1536):
    """The most GFLOP/s of NumPy's matrix product, float32, on so many threads."""
    from threadpoolctl import threadpool_limits
    a = np.random.default_rng(0).normal(size=(size, size)).astype(np.float32)
    with threadpool_limits(threads):
        times = []
        for _ in range(12):
            begin = time.perf_counter()
            a @ a
            times.append(time.perf_counter() - begin)
    return 2e-9 * size ** 3 / min(times)
