import multiprocessing
import pickle
import re
import shutil

import cv2
import lmdb
import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from sknet.data.datasets import open_dataset
from sknet.errors import InputError

from lmdb_of import write_lmdb

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (9, 7, 3)).astype(np.uint8)  # red, green, blue


def save(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(PIXELS).save(path, "png")


def content(dataset):
    return [(dataset.name(index), dataset.label(index))
            for index in range(len(dataset))]


@pytest.fixture
def folders(tmp_path):
    root = tmp_path / "images"
    for name in ("cat/b.png", "cat/a.PNG", "cat/deeper/c.png", "ant/x y.png",
                 ".hidden/z.png", "cat/.z.png"):
        save(root / name)
    (root / "cat" / "notes.txt").write_text("no image")
    return root


def test_a_folder_for_each_class(folders):
    dataset = open_dataset(folders)
    assert dataset.classes == ["ant", "cat"]
    assert content(dataset) == [("ant/x y.png", 0), ("cat/a.PNG", 1),
                                ("cat/b.png", 1), ("cat/deeper/c.png", 1)]
    assert dataset.labels == (0, 1, 1, 1)
    for index in range(4):
        assert np.array_equal(dataset.image(index), PIXELS)


def test_a_list_numbers_folders_its_own_way(folders, tmp_path):
    labels = tmp_path / "labels.txt"
    labels.write_text("bee, an insect\ncat, a pet\nant, an insect\n"
                      .replace(",", " ,"))
    dataset = open_dataset(folders, labels)
    assert dataset.labels == (2, 1, 1, 1)
    assert dataset.classes[1] == "cat , a pet"
    labels.write_text("cat\nbee\n")
    with pytest.raises(InputError, match="ant: no class of that name in .*labels.txt"):
        open_dataset(folders, labels)


def test_lists_are_caffes(folders, tmp_path, monkeypatch):
    path = tmp_path / "list.txt"
    path.write_text("ant/x y.png 3\r\n\ncat/b.png 0\n")
    dataset = open_dataset(path, root=folders)
    assert content(dataset) == [("ant/x y.png", 3), ("cat/b.png", 0)]
    assert np.array_equal(dataset.image(0), PIXELS) and dataset.classes is None
    # Relative to the current folder, or else to the list's.
    with pytest.raises(InputError, match="list.txt: its first image, ant/x y.png"):
        open_dataset(path)
    monkeypatch.chdir(folders)
    assert np.array_equal(open_dataset(path).image(1), PIXELS)
    monkeypatch.chdir("/")
    shutil.move(path, folders / "list.txt")
    assert np.array_equal(open_dataset(folders / "list.txt").image(1), PIXELS)


@pytest.fixture
def datums():
    planes = PIXELS[..., ::-1].transpose(2, 0, 1)
    grey = PIXELS[..., 0]
    png = cv2.imencode(".png", PIXELS[..., ::-1])[1].tobytes()
    shape = dict(height=9, width=7)
    return {"00_raw": dict(data=planes.tobytes(), channels=3, label=2, **shape),
            "01_png": dict(data=png, label=0, encoded=True),
            "02_grey": dict(data=grey.tobytes(), channels=1, label=1, **shape),
            "03_short": dict(data=b"123", channels=3, label=1, **shape),
            "04_garbage": dict(data=png[:40], label=1, encoded=True)}


def test_lmdb(tmp_path, datums):
    dataset = open_dataset(write_lmdb(tmp_path / "lmdb", datums))
    assert content(dataset) == [(key, value["label"]) for key, value in datums.items()]
    assert dataset.labels is None
    assert np.array_equal(dataset.image(0), PIXELS)
    assert np.array_equal(dataset.image(1), PIXELS)
    assert np.array_equal(dataset.image(2), PIXELS[..., [0, 0, 0]])
    with pytest.raises(InputError, match="lmdb: 03_short: 3 bytes for 3x9x7"):
        dataset.image(3)
    with pytest.raises(InputError, match="lmdb: 04_garbage: "):
        dataset.image(4)


def _read(dataset):
    return dataset.label(1), np.asarray(dataset.image(1))


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_datasets_go_to_other_processes(folders, tmp_path, datums, start):
    for dataset in (open_dataset(folders),
                    open_dataset(write_lmdb(tmp_path / "lmdb", datums))):
        here = _read(dataset)
        with multiprocessing.get_context(start).Pool(1) as pool:
            there = pool.apply(_read, [dataset])
        assert there[0] == here[0] and np.array_equal(there[1], here[1])


def test_digests_tell_datasets_apart(folders, tmp_path, datums):
    listed = tmp_path / "list.txt"
    listed.write_text("cat/a.PNG 0\n")
    first = open_dataset(listed, root=folders).digest()
    assert first == open_dataset(listed, root=folders).digest()
    listed.write_text("cat/a.PNG 1\n")
    assert first != open_dataset(listed, root=folders).digest()
    path = write_lmdb(tmp_path / "lmdb", datums)
    first = open_dataset(path).digest()
    assert first == pickle.loads(pickle.dumps(open_dataset(path))).digest()
    write_lmdb(path, {"00_raw": datums["01_png"]})
    assert first != open_dataset(path).digest()


# ImageNet. Three classes: devkit ids 1, 2, 3 are kit fox, tench and goldfish;
# sorted by WordNet id, tench, goldfish, kit fox.
WORDNET = {"n01440764": 0, "n01443537": 1, "n02119789": 2}
IDS = {"n02119789": 1, "n01440764": 2, "n01443537": 3}
IMAGES = ["n01443537", "n02119789", "n01440764", "n01443537"]
IN_WORDNET, IN_DEVKIT = (1, 2, 0, 1), (2, 0, 1, 2)


@pytest.fixture
def imagenet(tmp_path):
    """A folder with val/, devkit/data/, val.txt and sorted/."""
    names = [f"ILSVRC2012_val_{n:08d}.JPEG" for n in range(1, len(IMAGES) + 1)]
    for name, key in zip(names, IMAGES):
        save(tmp_path / "val" / name)
        save(tmp_path / "sorted" / key / name)
    data = tmp_path / "devkit" / "data"
    data.mkdir(parents=True)
    table = np.zeros((4, 1), [(name, object) for name in
                              ("ILSVRC2012_ID", "WNID", "words", "num_children")])
    for number, (key, value) in enumerate(IDS.items()):
        table[number, 0] = value, key, f"words of {key}", 0
    table[3, 0] = 1001, "n00001740", "entity", 3
    savemat(data / "meta.mat", {"synsets": table})
    (data / "ILSVRC2012_validation_ground_truth.txt").write_text(
        "".join(f"{IDS[key]}\n" for key in IMAGES))
    (tmp_path / "val.txt").write_text("".join(
        f"{name} {WORDNET[key]}\n" for name, key in zip(names, IMAGES)))
    return tmp_path


@pytest.mark.parametrize("labels", ["devkit", "devkit/data", "devkit/data/meta.mat",
                         "devkit/data/ILSVRC2012_validation_ground_truth.txt"])
def test_imagenets_devkit_has_both_orders(imagenet, labels):
    labels = imagenet / labels
    for order, found, first in ((None, IN_DEVKIT, "n02119789"),
                                ("devkit", IN_DEVKIT, "n02119789"),
                                ("wordnet", IN_WORDNET, "n01440764")):
        dataset = open_dataset(imagenet / "val", labels, order=order)
        assert dataset.labels == found
        assert dataset.classes[0] == f"{first} words of {first}"


def test_imagenets_labels_without_the_devkit(imagenet):
    val, truth = imagenet / "val", imagenet / "truth.txt"
    assert open_dataset(val, imagenet / "val.txt").labels == IN_WORDNET
    shutil.copy(imagenet / "devkit/data/ILSVRC2012_validation_ground_truth.txt", truth)
    assert open_dataset(val, truth).labels == IN_DEVKIT
    for labels, native, other in ((imagenet / "val.txt", "wordnet", "devkit"),
                                  (truth, "devkit", "wordnet")):
        open_dataset(val, labels, order=native)
        with pytest.raises(InputError, match=f"order '{native}'.*meta.mat"):
            open_dataset(val, labels, order=other)


def test_a_part_of_imagenets_images(imagenet):
    (imagenet / "val" / "ILSVRC2012_val_00000002.JPEG").unlink()
    for labels, expected in (("val.txt", (1, 0, 1)), ("devkit", (2, 1, 2))):
        assert open_dataset(imagenet / "val", imagenet / labels).labels == expected


def test_caffes_labels_go_into_the_devkits_order(imagenet):
    meta = imagenet / "devkit" / "data" / "meta.mat"
    database = write_lmdb(imagenet / "lmdb", {
        str(place): dict(label=label) for place, label in enumerate(IN_WORDNET)})
    for source, root in ((imagenet / "val.txt", imagenet / "val"), (database, None),
                         (imagenet / "sorted", None)):
        for labels, order, wanted in ((meta, "devkit", IN_DEVKIT),
                                      (meta, None, IN_DEVKIT),
                                      (meta, "wordnet", IN_WORDNET),
                                      (None, None, IN_WORDNET)):
            dataset = open_dataset(source, labels, root, order)
            if source == imagenet / "sorted":
                by_name = {dataset.name(index): dataset.label(index)
                           for index in range(len(dataset))}
                found = tuple(by_name[name] for name in sorted(
                    by_name, key=lambda name: name[-13:]))
            else:
                found = tuple(map(dataset.label, range(len(dataset))))
            assert found == wanted, (source, order)
        with pytest.raises(InputError, match="meta.mat"):
            open_dataset(source, None, root, "devkit")


def test_labels_that_the_devkit_lacks(imagenet):
    listed = imagenet / "list.txt"
    listed.write_text("ILSVRC2012_val_00000001.JPEG 3\n")
    with pytest.raises(InputError, match="00000001.JPEG: class 3; the devkit has 3"):
        open_dataset(listed, imagenet / "devkit", imagenet / "val")
    dataset = open_dataset(
        write_lmdb(imagenet / "lmdb", {"key": dict(label=-1)}), imagenet / "devkit")
    with pytest.raises(InputError, match="key: class -1; the devkit has 3"):
        dataset.label(0)


def test_what_is_no_dataset(folders, imagenet):
    def refused(words, *args, **kwargs):
        with pytest.raises(InputError, match=re.escape(words)) as error:
            open_dataset(*args, **kwargs)
        assert "\n" not in str(error.value)

    top = imagenet
    refused("none: no such file or folder", top / "none")
    refused("not a list; only a list's paths", folders, root=top)
    (folders / "bee").mkdir()
    refused("bee: no images in this class's folder", folders)
    (top / "empty").mkdir()
    refused("empty: no images in it", top / "empty")
    refused("val: its images are in no folders of classes; expected their labels",
            top / "val")
    save(top / "val" / "other.png")
    refused("other.png has no label in", top / "val", top / "val.txt")
    refused("other.png: expected a name like ILSVRC2012_val_00000001.JPEG",
            top / "val", top / "devkit")
    (top / "val" / "other.png").rename(top / "val" / "ILSVRC2012_val_00000005.png")
    refused("5 has no label in", top / "val", top / "devkit")
    refused("none.txt: No such file", top / "val", top / "none.txt")
    (top / "lmdb").mkdir()
    (top / "lmdb" / "data.mdb").write_bytes(b"no database" * 999)
    refused("lmdb: ", top / "lmdb")
    refused("no images in it", write_lmdb(top / "nothing", {}))
    bad = top / "bad.txt"
    for text, words in ((b"", "empty; expected a list"),
                        (b"\n\n", "expected a list"),
                        (b"a.png 0\nb.png\n", "line 2: 'b.png'; expected a list"),
                        (b"a.png 0\nb.png x\n", "line 2: 'b.png x'"),
                        (b"\x89PNG\r\n\x1a\n\xff\x00", "line 1: ")):
        bad.write_bytes(text)
        refused(f"bad.txt: {words}", bad)


def test_a_datum_that_is_none(tmp_path):
    path = tmp_path / "lmdb"
    with lmdb.open(str(path)) as environment, \
            environment.begin(write=True) as transaction:
        transaction.put(b"key", b"\xff\xff\xff")
    with pytest.raises(InputError, match="key: not one of Caffe's Datum"):
        open_dataset(path).image(0)


def test_broken_images_are_named(folders):
    (folders / "cat" / "a.PNG").write_bytes(b"")
    (folders / "cat" / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    dataset = open_dataset(folders)
    for index in (1, 2):
        with pytest.raises(InputError, match=re.escape(
                f"{folders / dataset.name(index)}: ")):
            dataset.image(index)
