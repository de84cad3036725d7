"""EPS is a program, in PostScript: Pillow would have Ghostscript run it. What a file is
it knows by its content; the name may end in .jpg."""
import shutil

import caffe.io
import numpy as np
import pytest
from PIL import EpsImagePlugin, Image

from sknet import cli
from sknet.data.preprocessing import read_image
from sknet.errors import InputError

EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n%%EOF\n"


@pytest.fixture
def ran(monkeypatch):
    """A list of what Ghostscript would have been asked to run."""
    ran = []
    monkeypatch.setattr(EpsImagePlugin, "Ghostscript",
                        lambda *args, **kwargs: ran.append(args) or
                        Image.new("RGB", (9, 9)).im)
    return ran


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "holiday.jpg"
    path.write_bytes(EPS)
    return str(path)


def test_pillow_would(path, ran):
    with Image.open(path) as image:
        image.load()
    assert ran


def test_read_image(path, ran):
    with pytest.raises(InputError, match="holiday.jpg: cannot identify image file"):
        read_image(path)
    with pytest.raises(OSError, match="cannot identify image file"):
        caffe.io.load_image(path)
    assert not ran


def test_train(path, ran, tmp_path, capsys):
    """sknet train puts images in LMDBs."""
    folder = tmp_path / "photos/class"
    folder.mkdir(parents=True)
    shutil.copy(path, folder)
    for number in range(3):
        Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save(folder / f"{number}.png")
    cli.main(["train", "sknet_digits", str(folder.parent), "-o", str(tmp_path / "run"),
              "--epochs", "0.01"])
    assert "holiday.jpg: cannot identify image file" in capsys.readouterr().err
    assert not ran


def test_decompression_bomb(tmp_path):
    """A small file of 40,000 x 40,000 pixels is refused."""
    path = tmp_path / "bomb.png"
    Image.new("1", (40000, 40000)).save(path)
    assert path.stat().st_size < 1 << 20
    with pytest.raises(InputError, match="decompression bomb"):
        read_image(path)
