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
    from sknet.classifier import Classifier
    images, labels = held_out
    classifier = Classifier("sknet_digits")
    found = []
    for start in range(0, len(images), 50):
        batch = [classifier.preprocessing(Image.fromarray(image))
                 for image in images[start:start + 50]]
        found.extend(classifier(batch).argmax(axis=1))
    accuracy = 100 * np.mean(np.array(found) == labels)
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
