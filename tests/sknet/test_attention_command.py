"""`sknet attention` on nets whose attention is known, run as users run it."""
import csv
import json
import os
import pickle
import signal
import subprocess
import sys
import time
from itertools import product

import numpy as np
import pytest
from PIL import Image

from sknet.attention import Unit, charts, units
from sknet.attention.means import Mean
from sknet.attention.measure import Enlarged, Measurer
from sknet.attention.panels import panel
from sknet.classifier import Classifier
from sknet.data.datasets import ImageFiles
from sknet.data.preprocessing import Preprocessing

from attention_nets import write_known_net

GREY = ["--shorter-side", 32, "--scale", 1 / 255]


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def mean_of(folder, unit, value, scale, label=""):
    row, = (row for row in rows(folder / "means.csv")
            if (row["unit"], row["value"], row["scale"], row["class"]) == (
                unit, value, scale, label))
    return float(row["mean"])


def square(path, side, grey):
    """A square of side x side in the middle of a black 32x32 image."""
    pixels = np.zeros((32, 32), np.uint8)
    edge = (32 - side) // 2
    pixels[edge:32 - edge, edge:32 - edge] = grey
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def bilinear(pixels, scale, crop):
    """The central crop x crop of pixels (H x W) resized to `scale` times `crop`,
    written out; for images whose shorter side is `crop`."""
    sides = [round(length * round(scale * crop) / crop) for length in pixels.shape]
    for axis, (old, new) in enumerate(zip(pixels.shape, sides)):
        at = (np.arange(new) + 0.5) * old / new - 0.5
        at = at[(new - crop) // 2:][:crop].clip(0, old - 1)
        low = np.floor(at).astype(int)
        high = np.minimum(low + 1, old - 1)
        share = (at - low).reshape([-1, 1][::1 - 2 * axis])
        pixels = (1 - share) * pixels.take(low, axis) + share * pixels.take(high, axis)
    return pixels


@pytest.fixture
def constant(tmp_path):
    """A net whose attention is the same for every image: deploy and weights."""
    def logits(*shares):
        return np.zeros((len(shares), 2)), np.log(shares)
    return write_known_net(tmp_path, {
        # Channels of (1/4, 3/4) and (1/2, 1/2).
        "conv2_1": ((3, 5), *logits((1, 1), (3, 1))),
        "conv2_2": ((5, 3), *logits((1, 1), (3, 3))),
        "conv3_1": ((3, 5, 7), *logits((1, 1), (2, 2), (5, 5))),
        "conv4_1": ((3, 5, 9), *logits((1, 1), (2, 2), (5, 5)))})


@pytest.fixture
def picture(tmp_path):
    return square(tmp_path / "images" / "square.png", 20, 200)


def test_constant_attention(sknet, constant, picture, tmp_path):
    deploy, weights = constant
    done = sknet("attention", deploy, picture, "--weights", weights, "--json", "-o",
                 tmp_path / "out", *GREY)
    assert done.returncode == 0, done.stderr
    found = rows(tmp_path / "out" / "attention.csv")
    assert [float(row["attention"]) for row in found if row["unit"] == "conv3_1"] \
        == pytest.approx([0.125, 0.25, 0.625] * 3, abs=1e-6)
    assert [(row["branch"], row["kernel"]) for row in found[:2]] == [
        ("a3", "3x3"), ("b5", "5x5")]
    assert {row["image"] for row in found} == {str(picture)}
    assert {row["class"] for row in found} == {""}
    for scale, unit in product(("1", "1.5", "2"), ("conv2_1", "conv3_1", "conv4_1")):
        shares = [float(row["attention"]) for row in found
                  if (row["scale"], row["unit"]) == (scale, unit)]
        assert sum(shares) == pytest.approx(1, abs=1e-6)
        difference = {"conv2_1": 1 / 4, "conv3_1": 1 / 2,
                      # 5x5 lies a third of the way from the smallest to the largest.
                      "conv4_1": -1 / 8 - 1 / 3 * 2 / 8 + 5 / 8}[unit]
        folder = tmp_path / "out"
        assert mean_of(folder, unit, "difference", scale) == pytest.approx(
            difference, abs=1e-6)
        assert mean_of(folder, unit, "b5", scale) == pytest.approx(
            {"conv2_1": 5 / 8, "conv3_1": 1 / 4, "conv4_1": 1 / 4}[unit], abs=1e-6)
        if scale != "1":
            assert mean_of(folder, unit, "change", scale) == pytest.approx(0, abs=1e-6)
    # The larger kernel comes first here.
    assert mean_of(folder, "conv2_2", "difference", "1") == pytest.approx(-1 / 2)
    result = json.loads(done.stdout)
    assert (result["images"], result["scales"]) == (1, [1, 1.5, 2])
    assert result["units"][2] == dict(name="conv3_1", branches=["a3", "b5", "c7"],
                                      kernels=[3, 5, 7])
    assert result["means"][0] == {
        "unit": "conv2_1", "class": None, "label": None, "scale": 1,
        "value": "difference", "n": 1, "mean": pytest.approx(1 / 4),
        "standard_error": None}
    # Of no class, so that there is no figure of them.
    assert sorted(os.listdir(folder)) == ["attention.csv", "by_scale.png", "means.csv",
                                          "measured.jsonl"]


def test_scales_and_classes_in_closed_form(sknet, tmp_path):
    """The attention is a function of the input's mean: of two branches whose logits
    differ by x, the difference is tanh(x / 2)."""
    slopes, offsets = np.array([2, -1, 3]), np.array([0.5, 0, -1])
    zeros = np.zeros(3)
    deploy, weights = write_known_net(tmp_path, {
        "conv2_1": ((3, 5), (zeros, slopes), (zeros, offsets))})
    classes = {"ash": [(20, 200), (20, 220), (18, 240)], "birch": [(24, 100), (26, 40)]}
    for name, squares in classes.items():
        for number, (side, grey) in enumerate(squares):
            square(tmp_path / "data" / name / f"{number}.png", side, grey)
    done = sknet("attention", deploy, tmp_path / "data", "--weights", weights,
                 "--json", "-o", tmp_path / "out", *GREY)
    assert done.returncode == 0, done.stderr

    def expected(side, grey, scale):
        # At 2x the square fills the input.
        share = {1: (side / 32) ** 2, 2: 1}[scale]
        z = grey / 255 * share
        return np.tanh((slopes * z + offsets) / 2).mean()

    found = {(row["label"], row["scale"], row["value"]): row
             for row in json.loads(done.stdout)["means"]}
    groups = {**classes, None: sum(classes.values(), [])}
    for name, scale in product(groups, (1, 2)):
        values = [expected(*image, scale) for image in groups[name]]
        row = found[name, scale, "difference"]
        assert (row["n"], row["class"]) == (
            len(values), {None: None, "ash": 0, "birch": 1}[name])
        assert row["mean"] == pytest.approx(np.mean(values), abs=1e-5)
        assert row["standard_error"] == pytest.approx(
            np.std(values, ddof=1) / len(values) ** 0.5, abs=1e-5)
        assert found[name, scale, "b5"]["mean"] == pytest.approx(
            (1 + np.mean(values)) / 2, abs=1e-5)
    for name, images in groups.items():
        changes = [expected(*image, 2) - expected(*image, 1) for image in images]
        row = found[name, 2, "change"]
        assert row["mean"] == pytest.approx(np.mean(changes), abs=1e-5)
        assert row["standard_error"] == pytest.approx(
            np.std(changes, ddof=1) / len(changes) ** 0.5, abs=1e-5)
        assert (name, 1, "change") not in found
    # At 1.5x the square's edge is seen; pixels are rounded to 1/255.
    pixels = np.asarray(Image.open(tmp_path / "data/birch/0.png"), float)
    z = bilinear(pixels, 1.5, 32).mean() / 255
    csv_row, = (row for row in rows(tmp_path / "out/attention.csv")
                if (row["image"], row["scale"], row["branch"]) == (
                    "birch/0.png", "1.5", "b5"))
    assert 2 * float(csv_row["attention"]) - 1 == pytest.approx(
        np.tanh((slopes * z + offsets) / 2).mean(), abs=5e-3)
    assert (csv_row["class"], csv_row["label"]) == ("1", "birch")


@pytest.mark.parametrize("shape", [(40, 40), (40, 55), (70, 40)])
def test_enlarged_is_the_centre_resized(shape):
    coarse = Image.fromarray(
        np.random.default_rng(0).integers(0, 256, (4, 4)).astype(np.uint8))
    image = coarse.resize(shape[::-1], Image.BILINEAR)
    pixels = np.asarray(image, float)
    scales = (1.0, 1.25, 1.5, 2.0, 3.0)
    enlarged = Enlarged(Preprocessing(40, 40, "gray", (0,), 1), scales)
    image = image.convert("RGB")
    values, frames = enlarged(image), enlarged.frames(image)
    assert values.shape == (5, 1, 40, 40)
    for scale, value, frame in zip(scales, values, frames):
        np.testing.assert_allclose(value[0], bilinear(pixels, scale, 40), atol=1)
        assert np.array_equal(value[0], np.asarray(frame)[..., 0])
        # Pillow's crop and resize gives the same, but for the edges and half a pixel.
        left, top = ((side - 40 / scale) / 2 for side in image.size)
        cropped = image.resize((40, 40), Image.BILINEAR, box=(
            left, top, left + 40 / scale, top + 40 / scale))
        inner = slice(3, -3)
        assert abs(np.asarray(cropped, float)[inner, inner, 0]
                   - value[0, inner, inner]).mean() < 4
    as_it_is = Enlarged(Preprocessing(0, 40, "gray", (0,), 1), scales)
    assert np.array_equal(as_it_is(image), values)


def test_batches_do_not_matter(sknet, digits, images, tmp_path):
    contents = set()
    for size, threads in ((1, 0), (2, 2), (5, 1)):
        folder = tmp_path / f"out{size}"
        done = sknet("attention", "sknet_digits", *images, "--weights", digits.weights,
                     "-o", folder, "--batch-size", size, "--threads", threads)
        assert done.returncode == 0, done.stderr
        contents.add((folder / "attention.csv").read_bytes())
    assert len(contents) == 1
    found = rows(folder / "attention.csv")
    assert len(found) == 5 * 3 * 6 * 2
    assert list(dict.fromkeys(row["image"] for row in found)) == images


def test_at_scale_1_it_is_what_classify_sees(digits, images, sknet, tmp_path):
    done = sknet("attention", "sknet_digits", images[1], "--weights", digits.weights,
                 "-o", tmp_path / "out", "--scales", "1,3")
    assert done.returncode == 0, done.stderr
    classifier = Classifier("sknet_digits", digits.weights)
    with Image.open(images[1]) as image:
        classifier([classifier.preprocessing(image.convert("RGB"))])
    softmax = classifier.net.blobs["conv3_2/B_softmax"].data
    found = [float(row["attention"]) for row in rows(tmp_path / "out/attention.csv")
             if (row["unit"], row["scale"]) == ("conv3_2", "1")]
    np.testing.assert_allclose(found, softmax[0].mean(axis=(1, 2)), rtol=1e-5)


def test_other_processes_measure_the_same(digits, images):
    classifier = Classifier("sknet_digits", digits.weights)
    dataset = ImageFiles("", images, [None] * len(images))
    measurer = Measurer(classifier, dataset, units(classifier.param), (1.0, 2.0))
    sent = pickle.loads(pickle.dumps(measurer))
    batches = [range(0, 2), range(2, 5)]
    assert list(sent(batches)) == list(measurer(batches))


def test_goes_on_after_ctrl_c(digits, images, tmp_path, sknet):
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(150):
        os.link(images[0], folder / f"{number:03d}.png")
    listed = tmp_path / "many.txt"
    listed.write_text("".join(f"many/{number:03d}.png 0\n" for number in range(150)))
    command = ["attention", "sknet_digits", str(listed), "--weights", digits.weights,
               "--batch-size", "2", "-o"]
    journal = tmp_path / "cut/measured.jsonl"
    process = subprocess.Popen(
        [sys.executable, "-m", "sknet", *command, str(journal.parent)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        # Background jobs start with it ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    while process.poll() is None and not (
            journal.exists() and journal.read_bytes().count(b"\n") > 4):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert process.returncode == 130, errors
    assert b"goes on" in errors
    assert os.listdir(journal.parent) == ["measured.jsonl"]
    before = journal.read_bytes().splitlines()
    assert len(before) < 150
    # As a kill may leave it.
    journal.write_bytes(b"\n".join(before)[:-20])
    assert sknet(*command, journal.parent).returncode == 0
    assert journal.read_bytes().splitlines()[:len(before) - 3] == before[:-3]
    assert sknet(*command, tmp_path / "whole").returncode == 0
    for name in ("attention.csv", "means.csv"):
        assert (journal.parent / name).read_bytes() == (
            tmp_path / "whole" / name).read_bytes()


def test_panels_show_every_channel(digits, images):
    classifier = Classifier("sknet_digits", digits.weights)
    found = units(classifier.param)
    with Image.open(images[1]) as image:
        image = image.convert("RGB")
    shown = panel(classifier, image, "one", found, (1.0, 2.0))
    classifier([classifier.preprocessing(image)])
    for unit in found:
        softmax = classifier.net.blobs[f"{unit.name}/B_softmax"].data
        assert shown.attention[unit.name].shape == (2, *softmax.shape[1:3])
        np.testing.assert_allclose(shown.attention[unit.name][0], softmax[0, ..., 0],
                                   rtol=1e-5)
    assert np.array_equal(shown.frames[0], classifier.preprocessing.frame(image))


def test_charts_show_the_means():
    pair = [Unit("conv2_1", ("a", "b"), (3, 5)), Unit("conv3_1", ("a", "b"), (3, 7))]
    scales, rng = (1.0, 1.5), np.random.default_rng(0)
    means = [Mean(unit.name, label, scale, value, 9, rng.normal(), rng.uniform())
             for label, unit, scale, value in product(
                 (None, 2, 5), pair, scales, ("difference", "change", "a"))]
    known = {(row.unit, row.label, row.scale): row for row in means
             if row.value == "difference"}
    axes, = charts.by_scale(means, pair, scales).axes
    for scale, bars in zip(scales, axes.containers[1::2]):
        assert [bar.get_height() for bar in bars] == [
            known[unit.name, None, scale].mean for unit in pair]
    assert [text.get_text() for text in axes.get_xticklabels()] == [
        "conv2_1", "conv3_1"]
    figure = charts.by_class(means, pair, scales, {2: "ash", 5: "birch"})
    for unit, axes in zip(pair, figure.axes):
        lines = [container[0] for container in axes.containers]
        assert [line.get_ydata().tolist() for line in lines] == [
            [known[unit.name, label, scale].mean for label in (2, 5)]
            for scale in scales]
    assert "7×7 − 3×3" in figure.axes[1].get_ylabel()
    assert [text.get_text() for text in axes.get_xticklabels()] == ["ash", "birch"]


def test_default_units_are_the_papers():
    from sknet import models
    found = units(models.create("sknet50"))
    assert [unit.name for unit in charts.default_units(found)] == [
        "conv2_3", "conv3_4", "conv4_6", "conv5_3"]
    assert [unit.name for unit in charts.default_class_units(found)] == [
        "conv2_3", "conv3_4", "conv5_3"]


@pytest.mark.parametrize("form", ["png", "svg"])
def test_figures(sknet, constant, tmp_path, form):
    for name in ("ash", "birch"):
        square(tmp_path / "data" / name / "0.png", 20, 200)
    done = sknet("attention", constant[0], tmp_path / "data", "--weights", constant[1],
                 "-o", tmp_path / "out", "--panels", 5, "--format", form,
                 "--units", "conv3_1,conv2_1", *GREY)
    assert done.returncode == 0, done.stderr
    for name in ("by_scale", "by_class", "panels"):
        path = tmp_path / "out" / f"{name}.{form}"
        if form == "png":
            assert np.asarray(Image.open(path).convert("L")).std() > 10
        else:
            assert path.read_text().count("<path") > 20


# Bad input: one line, status 1.

def test_nets_without_a_choice(refused, picture, tmp_path):
    deploy, weights = write_known_net(tmp_path, {})
    refused("attention", deploy, picture, "--weights", weights, "-o", tmp_path / "out",
            naming=[deploy, "no SK units", "B_softmax"])
    deploy, weights = write_known_net(
        tmp_path, {"conv2_1": ((3, 3), *[[[0, 0], [0, 0]]] * 2)})
    refused("attention", deploy, picture, "--weights", weights, "-o", tmp_path / "out",
            naming=[deploy, "conv2_1", "3x3"])
    assert not (tmp_path / "out").exists()


def test_bad_arguments(refused, sknet, constant, picture, tmp_path):
    net = [constant[0], picture, "--weights", constant[1], *GREY]
    out = ["-o", tmp_path / "out"]
    refused("attention", *net, *out, "--units", "conv2_1,conv9_9",
            naming=["conv9_9", "conv2_1, conv2_2, conv3_1, conv4_1"])
    refused("attention", constant[0], tmp_path / "none", "--weights", constant[1], *out,
            naming=["none", "no such file"])
    assert not (tmp_path / "out").exists()
    for scales in ("", "1,x", "0", "1,1", "nan", "-1"):
        done = sknet("attention", *net, *out, f"--scales={scales}")
        assert done.returncode == 2 and "--scales" in done.stderr


def test_unreadable_images(sknet, constant, picture, tmp_path):
    garbage = tmp_path / "garbage.png"
    garbage.write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    done = sknet("attention", constant[0], garbage, picture, "--weights", constant[1],
                 "--json", "-o", tmp_path / "out", *GREY)
    assert done.returncode == 1
    assert f"{garbage}: " in done.stderr and "; skipped" in done.stderr
    result = json.loads(done.stdout)
    assert [row["name"] for row in result["unreadable"]] == [str(garbage)]
    assert result["images"] == 1
    done = sknet("attention", constant[0], garbage, "--weights", constant[1], "-o",
                 tmp_path / "none", *GREY)
    assert done.returncode == 1
    assert "none of its 1 images" in done.stderr.splitlines()[-1]


def test_other_files_stay(sknet, refused, constant, picture, tmp_path):
    net = [constant[0], picture, "--weights", constant[1], *GREY]
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "means.csv").write_text("mine")
    refused("attention", *net, "-o", folder, naming=["means.csv", "--force"])
    assert (folder / "means.csv").read_text() == "mine"
    assert sknet("attention", *net, "-o", folder, "--force").returncode == 0
    before = (folder / "means.csv").read_bytes()
    # The run's own folder, but of other scales.
    done = sknet("attention", *net, "-o", folder, "--scales", "1,2")
    assert done.returncode == 1 and "scales" in done.stderr and "--force" in done.stderr
    assert (folder / "means.csv").read_bytes() == before
    assert sknet("attention", *net, "-o", folder, "--scales", "1,2",
                 "--force").returncode == 0
    assert sknet("attention", *net, "-o", folder, "--scales", "1,2").returncode == 0
