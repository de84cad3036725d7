"""Figures as files."""
import io
import re
from pathlib import Path

from sknet.errors import InputError
from sknet.files import replacing

FORMATS = ("png", "pdf", "svg", "jpg")
MOST = 20  # letters of a class's name


def check_name(path):
    """Raise InputError unless a figure can be written to that name."""
    if Path(path).suffix[1:].lower() not in FORMATS:
        raise InputError(f"{path}: expected a name that ends in ."
                         + ", .".join(FORMATS))
    if not Path(path).absolute().parent.is_dir():
        raise InputError(f"{path}: no such folder")


def save(figure, path, force=True):
    """Write a matplotlib Figure, in the format that the name ends in; `force` as in
    sknet.files.replacing."""
    from matplotlib.text import Text
    # Names of classes and files are no formulas.
    for text in figure.findobj(lambda artist: isinstance(artist, Text)
                                and "$" in artist.get_text()):
        text.set_parse_math(False)
    # Of a disk that is full, Pillow's writers do not always say so.
    content = io.BytesIO()
    figure.savefig(content, format=Path(path).suffix[1:].lower(), dpi=110)
    with replacing(path, force) as name:
        Path(name).write_bytes(content.getvalue())


def shortened(name):
    """A class's name with room for it: of "n01440764 tench", the words."""
    name = re.sub(r"^n\d{8} ", "", name)
    return name if len(name) <= MOST else name[:MOST - 1] + "…"
