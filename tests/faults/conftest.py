import functools
import shutil

import numpy as np
import pytest
from PIL import Image

from sknet.source import shipped

pytest.register_assert_rewrite("contents")
from contents import contents
from operations import OPERATIONS
from processes import run


@pytest.fixture(scope="session")
def place(tmp_path_factory):
    """A folder with folders of images, one for each class: random ones, and digits
    that sknet_digits knows."""
    place = tmp_path_factory.mktemp("faults")
    random = np.random.default_rng(0)
    for number in range(36):
        path = place / "images" / "abc"[number % 3] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (64, 64, 3)).astype(np.uint8)).save(path)
    for path in shipped("sknet_digits", "images").iterdir():
        folder = place / "digits" / path.name[len("digit_")]
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder)
    # Starts the server, which takes its time.
    assert run(int, place).status == 0
    return place


@pytest.fixture(scope="session")
def work(place):
    """A folder, the same for all tests: its name is in what is written."""
    folder = place / "work"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def undisturbed(work):
    """undisturbed(operation's name) → (End, contents at the end, the same with what
    is deleted on the way)."""
    @functools.cache
    def do(name):
        operation, known = OPERATIONS[name], {}
        for action in filter(None, (operation.thorough, operation.action)):
            operation.begin(work, overwriting=True)
            end = run(action, work)
            assert end.status == 0, end.stderr
            final = contents(work)
            known.update(final)
        return end, final, known
    return do
