"""libcaffe_codecs, which reads image files: loaded where they are read."""
import shutil
import subprocess
import sys
from pathlib import Path

import caffe
import numpy as np
import pytest
from PIL import Image

PROGRAM = """
import caffe
print("libopencv_imgcodecs" in open("/proc/self/maps").read())
net = caffe.Net("net.prototxt", caffe.TEST)
net.forward()
print(*net.blobs["data"].data.ravel())
print("libopencv_imgcodecs" in open("/proc/self/maps").read())
"""


@pytest.fixture
def run(tmp_path):
    """run(folder of packages) → what a program ends with that reads an image."""
    pixels = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    Image.fromarray(pixels[..., ::-1]).save(tmp_path / "image.png")
    (tmp_path / "list.txt").write_text("image.png 0\n")
    (tmp_path / "net.prototxt").write_text(
        "layer { name: 'images' type: 'ImageData' top: 'data' top: 'label' "
        "image_data_param { source: 'list.txt' batch_size: 1 } }")

    def run(packages):
        return subprocess.run(
            [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(packages)!r})"
             + PROGRAM], cwd=tmp_path, capture_output=True, text=True)
    run.pixels = pixels
    return run


def test_codecs_are_loaded_where_they_are_needed(run):
    done = run(Path(caffe.__file__).parents[1])
    before, values, after = done.stdout.splitlines()
    assert (before, after) == ("False", "True")
    np.testing.assert_array_equal(list(map(float, values.split())),
                                  run.pixels.transpose(2, 0, 1).ravel())


def test_without_them_it_is_said(run, tmp_path):
    shutil.copytree(Path(caffe.__file__).parent, tmp_path / "packages/caffe")
    codecs, = (tmp_path / "packages/caffe").glob("libcaffe_codecs.so.*")
    codecs.unlink()
    done = run(tmp_path / "packages")
    assert done.returncode == 1 and done.stdout == "False\n"
    assert f"Image files: {codecs.name}" in done.stderr.splitlines()[-1]
