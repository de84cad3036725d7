"""Matplotlib takes what stands between two $ for a formula; a name that is none ended
the drawing."""
import numpy as np
import pytest
from PIL import Image

from sknet import cli
from sknet.evaluation.confusion import draw

NAME = r"$\frac{$"


def test_picture(tmp_path):
    path, labels, picture = (tmp_path / name for name in
                             (f"{NAME[:2]}x$.png", "labels.txt", "picture.png"))
    Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save(path)
    labels.write_text(f"{NAME}\n" * 10)
    assert cli.main(["classify", "--model", "sknet_digits", "--labels", str(labels),
                     "--picture", str(picture), str(path)]) == 0
    assert picture.exists()


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_confusion(tmp_path, kind):
    path = tmp_path / f"confusion.{kind}"
    draw(str(path), np.eye(3, dtype=int), [NAME] * 3)
    if kind == "svg":
        # As outlines, the text is a comment.
        assert path.read_text().count("frac") >= 6
