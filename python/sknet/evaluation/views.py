"""The parts of an image that a classifier sees, whose probabilities are averaged."""
from dataclasses import dataclass

import numpy as np

from sknet.data.preprocessing import Preprocessing

CROPS = (1, 10)


@dataclass(frozen=True)
class Views:
    """From an image to the net's inputs.

    crops: 1: the centre. 10: the four corners of the resized image and its centre,
        and the mirror images of all, as caffe.io.oversample cuts them.
    flip: the mirror image of the one crop, too.
    """
    preprocessing: Preprocessing
    crops: int = 1
    flip: bool = False

    def __call__(self, image):
        """Return views x channels x crop x crop float32 of a Pillow image of mode
        RGB. Raises InputError if it is smaller than the crop."""
        if self.crops == 1:
            frames = [self.preprocessing.frame(image)]
        else:
            frames = self._five(self.preprocessing.resized(image))
        values = np.stack([self.preprocessing.values(frame) for frame in frames])
        if self.flip or self.crops == 10:
            values = np.concatenate([values, values[..., ::-1]])
        return values

    def _five(self, image):
        side = self.preprocessing.crop
        right, bottom = (length - side for length in image.size)
        for left, top in ((0, 0), (right, 0), (0, bottom), (right, bottom),
                          (right // 2, bottom // 2)):
            yield image.crop((left, top, left + side, top + side))
