import numpy as np
import pytest
from scipy.io import savemat

from sknet.data.labels import read_labels
from sknet.errors import InputError


@pytest.fixture
def devkit(tmp_path):
    """A meta.mat as the devkit's: three classes, whose WordNet order is another
    than their ids', and an inner node."""
    rows = [(2, "n01440764", "tench, Tinca tinca", 0),
            (1, "n02119789", "kit fox, Vulpes macrotis", 0),
            (3, "n01443537", "goldfish, Carassius auratus", 0),
            (1001, "n00001740", "entity", 3)]
    table = np.zeros((len(rows), 1), [
        (name, object) for name in
        ("ILSVRC2012_ID", "WNID", "words", "num_children")])
    for number, row in enumerate(rows):
        table[number, 0] = row
    savemat(tmp_path / "meta.mat", {"synsets": table})
    return tmp_path / "meta.mat"


def test_devkit_is_in_the_order_of_its_ids(devkit):
    assert read_labels(devkit) == [
        "n02119789 kit fox, Vulpes macrotis", "n01440764 tench, Tinca tinca",
        "n01443537 goldfish, Carassius auratus"]


def test_devkit_in_wordnet_order(devkit):
    assert [label.split()[0] for label in read_labels(devkit, "wordnet")] == [
        "n01440764", "n01443537", "n02119789"]


@pytest.mark.parametrize("content, labels", [
    (b"n01440764 tench, Tinca tinca\nn01443537 goldfish\n",
     ["n01440764 tench, Tinca tinca", "n01443537 goldfish"]),
    (b"tench\r\ngoldfish\r\n\r\n", ["tench", "goldfish"]),
    ("\u00fc\nb".encode(), ["\u00fc", "b"]),
])
def test_list_keeps_its_order(tmp_path, content, labels):
    path = tmp_path / "labels.txt"
    path.write_bytes(content)
    assert read_labels(path) == labels


@pytest.mark.parametrize("content", [
    b"", b"MATLAB 5.0 MAT-file, cut short", bytes(range(256)) * 4])
def test_bad_devkit(tmp_path, content):
    path = tmp_path / "meta.mat"
    path.write_bytes(content)
    with pytest.raises(InputError, match="meta.mat: not an ImageNet devkit's"):
        read_labels(path)


def test_matlab_file_of_something_else(tmp_path):
    savemat(tmp_path / "meta.mat", {"images": np.eye(2)})
    with pytest.raises(InputError, match="no readable table `synsets`"):
        read_labels(tmp_path / "meta.mat")


def test_bad_lists(tmp_path):
    path = tmp_path / "labels.txt"
    with pytest.raises(InputError, match="No such file"):
        read_labels(path)
    path.write_bytes(b"\n\n")
    with pytest.raises(InputError, match="no labels"):
        read_labels(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not text"):
        read_labels(path)
    path.write_bytes(b"tench\n")
    with pytest.raises(InputError, match="only a devkit's meta.mat"):
        read_labels(path, "wordnet")
