"""sknet evaluate, run as users run it, against nets run by hand."""
import csv
import json
import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import caffe
import cv2
import numpy as np
import pytest
from PIL import Image

from sknet.errors import InputError
from sknet.evaluation.report import Report
from sknet.evaluation.scoring import Scorer
from sknet.source import shipped

from lmdb_of import write_lmdb

WEIGHTS = str(shipped("sknet_digits", "sknet_digits.caffemodel"))


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    """What is left in the current folder is seen."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def net():
    return caffe.Net(str(shipped("sknet_digits", "deploy.prototxt")), WEIGHTS,
                     caffe.TEST)


def read_list(path):
    pairs = [line.rsplit(" ", 1) for line in path.read_text().splitlines()]
    return [(str(path.parent / name), int(label)) for name, label in pairs]


def probabilities(net, crops):
    """The net's mean over H x W x BGR crops, by hand."""
    total = np.zeros(10)
    for crop in crops:
        net.blobs["data"].reshape(1, 3, 64, 64)
        net.blobs["data"].data[0] = ((crop.astype(np.float32) - 128) / 64) \
            .transpose(2, 0, 1)
        total += net.forward()["prob"].ravel()
    return total / len(crops)


def rows_of(path):
    rows = [json.loads(line) for line in path.read_text().splitlines()[1:]]
    return sorted(rows, key=lambda row: row["index"])


def expect(found, rows, expected, labels):
    """The summary and the predictions are those of N x classes probabilities."""
    order = np.argsort(-expected, axis=1)
    ranks = np.array([list(line).index(label) + 1
                      for line, label in zip(order, labels)])
    assert found["images"] == len(labels) and found["classes"] == 10
    assert found["top1_error"] == (ranks > 1).mean()
    assert found["top5_error"] == (ranks > 5).mean()
    assert [row["rank"] for row in rows] == list(ranks)
    assert [row["label"] for row in rows] == list(labels)
    assert [row["classes"] for row in rows] == order[:, :5].tolist()
    for row, line, best in zip(rows, expected, order):
        np.testing.assert_allclose(row["probabilities"], line[best[:5]], rtol=1e-3,
                                   atol=1e-6)


def test_agrees_with_pycaffe_and_opencv(sknet, held_out, net, tmp_path):
    paths, labels = zip(*read_list(held_out))
    expected = np.stack([probabilities(net, [cv2.imread(path)]) for path in paths])
    done = sknet("evaluate", "sknet_digits", held_out, "--json", "--predictions",
                 tmp_path / "rows.jsonl")
    assert done.returncode == 0, done.stderr
    rows = rows_of(tmp_path / "rows.jsonl")
    expect(json.loads(done.stdout), rows, expected, labels)
    assert rows[7]["name"] == "val/00007.png"


@pytest.fixture
def wide(held_out, tmp_path):
    """A list of 12 images of 90 x 75 pixels, with labels."""
    lines = []
    for number, (path, label) in enumerate(read_list(held_out)[:12]):
        with Image.open(path) as image:
            image.resize((90, 75)).save(tmp_path / f"{number}.png")
        lines.append(f"{number}.png {label}\n")
    (tmp_path / "wide.txt").write_text("".join(lines))
    return tmp_path / "wide.txt"


@pytest.mark.parametrize("option", ["--crops=10", "--flip"])
def test_views_agree_with_caffes_oversampling(sknet, wide, net, tmp_path, option):
    paths, labels = zip(*read_list(wide))
    expected = []
    for path in paths:
        crops = caffe.io.oversample([cv2.imread(path)], (64, 64))
        # The centre and its mirror image stand at 4 and 9.
        expected.append(probabilities(
            net, crops if option == "--crops=10" else crops[[4, 9]]))
    done = sknet("evaluate", "sknet_digits", wide, "--json", option,
                 "--shorter-side", 0, "--batch-size", 5, "--predictions",
                 tmp_path / "rows.jsonl")
    assert done.returncode == 0, done.stderr
    expect(json.loads(done.stdout), rows_of(tmp_path / "rows.jsonl"),
           np.stack(expected), labels)


def test_every_kind_of_dataset_gives_the_same(sknet, held_out, tmp_path):
    datums = {}
    for number, (path, label) in enumerate(read_list(held_out)):
        folder = tmp_path / "folders" / str(label)
        folder.mkdir(parents=True, exist_ok=True)
        pixels = cv2.imread(path)
        cv2.imwrite(str(folder / f"{number}.png"), pixels)
        datums[f"{number:05d}"] = dict(
            data=pixels.transpose(2, 0, 1).tobytes(), channels=3, height=64, width=64,
            label=label)
    found = []
    for source in (held_out, tmp_path / "folders",
                   write_lmdb(tmp_path / "lmdb", datums)):
        done = sknet("evaluate", "sknet_digits", source, "--json")
        found.append({**json.loads(done.stdout), "dataset": None})
    assert found[0] == found[1] == found[2]
    assert found[0]["images"] == 60 and 0 < found[0]["top1_error"] < 0.3


def test_batches_and_threads_do_not_matter(sknet, held_out):
    found = [sknet("evaluate", "sknet_digits", held_out, "--json", "--csv", "a.csv",
                   "--force", "--batch-size", size, "--threads", threads).stdout
             for size, threads in ((8, 2), (1, 0), (7, 3), (64, 1))]
    assert json.loads(found[0])["images"] == 60
    assert found == found[:1] * 4


def test_table_csv_and_picture(sknet, held_out, tmp_path):
    (tmp_path / "labels.txt").write_text("".join(
        f"digit {number}\n" for number in range(10)))
    done = sknet("evaluate", "sknet_digits", held_out, "--csv", "a.csv",
                 "--confusion", "a.png", "--predictions", "a.jsonl",
                 "--labels", "labels.txt")
    assert done.returncode == 0, done.stderr
    images, classes, top1, top5 = done.stdout.splitlines()[-1].split()
    rows = rows_of(tmp_path / "a.jsonl")
    wrong = [sum(row["rank"] > top for row in rows) for top in (1, 5)]
    assert (images, classes) == ("60", "10")
    assert [top1, top5] == [f"{count / 60:.2%}" for count in wrong]
    with open("a.csv", newline="") as file:
        table = list(csv.DictReader(file))
    assert [line["name"] for line in table] == [f"digit {n}" for n in range(10)]
    for number, line in enumerate(table):
        own = [row for row in rows if row["label"] == number]
        assert int(line["images"]) == len(own)
        for top in (1, 5):
            assert float(line[f"top{top}_error"]) == pytest.approx(
                np.mean([row["rank"] > top for row in own]), abs=1e-6)
    assert cv2.imread("a.png").std() > 10


def test_confusion_counts():
    results = [(0, 1, 0), (0, 2, 1), (0, 2, 1), (1, 6, 2), (2, 1, 2)]
    report = Report.of(results, 4)
    assert report.confusion().tolist() == [
        [1, 2, 0, 0], [0, 0, 1, 0], [0, 0, 1, 0], [0, 0, 0, 0]]
    assert [list(counts) for counts in report.per_class()] == [
        [3, 1, 1, 0], [2, 1, 0, 0], [0, 1, 0, 0]]
    assert (report.error(1), report.error(5)) == (3 / 5, 1 / 5)


@pytest.mark.parametrize("classes, images, right, near", [
    (1000, 50000, 50, True), (1000, 50000, 100, False), (1000, 50000, 38700, False),
    (1000, 20, 0, True), (1000, 19, 0, False), (10, 60, 6, True), (10, 60, 20, False),
    (10, 2000, 400, False), (2, 100, 55, True), (2, 100, 70, False)])
def test_what_guesses_would_give(classes, images, right, near):
    results = [(0, 1, 0)] * right + [(0, 9, 1)] * (images - right)
    assert Report.of(results, classes).near_chance() is near


def test_labels_in_another_order_are_suspected(sknet, held_out, tmp_path):
    other = tmp_path / "other.txt"
    other.write_text("".join(f"{path} {(label + 3) % 10}\n"
                             for path, label in read_list(held_out)))
    done = sknet("evaluate", "sknet_digits", other, "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["near_chance"]
    assert "--label-order" in done.stderr.splitlines()[-1]
    done = sknet("evaluate", "sknet_digits", held_out, "--json")
    assert not json.loads(done.stdout)["near_chance"]
    assert "--label-order" not in done.stderr


def test_unreadable_images_are_skipped(sknet, held_out, net, tmp_path):
    pairs = read_list(held_out)[:20]
    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    (tmp_path / "empty.jpg").write_bytes(b"")
    lines = [f"{path} {label}\n" for path, label in pairs]
    lines.insert(3, "bad.png 1\n")
    lines.append("empty.jpg 2\n")
    (tmp_path / "list.txt").write_text("".join(lines))
    done = sknet("evaluate", "sknet_digits", "list.txt", "--json")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert [image["name"] for image in found["unreadable"]] == ["bad.png", "empty.jpg"]
    right = [probabilities(net, [cv2.imread(path)]).argmax() == label
             for path, label in pairs]
    assert found["images"] == 20
    assert found["top1_error"] == pytest.approx(1 - np.mean(right))
    skipped = [line for line in done.stderr.splitlines() if "skipped" in line]
    assert ["bad.png" in skipped[0], "empty.jpg" in skipped[1]] == [True, True]
    assert "2 of 22 images could not be read" in done.stderr.splitlines()[-1]
    # Once they are there, the rest is not done again.
    for name in ("bad.png", "empty.jpg"):
        Image.open(pairs[0][0]).save(tmp_path / name, "png")
    done = sknet("evaluate", "sknet_digits", "list.txt", "--json", "--batch-size", 2)
    assert done.returncode == 0
    assert "18 of 22 images are in" in done.stderr
    assert json.loads(done.stdout)["images"] == 22
    assert not list(tmp_path.glob("*.jsonl"))


def test_a_killed_evaluation_goes_on(sknet, held_out, tmp_path):
    many = tmp_path / "many.txt"
    many.write_text("".join(f"{path} {label}\n"
                            for path, label in read_list(held_out) * 2))
    command = ["evaluate", "sknet_digits", many, "--json", "--crops", 10,
               "--batch-size", 3]
    whole = sknet(*command, "--predictions", "whole.jsonl")
    assert whole.returncode == 0, whole.stderr
    with subprocess.Popen([sys.executable, "-m", "sknet", *map(str, command)],
                          stdout=subprocess.PIPE) as process:
        while process.poll() is None:
            if any(path.stat().st_size > 3000
                   for path in tmp_path.glob("sknet_digits-*.jsonl")):
                os.kill(process.pid, signal.SIGKILL)
                break
            time.sleep(.01)
        assert process.stdout.read() == b""
    assert process.returncode == -signal.SIGKILL
    state, = tmp_path.glob("sknet_digits-*.jsonl")
    # As if the kill had come in the middle of a line.
    state.write_bytes(state.read_bytes()[:-20])
    again = sknet(*command)
    assert again.returncode == 0
    assert " of 120 images are in" in again.stderr
    assert again.stdout == whole.stdout
    # The predictions are not needed any more.
    assert not list(tmp_path.glob("sknet_digits-*"))
    os.rename("whole.jsonl", "kept.jsonl")
    finished = sknet(*command, "--predictions", "kept.jsonl")
    assert "120 of 120 images are in kept.jsonl" in finished.stderr
    assert finished.stdout == whole.stdout


def test_predictions_of_something_else_are_refused(sknet, refused, held_out, digits,
                                                   tmp_path):
    kept = tmp_path / "kept.jsonl"
    command = ["evaluate", "sknet_digits", held_out, "--json", "--predictions", kept]
    assert sknet(*command).returncode == 0
    before = kept.read_bytes()
    fewer = tmp_path / "fewer.txt"
    fewer.write_text("".join(f"{path} {label}\n"
                             for path, label in read_list(held_out)[:5]))
    for arguments, word in (
            (["evaluate", "sknet_digits", fewer], "dataset"),
            ([*command[:3], "--flip"], "flip"),
            ([*command[:3], "--scale", 1], "preprocessing"),
            ([*command[:3], "--size", 96], "net"),
            ([*command[:3], "--weights", digits.weights], "weights")):
        refused(*arguments, "--predictions", kept,
                naming=["kept.jsonl", f": {word} is", "--force"])
    assert kept.read_bytes() == before
    kept.write_text("my notes\n")
    refused(*command, naming=["kept.jsonl", "not predictions", "--force"])
    assert kept.read_text() == "my notes\n"
    assert sknet(*command, "--force").returncode == 0
    assert rows_of(kept) == [json.loads(line) for line in before.splitlines()[1:]]


@pytest.mark.parametrize("label, rank", [(0, 4), (3, 4), (4, 6), (6, 7)])
def test_among_equals_a_class_is_the_last_as_in_caffes_accuracy(label, rank):
    row, = score([.2, .2, .2, .2, .08, .08, .04], label)
    assert (row["rank"], row["classes"]) == (rank, [0, 1, 2, 3, 4])


def test_nan_is_no_prediction():
    with pytest.raises(InputError, match="n0: the net's probabilities are not all"):
        score([.5, np.nan, .5], 0)


def score(probabilities, label):
    """The rows of one image that a net gives these probabilities."""
    def net(views):
        return np.float32([probabilities])
    net.num_classes = len(probabilities)
    images = SimpleNamespace(name="n{}".format, label=lambda index: label,
                             image=lambda index: None)
    (_, rows), = Scorer(net, images, lambda image: np.zeros((2, 1)), 0)([range(1)])
    return rows


def test_ctrl_c_keeps_what_is_done(held_out, tmp_path):
    many = tmp_path / "many.txt"
    many.write_text("".join(f"{path} {label}\n"
                            for path, label in read_list(held_out) * 20))
    with subprocess.Popen(
            [sys.executable, "-m", "sknet", "evaluate", "sknet_digits", str(many),
             "--crops", "10", "--predictions", "rows.jsonl"],
            stderr=subprocess.PIPE, text=True,
            # Background jobs start with it ignored.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)
            ) as process:
        rows = tmp_path / "rows.jsonl"  # what is computed in the first line
        while process.poll() is None and not (
                rows.exists() and rows.read_bytes().count(b"\n") > 2):
            time.sleep(.01)
        process.send_signal(signal.SIGINT)
        error = process.stderr.read()
    assert process.returncode == 130
    assert "rows.jsonl has what is done" in error and "Traceback" not in error
    assert rows_of(tmp_path / "rows.jsonl")


def test_bad_input(refused, held_out, tmp_path):
    def bad(*args, naming):
        refused("evaluate", "sknet_digits", *args, naming=naming)

    bad("none", naming=["none: no such file"])
    bad(held_out, "--crops", 10, "--flip", naming=["--flip"])
    bad(held_out, "--confusion", "a.doc", naming=["a.doc", "png"])
    (tmp_path / "a.csv").write_text("mine")
    bad(held_out, "--csv", "a.csv", naming=["a.csv", "--force"])
    bad(held_out, "--weights", held_out, naming=["val.txt", "not a caffemodel"])
    refused("evaluate", "sknet50", held_out, naming=["--weights"])
    listed = tmp_path / "list.txt"
    first, _ = read_list(held_out)[0]
    for label in (10, -1):
        listed.write_text(f"{first} 1\n{first} {label}\n")
        bad(listed, naming=[first, f"its label is {label}", "10 classes, 0 to 9"])
    assert (tmp_path / "a.csv").read_text() == "mine"
    assert not list(tmp_path.glob("*.jsonl"))


def test_bad_input_that_shows_late(sknet, held_out, tmp_path):
    (tmp_path / "bad.png").write_bytes(b"")
    (tmp_path / "list.txt").write_text("bad.png 0\n")
    pixels = cv2.imread(read_list(held_out)[0][0]).transpose(2, 0, 1).tobytes()
    write_lmdb(tmp_path / "lmdb", {"key": dict(
        data=pixels, channels=3, height=64, width=64, label=10)})
    for source, words in (("list.txt", "none of its images could be read"),
                          ("lmdb", "key: its label is 10")):
        done = sknet("evaluate", "sknet_digits", source)
        assert (done.returncode, done.stdout) == (1, "")
        assert words in done.stderr.splitlines()[-1]
        assert "Traceback" not in done.stderr
