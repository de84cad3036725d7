"""Classes' names, in the order of a net's outputs.

Two orders of ImageNet's 1000 classes are in use, and no class has the same
number in both: the devkit's ILSVRC2012_ID (SENet's released models, and likely
SKNet's) and the sorted WordNet ids (Caffe's synset_words.txt and val.txt).
"""
from pathlib import Path

from sknet.errors import InputError
from sknet.files import read_bytes

ORDERS = ("devkit", "wordnet")


def read_labels(path, order=None):
    """Return the labels in a file as a list of strings.

    path: a text file, a label a line, in the order of the outputs ("tench", or
        "n01440764 tench, Tinca tinca"); or an ImageNet devkit's meta.mat.
    order: one of ORDERS, for meta.mat only: by ILSVRC2012_ID (the default) or
        by WordNet id.

    Raises InputError if the file cannot be read or has no labels.
    """
    if Path(path).suffix == ".mat":
        return [f"{wordnet_id} {words}" for _, wordnet_id, words
                in in_order(read_synsets(path), order or "devkit")]
    if order:
        raise InputError(f"{path}: a list of labels is in the order that it is "
                         "in; only a devkit's meta.mat can be put in another")
    try:
        lines = read_bytes(path).decode().rstrip().splitlines()
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not a list of labels (it is not text)") \
            from error
    if not lines:
        raise InputError(f"{path}: no labels in it")
    return [line.strip() for line in lines]


def read_synsets(path):
    """Return the classes in an ImageNet devkit's meta.mat: a list of
    (ILSVRC2012_ID, WordNet id, words). Raises InputError if it is none."""
    from io import BytesIO

    from scipy.io import loadmat
    content = read_bytes(path)
    # loadmat raises whatever a corrupt file makes it stumble over.
    try:
        rows = loadmat(BytesIO(content), squeeze_me=True)["synsets"]
        # Inner nodes of WordNet's tree have children, and ids above 1000.
        return [(int(row["ILSVRC2012_ID"]), str(row["WNID"]), str(row["words"]))
                for row in rows if not row["num_children"]]
    except Exception as error:
        raise InputError(f"{path}: not an ImageNet devkit's meta.mat "
                         "(no readable table `synsets`)") from error


def in_order(synsets, order):
    """Return what read_synsets gives, sorted by one of ORDERS."""
    key = 0 if order == "devkit" else 1
    return sorted(synsets, key=lambda synset: synset[key])
