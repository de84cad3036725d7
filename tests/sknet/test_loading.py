import threading
import time

import pytest

from sknet.data.loading import AHEAD, batches, loaded
from sknet.errors import InputError


class Numbers:
    """A dataset whose images are their numbers; that of 5 is broken, and 6 is too
    small."""

    def __init__(self):
        self.read, self.changed = set(), threading.Condition()

    def name(self, index):
        return f"n{index}"

    def label(self, index):
        return index % 3

    def image(self, index):
        # Later images are done first.
        time.sleep(.002 * (index % 2))
        with self.changed:
            self.read.add(index)
            self.changed.notify_all()
        if index == 5:
            raise InputError("/folder/n5: broken")
        return index


def double(image):
    if image == 6:
        raise InputError("too small")
    return image * 2


def test_batches():
    assert batches(7, 3) == [range(0, 3), range(3, 6), range(6, 7)]
    assert batches(0, 3) == []


@pytest.mark.parametrize("threads", [0, 1, 4])
def test_images_come_in_order(threads):
    wanted = [range(4, 8), range(0, 4), range(8, 9)]
    found = list(loaded(Numbers(), double, wanted, threads))
    assert [batch for batch, _ in found] == wanted
    for batch, items in found:
        assert [item.index for item in items] == list(batch)
        for item in items:
            assert (item.name, item.label) == (f"n{item.index}", item.index % 3)
            error = {5: "/folder/n5: broken", 6: "n6: too small"}.get(item.index)
            assert item.error == error
            assert item.pixels == (None if error else item.index * 2)


def test_images_are_loaded_ahead_and_not_all():
    dataset = Numbers()
    stream = loaded(dataset, double, batches(1000, 10), 2)
    next(stream)
    ahead = set(range(10 * (AHEAD + 1)))
    with dataset.changed:
        assert dataset.changed.wait_for(lambda: dataset.read == ahead, timeout=60)
        assert not dataset.changed.wait_for(lambda: dataset.read != ahead, timeout=.1)
    stream.close()
    assert dataset.read == ahead


def test_without_threads_nothing_is_loaded_ahead():
    dataset = Numbers()
    next(loaded(dataset, double, batches(1000, 10), 0))
    assert dataset.read == set(range(10))
