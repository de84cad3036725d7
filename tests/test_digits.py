"""The shipped model: its held-out accuracy is what the README says, and its
files are what the committed commands make."""
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import digit_sizes  # noqa: E402
import digits  # noqa: E402


@pytest.fixture(scope="module")
def held_out():
    """2,000 images of digits that training has not seen, and their labels."""
    pairs = list(digits.images(held_out=True, count=2000, seed=1))
    return [image for image, _ in pairs], np.array([label for _, label in pairs])


def test_training_and_held_out_digits_are_apart():
    train, _ = digits.load(held_out=False)
    test, labels = digits.load(held_out=True)
    assert len(train) == 4000 and len(test) == 1000
    assert np.bincount(labels).tolist() == [100] * 10
    seen = {digit.tobytes() for digit in train}
    assert not any(digit.tobytes() in seen for digit in test)


def test_the_same_seed_makes_the_same_images(held_out):
    again = [image for image, _ in digits.images(True, 3, 1)]
    other = [image for image, _ in digits.images(True, 3, 2)]
    assert np.array_equal(again, held_out[0][:3])
    assert not np.array_equal(again, other)


def test_held_out_accuracy_is_the_readmes(held_out):
    """With all engines, which agree in every image; in bf16 but where two classes
    are next to equal."""
    from sknet.classifier import Classifier
    images, labels = held_out
    found = {}
    for engine in ("caffe", "compiled", "compiled-bf16"):
        classifier = Classifier("sknet_digits", engine=engine, batch=50)
        found[engine] = np.concatenate([
            classifier([classifier.preprocessing(Image.fromarray(image))
                        for image in images[start:start + 50]])
            for start in range(0, len(images), 50)])
        assert classifier.engine == engine
    predicted = found["caffe"].argmax(axis=1)
    second, first = np.sort(found["caffe"], axis=1)[:, -2:].T
    for engine, within, most in ("compiled", 1e-4, 0), ("compiled-bf16", 5e-2, 3):
        difference = abs(found["caffe"] - found[engine]).max()
        other = found[engine].argmax(axis=1) != predicted
        print(f"{engine}: probabilities differ by at most {difference:.1e}, "
              f"{other.sum()} of 2,000 predictions do")
        assert difference < within
        assert other.sum() <= most and (first - second)[other].max(initial=0) < .05
    accuracy = 100 * np.mean(predicted == labels)
    print(f"held-out accuracy: {accuracy:.2f}%")
    stated = re.search(r"\*\*([\d.]+)%\*\* of 2,000\s+held-out images",
                       (ROOT / "README.md").read_text())
    # Another version of Pillow may round pixels otherwise.
    assert accuracy == pytest.approx(float(stated.group(1)), abs=0.2)


def test_shipped_images_are_held_out_ones(held_out):
    known = {image.tobytes() for image in held_out[0]}
    shipped = sorted((ROOT / "prototxt/sknet_digits/images").glob("*.png"))
    assert len(shipped) >= 10
    for path in shipped:
        assert np.asarray(Image.open(path)).tobytes() in known, path.name


def test_digits_of_growing_sizes():
    held_out, _ = digits.load(held_out=True)
    drawn = {name: digit_sizes.draw(held_out[0], height, places, [1, 0]).astype(float)
             for name, height, places in digit_sizes.corners()}
    assert list(drawn) == [*map(str, range(24, 61, 6)), "four_24"]
    ink = {}
    for name, image in drawn.items():
        # The same noise lies over all of them: what differs from the largest's empty
        # margin is the digit.
        blank = digit_sizes.draw(np.zeros_like(held_out[0]), 24, [], [1, 0])
        touched = abs(image - blank).max(axis=2) > 0
        ink[name] = abs(image - blank).sum()
        rows, columns = np.flatnonzero(touched.any(1)), np.flatnonzero(touched.any(0))
        if name != "four_24":
            margin = (64 - int(name)) // 2
            assert margin <= rows[0] and rows[-1] < 64 - margin
            assert margin <= columns[0] and columns[-1] < 64 - margin
            assert rows[-1] - rows[0] > 0.8 * int(name)
    assert ink["48"] == pytest.approx(4 * ink["24"], rel=0.1)
    assert ink["four_24"] == pytest.approx(4 * ink["24"], rel=0.01)


def test_attention_is_the_readmes():
    """The README's table: differences at 1x, 1.5x and 2x, the change and its standard
    error, and the difference of four small digits."""
    from sknet.attention import channel_attention, units
    from sknet.classifier import Classifier
    held_out, _ = digits.load(held_out=True)
    chosen = np.random.default_rng(1).permutation(len(held_out))
    (_, height, middle), *_, (_, small, quarters) = digit_sizes.corners()
    classifier = Classifier("sknet_digits")
    found = {unit.name: [] for unit in units(classifier.param)}
    for number, index in enumerate(chosen):
        image, four = (
            Image.fromarray(digit_sizes.draw(held_out[index], *how, [1, number]))
            for how in ((height, middle), (small, quarters)))
        # The centre, resized as OpenCV would: sampled between the pixels.
        shown = [image, *(image.transform(
            (64, 64), Image.Transform.AFFINE,
            (1 / scale, 0, 32 - 32 / scale, 0, 1 / scale, 32 - 32 / scale),
            Image.Resampling.BILINEAR) for scale in (1.5, 2)), four]
        classifier([classifier.preprocessing(image) for image in shown])
        for unit in units(classifier.param):
            found[unit.name].append(channel_attention(classifier.net, unit))
    stated = re.findall(r"^\| (conv\d_\d) \| (.*) \|$",
                        (ROOT / "README.md").read_text(), re.MULTILINE)
    assert [name for name, _ in stated] == list(found)
    for name, numbers in stated:
        small, large = np.moveaxis(found[name], 2, 0)
        difference = (large - small).mean(axis=2)
        change = difference[:, 2] - difference[:, 0]
        expected = [*difference.mean(axis=0)[:3], change.mean(),
                    change.std(ddof=1) / len(change) ** 0.5, difference[:, 3].mean()]
        print(name, *(f"{value:+.4f}" for value in expected))
        np.testing.assert_allclose(
            [float(number) for number in re.findall(r"[-+]?\d\.\d+", numbers)],
            expected, atol=0.0015)
        # Single channels choose less, too.
        choice = abs(np.subtract(large, small)).mean(axis=(0, 2))
        assert choice[0] > choice[1] > choice[2]
