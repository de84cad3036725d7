"""From an image file to a net's input, as Caffe's own data layers do it.

Differences here are the usual reason for bad predictions: Caffe's models mostly
want blue, green, red in 0-255, minus a mean.
"""
from dataclasses import dataclass

import numpy as np

from sknet.errors import InputError

# Input channels by name: indices into R, G, B, grey.
CHANNELS = {"bgr": [2, 1, 0], "rgb": [0, 1, 2], "gray": [3]}
# Of Pillow's formats those of pictures: EPS would start Ghostscript, which runs the
# file as a program, whatever the file's name ends in.
FORMATS = ("BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")


@dataclass(frozen=True)
class Preprocessing:
    """What happens to an image, in this order.

    shorter_side: pixels that the shorter side is resized to; 0: not resized.
    crop: height and width in pixels of the centre that is cut out.
    channels: a key of CHANNELS.
    mean: subtracted from each channel, in the order of `channels`, of 0-255.
    scale: multiplies the difference.

    The defaults are SENet's, as its authors state them, and likely SKNet's,
    whose authors do not.
    """
    shorter_side: int = 256
    crop: int = 224
    channels: str = "bgr"
    mean: tuple = (104.0, 117.0, 123.0)
    scale: float = 1.0

    def __post_init__(self):
        if self.crop < 1:
            raise InputError(f"crop: {self.crop} pixels; expected 1 or more")
        if self.shorter_side and self.shorter_side < self.crop:
            raise InputError(f"shorter side: {self.shorter_side} pixels cannot "
                             f"hold a crop of {self.crop}")
        if len(self.mean) != len(CHANNELS[self.channels]):
            raise InputError(
                f"mean: {len(self.mean)} values; {self.channels} images have "
                f"{len(CHANNELS[self.channels])} channels")

    def __call__(self, image):
        """Return a Pillow image of mode RGB as C x crop x crop float32.

        Raises InputError if it is smaller than the crop.
        """
        return self.values(self.frame(image))

    def frame(self, image):
        """Return the part of a Pillow image that the net sees, resized."""
        image = self.resized(image)
        left, top = ((side - self.crop) // 2 for side in image.size)
        return image.crop((left, top, left + self.crop, top + self.crop))

    def resized(self, image):
        """Return all of a Pillow image, its shorter side as it shall be."""
        if self.shorter_side:
            image = _resize(image, self.shorter_side)
        if min(image.size) < self.crop:
            raise InputError(f"{image.width}x{image.height} pixels are fewer "
                             f"than the crop of {self.crop}")
        return image

    def values(self, frame):
        """Return a part of crop x crop pixels as the net's input."""
        pixels = np.asarray(frame)
        if self.channels == "gray":
            # Grey as OpenCV and Pillow both compute it, in whole numbers.
            pixels = np.asarray(frame.convert("L"))[..., None]
        else:
            pixels = pixels[..., CHANNELS[self.channels]]
        pixels = (pixels - np.float32(self.mean)) * np.float32(self.scale)
        return pixels.transpose(2, 0, 1).astype(np.float32)


def read_image(file, name=None):
    """Return the image in a file, upright, as a Pillow image of mode RGB.

    file: its path, or a file object, which is called `name` in messages.

    Grey images get three equal channels, transparency is dropped, 16 bits
    become 8, EXIF's orientation is followed: all as cv::imread, so as
    convert_imageset and the ImageData layer.

    Raises InputError if it cannot be read or decoded whole.
    """
    from PIL import Image, ImageOps
    try:
        with Image.open(file, formats=FORMATS) as image:
            image = ImageOps.exif_transpose(image)
            if image.mode.startswith("I"):
                image = Image.fromarray(
                    (np.asarray(image) >> 8).astype(np.uint8))
            return image.convert("RGB")
    except OSError as error:
        reason = error.strerror or str(error)
    # Pillow's decoders raise whatever a corrupt file makes them stumble over.
    except Exception as error:
        reason = str(error)
    # Pillow names the file, or the object, in its own way.
    reason = reason.replace(f" {str(file)!r}", "").replace(f" {file!r}", "")
    raise InputError(f"{name or file}: {reason}")


def _resize(image, shorter_side):
    factor = shorter_side / min(image.size)
    return resize(image, tuple(round(side * factor) for side in image.size))


def resize(image, size):
    """Return a Pillow image resized to (width, height): bilinear, sampled at the
    new pixels' centres and not smoothed, as OpenCV's INTER_LINEAR, which Caffe's
    tools use. (Pillow's own resize smooths.)"""
    from PIL import Image
    if size == image.size:
        return image
    steps = [old / new for old, new in zip(image.size, size)]
    return image.transform(size, Image.Transform.AFFINE,
                           (steps[0], 0, 0, 0, steps[1], 0),
                           Image.Resampling.BILINEAR)
