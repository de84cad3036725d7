import numpy as np

from sknet import models
from sknet.attention import branch_attention, units
from sknet.classifier import Classifier


def test_units_of_sknet50():
    found = units(models.create("sknet50"))
    assert [unit.name for unit in found] == [
        f"conv{stage}_{number}" for stage, count in zip((2, 3, 4, 5), (3, 4, 6, 3))
        for number in range(1, count + 1)]
    # The dilated 3x3 kernel sees 5x5.
    assert {unit.kernels for unit in found} == {(3, 5)}


def test_attention_is_what_weighs_the_branches(digits):
    classifier = Classifier("sknet_digits", digits.weights)
    rng = np.random.default_rng(0)
    classifier(rng.normal(0, 1, (3, 3, 64, 64)))
    blobs = {name: blob.data for name, blob in classifier.net.blobs.items()}
    spread = 0
    for unit in units(classifier.param):
        attention = branch_attention(classifier.net, unit)
        assert attention.shape == (3, 2)
        np.testing.assert_allclose(attention.sum(1), 1, rtol=1e-5)
        for branch, slice_ in enumerate(("B_slice0", "B_slice1")):
            weights = blobs[f"{unit.name}/{slice_}"].reshape(3, -1)
            np.testing.assert_allclose(attention[:, branch], weights.mean(1),
                                       rtol=1e-5)
        small, large = (blobs[f"{unit.name}/3x3g8{suffix}/bn"]
                        for suffix in ("", "d2"))
        a, b = (blobs[f"{unit.name}/{slice_}"].reshape(3, -1, 1, 1)
                for slice_ in ("B_slice0", "B_slice1"))
        np.testing.assert_allclose(blobs[f"{unit.name}/B_axpy"],
                                   a * small + b * large, rtol=1e-4, atol=1e-5)
        spread = max(spread, abs(attention - .5).max())
    assert spread > .01


def test_a_net_without_units():
    net = models.create("sknet_digits")
    del net.layer[5:]
    assert units(net) == []
