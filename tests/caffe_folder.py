"""What Caffe's own C++ suite expects to run in: caffe_folder.py FOLDER BUILD"""
import sys
from pathlib import Path

import matplotlib
from PIL import Image


def lay_out(folder, build):
    """Make a folder like Caffe's root: the source of a build, and the example images
    (a photograph here) that the packaged source lacks."""
    images = folder / "examples/images"
    images.mkdir(parents=True)
    (folder / "src").symlink_to(build / "caffe/src")
    photo = Image.open(Path(matplotlib.get_data_path())
                       / "sample_data/grace_hopper.jpg").convert("RGB")
    photo.resize((480, 360)).save(images / "cat.jpg")
    with open(images / "cat.jpg", "ab") as file:
        # A test knows the original's length; decoders ignore what follows a
        # JPEG's end marker.
        file.write(bytes(140391 - file.tell()))
    photo.resize((480, 360)).convert("L").save(images / "cat_gray.jpg")
    photo.resize((480, 360)).convert("L").save(images / "cat gray.jpg")
    photo.resize((481, 323)).save(images / "fish-bike.jpg")


if __name__ == "__main__":
    lay_out(*(Path(arg).resolve() for arg in sys.argv[1:]))
