#!/usr/bin/env python3
"""Draw held-out digits at growing sizes, to see what SK units attend to.

    tools/digit_sizes.py FOLDER [--count 1000] [--seed 1]

Each of the digits that tools/digits.py holds out, in the centre of a 64x64 image, at
heights of 24 to 60 pixels: the same digit in the same colours and noise. And, as a
control, four copies of 24 pixels: as much ink as one of 48, in small digits.
Writes FOLDER/images/{24,30,...,60,four_24}/*.png, whose folders can be taken for
classes, and FOLDER/{24,30,...,60,four_24}.txt, lists of "FILE LABEL" with the digits as
classes. The same seed makes the same images.
"""
import argparse
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from digits import SIZE, contrasting_colours, load, paste

HEIGHTS = range(24, 61, 6)
CONTROL = "four_24"


def corners():
    """Of each set of images: its name, the digits' height, and (top, left) of each
    digit."""
    for height in HEIGHTS:
        middle = (SIZE - height) // 2
        yield str(height), height, [(middle, middle)]
    # The middles of the image's quarters.
    first, second = (SIZE // 4 * number - 12 for number in (1, 3))
    yield CONTROL, 24, [(top, left) for top in (first, second)
                        for left in (first, second)]


def draw(digit, height, places, seed):
    """A SIZE x SIZE x 3 uint8 image; equal seeds give equal colours and noise."""
    rng = np.random.default_rng(seed)
    background, colour = contrasting_colours(rng)
    canvas = np.empty((SIZE, SIZE, 3), np.float32)
    canvas[:] = background
    for top, left in places:
        paste(canvas, digit, height, top, left, colour)
    canvas += rng.normal(0, rng.uniform(0, 12), canvas.shape)
    return canvas.clip(0, 255).round().astype(np.uint8)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=1000, metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    digits, labels = load(held_out=True)
    chosen = np.random.default_rng(args.seed).permutation(len(digits))[:args.count]
    for name, height, places in corners():
        (args.folder / "images" / name).mkdir(parents=True, exist_ok=True)
        lines = []
        for number, index in enumerate(chosen):
            file = f"images/{name}/{number:05d}.png"
            Image.fromarray(draw(digits[index], height, places, [args.seed, number])
                            ).save(args.folder / file)
            lines.append(f"{file} {labels[index]}\n")
        (args.folder / f"{name}.txt").write_text("".join(lines))
        print(f"{args.folder / name}.txt: {len(lines)} images")
    return 0


if __name__ == "__main__":
    sys.exit(main())
