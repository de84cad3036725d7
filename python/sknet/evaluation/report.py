"""The errors that predictions amount to."""
import csv
from dataclasses import dataclass

import numpy as np

from sknet.evaluation.scoring import TOP
from sknet.files import replacing


@dataclass(frozen=True)
class Report:
    """The results of N images.

    labels, ranks, predicted: N whole numbers each: the image's class, its place
        among the predictions from 1, and the class predicted first.
    """
    labels: np.ndarray
    ranks: np.ndarray
    predicted: np.ndarray
    num_classes: int

    @classmethod
    def of(cls, results, num_classes):
        """From rows of (label, rank, predicted class), one at least."""
        return cls(*np.array(list(results)).T, num_classes)

    def error(self, top):
        """The share of images whose class is not among the first `top`."""
        return float((self.ranks > top).mean())

    def per_class(self):
        """Return (images, wrong at top 1, wrong at top 5), a number for each class."""
        def count(chosen):
            return np.bincount(self.labels[chosen], minlength=self.num_classes)
        return count(self.ranks > 0), count(self.ranks > 1), count(self.ranks > TOP)

    def confusion(self):
        """Return classes x classes: images of the row's class, predicted as the
        column's."""
        matrix = np.zeros((self.num_classes, self.num_classes), int)
        np.add.at(matrix, (self.labels, self.predicted), 1)
        return matrix

    def near_chance(self):
        """Whether there are images enough to tell, and no more of them right than
        guesses would be: within three standard deviations, and less than three
        times as many."""
        images, chance = len(self.ranks), 1 / self.num_classes
        right = int((self.ranks == 1).sum())
        deviation = (images * chance * (1 - chance)) ** 0.5
        return images >= 20 and right < 3 * images * chance \
            and right <= images * chance + 3 * deviation


def write_csv(path, report, names, force=True):
    """Write a line for each class: its number, its name ("" without `names`), its
    images, and its errors as shares, empty where there are no images; `force` as in
    sknet.files.replacing."""
    with replacing(path, force) as name, open(name, "w", newline="",
                                              encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["class", "name", "images", "top1_error", "top5_error"])
        for number, (images, *wrong) in enumerate(zip(*report.per_class())):
            shares = [f"{count / images:.6g}" if images else "" for count in wrong]
            writer.writerow([number, names[number] if names else "", images, *shares])
