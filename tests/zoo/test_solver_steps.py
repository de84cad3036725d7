"""Every model's train_val net takes a step of a solver, and learns in it what it
should."""
from pathlib import Path

import caffe
import numpy as np
import pytest
from PIL import Image
from random_nets import assert_same, fill, forward, make_net
from sknet import models
from sknet.text import to_text

SMALL = "sknet_digits"
STATISTICS = {"CuDNNBatchNorm": (2, 3), "BatchNorm": (0, 1, 2)}


class Training:
    """A model in its own solver, but with batch 2, its smallest images, and
    without weight decay: then what changes has had a gradient."""

    def __init__(self, folder, lmdbs, name, **options):
        self.param = models.create(name, "train_val", batch=2,
                                   size=models.get(name).min_size, **options)
        for layer, source in zip(self.param.layer, (lmdbs.train, lmdbs.val)):
            layer.data_param.source = source
            layer.data_param.batch_size = 2
        solver = models.create(name, "solver")
        solver.net = str(folder / "train_val.prototxt")
        solver.test_iter[:] = [1]
        solver.iter_size = 1
        solver.weight_decay = 0
        solver.random_seed = 1
        solver.solver_mode = solver.CPU
        solver.snapshot_prefix = str(folder / "snapshot")
        (folder / "train_val.prototxt").write_text(to_text(self.param))
        (folder / "solver.prototxt").write_text(to_text(solver))
        self.solver = caffe.get_solver(str(folder / "solver.prototxt"))
        self.net, (self.test_net,) = self.solver.net, self.solver.test_nets
        self.types = dict(zip(self.net._layer_names,
                              (layer.type for layer in self.net.layers)))

    def step(self):
        """Take a step; return the (layer, blob's index) of all that changed."""
        before = self.blobs()
        self.solver.step(1)
        after = self.blobs()
        assert all(np.isfinite(values).all() for values in after.values())
        assert all(np.isfinite(self.net.blobs[name].data).all()
                   for name in self.net.outputs)
        return {key for key in before if (before[key] != after[key]).any()}

    def blobs(self):
        return {(name, index): blob.data.copy()
                for name, blobs in self.net.params.items()
                for index, blob in enumerate(blobs)}

    def updates(self):
        """The last step's, by layer: what it took from the weights."""
        return {name: [blob.diff.copy() for blob in blobs]
                for name, blobs in self.net.params.items()}

    def of_types(self, *types):
        return {(name, index) for name, index in self.blobs()
                if self.types[name] in types}

    def statistics(self):
        return {(name, index) for name, index in self.blobs()
                if index in STATISTICS.get(self.types[name], ())}


@pytest.fixture
def train(tmp_path, lmdbs):
    return lambda name, **options: Training(tmp_path, lmdbs, name, **options)


@pytest.mark.parametrize("name", models.names())
def test_a_step_changes_every_blob(name, train):
    training = train(name)
    assert training.step() == set(training.blobs())


@pytest.mark.parametrize("options", [
    dict(bn="caffe"), dict(layers="stock"), dict(label_smoothing=.1),
    dict(branches="3x3,5x5,7x7"), dict(lr_mult_backbone=.1)], ids=str)
def test_a_step_with_options(options, train):
    training = train(SMALL, **options)
    assert training.step() == set(training.blobs())


@pytest.mark.parametrize("bn", ["cudnn", "caffe"])
def test_frozen_batch_norm(bn, train):
    training = train(SMALL, bn=bn, frozen_bn=True)
    # As if weights had been loaded: fillers leave BatchNorm's variance at 0.
    for name, index in training.of_types("BatchNorm"):
        training.net.params[name][index].data[...] = index > 0
    learnt = training.of_types("Convolution", "InnerProduct")
    assert training.step() == learnt != set(training.blobs())


@pytest.mark.parametrize("bn", ["cudnn", "caffe"])
def test_backbone_at_rest(bn, train):
    """Its batch norm still keeps count of the new images."""
    training = train(SMALL, bn=bn, lr_mult_backbone=0.)
    classifier = {("classifier_finetune", 0), ("classifier_finetune", 1)}
    assert training.step() == classifier | training.statistics()
    frozen = train(SMALL, lr_mult_backbone=0., frozen_bn=True)
    assert frozen.step() == classifier


def test_slow_backbone(train):
    plain, slow = train(SMALL), train(SMALL, lr_mult_backbone=.1)
    for training in plain, slow:
        training.solver.step(1)
    updates, slowed = plain.updates(), slow.updates()
    for kept, expected in zip(slowed.pop("classifier_finetune"),
                              updates.pop("classifier")):
        np.testing.assert_array_equal(kept, expected)
    assert list(slowed) == list(updates)
    for name, blobs in updates.items():
        for index, update in enumerate(blobs):
            if (name, index) not in plain.statistics():
                assert update.any()
                np.testing.assert_allclose(slowed[name][index], .1 * update,
                                           rtol=1e-5)


@pytest.mark.parametrize("smoothing", [0., .1])
def test_the_loss_is_that_of_the_formula(smoothing, train):
    """(1 - e) of the target is the label's, e is spread over all classes."""
    training = train(SMALL, label_smoothing=smoothing)
    training.solver.step(1)
    scores, labels, loss = (training.net.blobs[name].data.astype(float)
                            for name in ("classifier", "label", "loss"))
    target = np.eye(10)[labels.astype(int)] * (1 - smoothing) + smoothing / 10
    logarithms = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    assert loss == pytest.approx(-(target * logarithms).sum() / 2, rel=1e-5)


def test_validation_is_what_deploy_computes(train, lmdbs, tmp_path):
    """Of the centres of BGR images minus (104, 117, 123)."""
    net = train("sknet26", num_classes=5).test_net
    fill(net)
    net.save(str(tmp_path / "net.caffemodel"))
    outputs = net.forward(blobs=["data", "label", "classifier"])
    size = outputs["data"].shape[-1]
    images = np.array([Image.open(Path(lmdbs.val).parent / f"{label:.0f}.png")
                       for label in outputs["label"]], float)[..., ::-1]
    start = (images.shape[1] - size) // 2
    images = (images[:, start:start + size, start:start + size]
              - (104, 117, 123)).transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(outputs["data"], images)

    deploy = make_net(tmp_path, models.create("sknet26", size=size, batch=2,
                                              num_classes=5))
    deploy.copy_from(str(tmp_path / "net.caffemodel"))
    scores, prob = forward(deploy, images)
    assert_same(outputs["classifier"], scores, within=1e-6)
    labels = outputs["label"].astype(int)
    assert outputs["top-1"] == np.mean(prob.argmax(axis=1) == labels)
    assert outputs["loss"] == pytest.approx(
        -np.log(prob[range(2), labels]).mean(), rel=1e-5)
