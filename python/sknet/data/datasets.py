"""Labelled images: a folder, a list, an LMDB or ImageNet's validation set.

All have the same methods, are read at any place, and go to other processes by
pickling:

    len(dataset)
    dataset.name(i)   what tells the image: its path in the folder, or its key
    dataset.label(i)  the number of its class, from 0
    dataset.image(i)  Pillow, RGB; raises InputError if it cannot be decoded
    dataset.classes   the classes' names, or None
    dataset.labels    all labels, or None where only the images' records tell them
    dataset.digest()  a hash in hexadecimal, the same for the same images and labels
"""
import hashlib
import os
from pathlib import Path

from sknet.data.image_lmdb import ImageLmdb
from sknet.data.imagenet import TRUTH, find_meta, number_of, places, read_truth
from sknet.data.labels import read_labels
from sknet.data.preprocessing import read_image
from sknet.errors import InputError
from sknet.files import read_bytes

SUFFIXES = {".bmp", ".gif", ".jp2", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm", ".png",
            ".pnm", ".ppm", ".tif", ".tiff", ".webp"}


def open_dataset(source, labels=None, root=None, order=None):
    """Return the dataset that `source` is.

    source:
        a folder with a folder of images for each class, in it or one deeper: the
            classes are numbered in the order of the folders' names, or by `labels`;
        a list, "PATH LABEL" a line, as convert_imageset and ImageData read it;
        a folder that is an LMDB of Datums;
        a folder of images, such as ImageNet's for validation: `labels` has theirs.
    labels: the classes' names in their order, or an ImageNet devkit: its meta.mat,
        or its folder. For a folder of images: a list as above (Caffe's val.txt),
        a devkit, or the devkit's ILSVRC2012_validation_ground_truth.txt.
    root: the folder that a list's paths are relative to; by default the current
        one, as in Caffe, or that of the list, whichever has the first image.
    order: one of labels.ORDERS, in which the labels are wanted; with a devkit
        "devkit" by default. Lists, LMDBs and folders have Caffe's, "wordnet", and
        only a devkit tells the other.

    Raises InputError if it is none of these, is empty, or the labels do not fit.
    """
    path = Path(source)
    meta = find_meta(labels) if labels else None
    if root is not None and not path.is_file():
        raise InputError(f"{path}: not a list; only a list's paths are relative to "
                         "another folder")
    if path.is_dir() and not (path / "data.mdb").exists():
        folders = sorted(entry.name for entry in os.scandir(path)
                         if entry.is_dir() and not entry.name.startswith("."))
        if not folders:
            return _flat_folder(path, labels, meta, order)
        _expect_order(path, order, "wordnet", meta)
        return _class_folders(path, folders, labels, meta, order)
    _expect_order(path, order, "wordnet", meta)
    classes, renumbered = None, None
    if meta:
        classes = read_labels(meta, order)
        renumbered = _from_wordnet(meta, order)
    elif labels:
        classes = read_labels(labels)
    if path.is_dir():
        return ImageLmdb(path, classes, renumbered)
    if not path.exists():
        raise InputError(f"{path}: no such file or folder; expected a folder of "
                         "images, a list of them or an LMDB")
    names, numbers = _read_list(path)
    if renumbered:
        numbers = [_renumber(number, renumbered, f"{path}: {name}")
                   for name, number in zip(names, numbers)]
    return ImageFiles(_root(path, root, names[0]), names, numbers, classes)


class ImageFiles:
    """Images in files: their names relative to `root`, and their labels."""

    def __init__(self, root, names, labels, classes=None):
        self.root, self.classes = Path(root), classes
        self._names, self.labels = tuple(names), tuple(labels)

    def __len__(self):
        return len(self._names)

    def name(self, index):
        return self._names[index]

    def label(self, index):
        return self.labels[index]

    def image(self, index):
        return read_image(self.root / self._names[index])

    def digest(self):
        hasher = hashlib.sha256()
        for name, label in zip(self._names, self.labels):
            hasher.update(f"{name} {label}\n".encode(errors="surrogateescape"))
        return hasher.hexdigest()


def _class_folders(path, folders, labels, meta, order):
    if meta:
        numbers, _ = places(meta, order or "devkit")
        classes = read_labels(meta, order)
    elif labels:
        classes = read_labels(labels)
        # "n01440764 tench" is the folder n01440764's.
        numbers = {label.split(" ")[0]: number for number, label in enumerate(classes)}
        numbers.update({label: number for number, label in enumerate(classes)})
    else:
        classes = folders
        numbers = {name: number for number, name in enumerate(folders)}
    names, found = [], []
    for folder in folders:
        if folder not in numbers:
            raise InputError(f"{path / folder}: no class of that name in {labels}")
        images = _images(path / folder, deeper=True)
        if not images:
            raise InputError(f"{path / folder}: no images in this class's folder")
        names += [f"{folder}/{image}" for image in images]
        found += [numbers[folder]] * len(images)
    return ImageFiles(path, names, found, classes)


def _flat_folder(path, labels, meta, order):
    names = _images(path, deeper=False)
    if not names:
        raise InputError(f"{path}: no images in it; expected a folder of images for "
                         "each class, a list, or an LMDB")
    if not labels:
        raise InputError(f"{path}: its images are in no folders of classes; expected "
                         "their labels in a list or an ImageNet devkit")
    truth = meta.with_name(TRUTH) if meta else Path(labels)
    content = read_bytes(truth).split(b"\n", 1)[0].split()
    if len(content) != 1:
        _expect_order(truth, order, "wordnet", None)
        known = dict(zip(*_read_list(truth)))
        numbers = [_look_up(known, name, path, truth) for name in names]
        return ImageFiles(path, names, numbers)
    ids = read_truth(truth)
    numbers = [_look_up(ids, number_of(name), path / name, truth) for name in names]
    meta = meta or find_meta(truth.parent)
    _expect_order(truth, order, "devkit", meta)
    if not meta:
        return ImageFiles(path, names, [number - 1 for number in numbers])
    _, by_id = places(meta, order or "devkit")
    numbers = [_renumber(number, by_id, truth) for number in numbers]
    return ImageFiles(path, names, numbers, read_labels(meta, order))


def _look_up(known, key, name, labels):
    if key not in known:
        raise InputError(f"{name}: {key} has no label in {labels}")
    return known[key]


def _expect_order(path, order, native, meta):
    if order and order != native and not meta:
        raise InputError(f"{path}: its labels are in the order {native!r}; only an "
                         f"ImageNet devkit's meta.mat can put them in {order!r}")


def _from_wordnet(meta, order):
    """Of each class's number in the order of WordNet ids, that in `order`."""
    numbers, _ = places(meta, order or "devkit")
    return {old: numbers[key] for old, key in enumerate(sorted(numbers))}


def _renumber(number, numbers, name):
    if number not in numbers:
        raise InputError(f"{name}: class {number}; the devkit has {len(numbers)}")
    return numbers[number]


def _read_list(path):
    """Return (names, numbers) of a list; the last space parts them, as in Caffe."""
    try:
        lines = os.fsdecode(read_bytes(path)).splitlines()
        pairs = [line.rstrip().rsplit(" ", 1) for line in lines if line.strip()]
        names, numbers = zip(*((name.strip(), int(number)) for name, number in pairs))
    except ValueError:
        raise InputError(f"{path}: {_bad_line(lines)}expected a list of images, "
                         '"PATH LABEL" a line') from None
    return names, numbers


def _bad_line(lines):
    for number, line in enumerate(lines, 1):
        end = line.rstrip().rsplit(" ", 1)[1:]
        if line.strip() and not (end and end[0].lstrip("-").isdigit()):
            return f"line {number}: {line[:60]!r}; "
    return "" if lines else "empty; "


def _root(path, root, first):
    """The folder that a list's names are relative to."""
    choices = [Path(root)] if root is not None else [Path(), path.parent]
    for folder in choices:
        if (folder / first).exists():
            return folder
    raise InputError(f"{path}: its first image, {choices[0] / first}, is not there; "
                     "expected paths relative to the root folder")


def _images(folder, deeper):
    """The names of the images in a folder, sorted, and of those in its folders."""
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if Path(entry.name).suffix.lower() in SUFFIXES:
                found.append(entry.name)
            elif deeper and entry.is_dir():
                found += [f"{entry.name}/{name}"
                          for name in _images(entry.path, deeper=False)]
    return sorted(found)
