import contextlib
import os
import subprocess
from types import SimpleNamespace

import caffe
import numpy as np
import pytest
from PIL import Image
from sknet import models

# PyTorch's threads, which spin while they wait, would be in the way of Caffe's.
with contextlib.suppress(ImportError):
    import torch
    torch.set_num_threads(1)

CONVERT = os.path.join(os.path.dirname(caffe.__file__), "bin/convert_imageset")


@pytest.fixture(scope="session")
def lmdbs(tmp_path_factory):
    """Paths of two LMDBs of four random images each, `train` and `val`, large
    enough to crop every model's smallest input at random; labels 0 to 3."""
    size = max(models.get(name).min_size for name in models.names()) + 8
    random = np.random.default_rng(0)
    paths = {}
    for part in "train", "val":
        folder = tmp_path_factory.mktemp(part)
        for label in range(4):
            coarse = random.integers(0, 256, (8, 8, 3)).astype(np.uint8)
            Image.fromarray(coarse).resize((size, size)).save(
                folder / f"{label}.png")
        (folder / "list").write_text("".join(
            f"{label}.png {label}\n" for label in range(4)))
        paths[part] = str(folder / "lmdb")
        subprocess.run([CONVERT, f"{folder}/", folder / "list", paths[part]],
                       check=True)
    return SimpleNamespace(**paths)
