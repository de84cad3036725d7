"""Images decoded and preprocessed in threads while the net computes."""
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Optional

import numpy as np

from sknet.errors import InputError

AHEAD = 2  # batches that wait for the net, at most


@dataclass(frozen=True)
class Item:
    """Image `index` of a dataset: its `pixels`, or why there are none: `error`, a
    line that names it."""
    index: int
    name: str
    label: int
    pixels: Optional[np.ndarray] = None
    error: Optional[str] = None


def batches(length, size):
    """Return the ranges of `size` indices, the last shorter, up to `length`."""
    return [range(start, min(start + size, length))
            for start in range(0, length, size)]


def loaded(dataset, prepare, batches, threads):
    """Yield (batch, [Item]) for each of `batches`, ranges of indices, in order.

    prepare: gives an Item's pixels from a Pillow image.
    threads: that do so; 0: they are loaded when they are asked for.
    """
    load = partial(_load, dataset, prepare)
    if not threads:
        for batch in batches:
            yield batch, [load(index) for index in batch]
        return
    pool = ThreadPoolExecutor(threads)
    waiting = deque()
    try:
        for batch in batches:
            waiting.append((batch, [pool.submit(load, index) for index in batch]))
            if len(waiting) > AHEAD:
                yield _next(waiting)
        while waiting:
            yield _next(waiting)
    finally:
        pool.shutdown(cancel_futures=True)


def _next(waiting):
    batch, items = waiting.popleft()
    return batch, [item.result() for item in items]


def _load(dataset, prepare, index):
    name, label = dataset.name(index), dataset.label(index)
    try:
        image = dataset.image(index)
    except InputError as error:
        return Item(index, name, label, error=str(error))
    try:
        return Item(index, name, label, prepare(image))
    except InputError as error:
        return Item(index, name, label, error=f"{name}: {error}")
