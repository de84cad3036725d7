"""What a classifier says of each image of a dataset."""
from dataclasses import dataclass

import numpy as np

from sknet.classifier import Classifier
from sknet.data.loading import loaded
from sknet.errors import InputError
from sknet.evaluation.views import Views

TOP = 5


@dataclass(frozen=True)
class Scorer:
    """Called with batches, ranges of indices of a dataset, it yields
    (batch, rows): for each image a dict of

        index, name, label: of the image;
        rank: the place of its class, 1 for the most probable, and among equal ones
            the last, as in Caffe's Accuracy layer;
        classes, probabilities: the most probable ones, the mean over the views;

    or of index, name and error. A batch is what the net sees at a time, so that its
    rows do not depend on which others are computed, or where.

    Raises InputError for a label that is no class of the net, or for NaN.
    """
    classifier: Classifier
    dataset: object
    views: Views
    threads: int

    def __call__(self, batches):
        for batch, items in loaded(self.dataset, self.views, batches, self.threads):
            for item in items:
                check_label(item.label, item.name, self.classifier.num_classes)
            good = [item for item in items if not item.error]
            rows = [dict(index=item.index, name=item.name, error=item.error)
                    for item in items if item.error]
            if good:
                rows += map(_row, good, self._probabilities(good))
            yield batch, rows

    def identity(self):
        """What the rows depend on, as JSON values."""
        engine = self.classifier.engine
        if self.classifier.gpu is not None:
            engine += " on a GPU"
        return dict(**self.classifier.identity(), engine=engine,
                    dataset=self.dataset.digest(), images=len(self.dataset),
                    crops=self.views.crops, flip=self.views.flip)

    def _probabilities(self, items):
        """The mean over the views, images x classes, in doubles. One view at a
        time, so that memory is that of a batch."""
        views = np.stack([item.pixels for item in items], axis=1)
        return sum(self.classifier(view).astype(float) for view in views) / len(views)


def check_label(label, name, num_classes):
    """Raise InputError unless it is one of the classes 0, 1, ..."""
    if not 0 <= label < num_classes:
        raise InputError(f"{name}: its label is {label}; the net has {num_classes} "
                         f"classes, 0 to {num_classes - 1}")


def kept(row):
    """Return (label, rank, most probable class) of a Scorer's row without error."""
    return row["label"], row["rank"], row["classes"][0]


def _row(item, probabilities):
    if not np.isfinite(probabilities).all():
        raise InputError(f"{item.name}: the net's probabilities are not all numbers")
    top = np.argsort(-probabilities, kind="stable")[:TOP]
    return dict(index=item.index, name=item.name, label=item.label,
                rank=int((probabilities >= probabilities[item.label]).sum()),
                classes=top.tolist(),
                probabilities=[float(f"{value:.6g}") for value in probabilities[top]])
