"""Each file here is an attack that was tried: what a file of unknown origin would do,
and that it does not. Where a switch allows it, the test does it, too, so as to know
that the attack works."""
import sys

import numpy as np
import pytest
from PIL import Image

EVIL = """
import pathlib
import caffe
pathlib.Path({marker!r}).write_text("this code was run")

class Layer(caffe.Layer):
    def setup(self, bottom, top): pass
    def reshape(self, bottom, top): top[0].reshape(*bottom[0].data.shape)
    def forward(self, bottom, top): top[0].data[...] = bottom[0].data
    def backward(self, top, propagate_down, bottom): pass
"""


@pytest.fixture
def marker(tmp_path, monkeypatch):
    """The path of a file that exists once the module `evil`, which Python finds, was
    imported."""
    path = tmp_path / "marker"
    (tmp_path / "evil.py").write_text(EVIL.format(marker=str(path)))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "evil", raising=False)
    yield path
    sys.modules.pop("evil", None)


@pytest.fixture
def images(tmp_path):
    """A folder with a folder of one image."""
    folder = tmp_path / "images/class"
    folder.mkdir(parents=True)
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(folder / "image.png")
    return folder.parent
