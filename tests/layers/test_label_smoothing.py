"""SoftmaxWithLoss with label_smoothing, from its definition in NumPy."""
import caffe
import numpy as np
import pytest
from caffe.proto import caffe_pb2
from layer_nets import make_net, near

MODES = ["FULL", "VALID", "BATCH_SIZE", "NONE"]


def loss_net(path, shape, loss_param, weight=1):
    """Inputs x of `shape` and label, and a loss."""
    label = (shape[0],) + shape[2:]
    return make_net(path, {"x": shape, "label": label},
                    "layer { name: 'loss' type: 'SoftmaxWithLoss' bottom: 'x' "
                    f"bottom: 'label' top: 'loss' loss_weight: {weight} "
                    "propagate_down: true propagate_down: false "
                    f"loss_param {{ {loss_param} }} }}", caffe.TRAIN)


def data(shape, seed=0):
    random = np.random.default_rng(seed)
    return (random.normal(size=shape) * 2,
            random.integers(shape[1], size=(shape[0],) + shape[2:]))


def run(net, x, label):
    """The loss and x's gradient."""
    net.blobs["x"].data[...] = x
    net.blobs["label"].data[...] = label
    net.forward()
    net.backward()
    return float(net.blobs["loss"].data), net.blobs["x"].diff.copy()


def definition(x, label, e, ignore=None):
    """The unnormalised loss, its gradient, and the number of labels used."""
    classes = x.shape[1]
    used = np.expand_dims(label != ignore, 1)
    one_hot = np.moveaxis(np.eye(classes)[label], -1, 1)
    target = (1 - e) * one_hot + e / classes
    log_p = x - np.log(np.exp(x).sum(axis=1, keepdims=True))
    return (-(target * log_p * used).sum(), (np.exp(log_p) - target) * used,
            used.sum())


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("ignore", [None, 1])
@pytest.mark.parametrize("e", [0, 0.1, 0.75])
@pytest.mark.parametrize("shape", [(6, 10), (2, 5, 3, 4), (16, 1000)])
def test_definition(tmp_path, shape, e, ignore, mode):
    param = f"normalization: {mode} label_smoothing: {e}"
    if ignore is not None:
        param += f" ignore_label: {ignore}"
    net = loss_net(tmp_path / "net.prototxt", shape, param, weight=0.25)
    x, label = data(shape)
    loss, gradient, used = definition(x, label, e, ignore)
    normalizer = {"FULL": label.size, "VALID": used, "BATCH_SIZE": shape[0],
                  "NONE": 1}[mode]
    got_loss, got_gradient = run(net, x, label)
    np.testing.assert_allclose(got_loss, loss / normalizer, rtol=1e-5)
    near(got_gradient, 0.25 * gradient / normalizer, 1e-6)


def test_least_loss_is_at_the_smooth_target(tmp_path):
    """(Szegedy et al., 2016): the best logits are no longer infinite."""
    net = loss_net(tmp_path / "net.prototxt", (1, 4), "label_smoothing: 0.2")
    best = np.log([[0.05, 0.85, 0.05, 0.05]])
    loss, gradient = run(net, best, [1])
    near(gradient, np.zeros((1, 4)), 1e-6)
    for x in best + 0.1, best * 2, np.eye(4)[[1]] * 50:
        assert run(net, x, [1])[0] > loss - 1e-6


def test_unset_and_zero_are_one(tmp_path):
    x, label = data((32, 1000))
    unset = run(loss_net(tmp_path / "a.prototxt", x.shape, ""), x, label)
    zero = run(loss_net(tmp_path / "b.prototxt", x.shape,
                        "label_smoothing: 0"), x, label)
    assert unset[0] == zero[0]
    np.testing.assert_array_equal(unset[1], zero[1])


def test_bvlc_files_keep_their_bytes():
    """As BVLC's protoc writes them: ignore_label, normalize, normalization."""
    loss = caffe_pb2.LossParameter.FromString(b"\x08\x05\x10\x01\x18\x02")
    assert loss.ignore_label == 5 and loss.normalize
    assert loss.normalization == caffe_pb2.LossParameter.BATCH_SIZE
    assert loss.label_smoothing == 0
    assert loss.SerializeToString() == b"\x08\x05\x10\x01\x18\x02"
