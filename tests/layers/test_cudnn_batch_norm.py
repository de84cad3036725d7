"""CuDNNBatchNorm against its formulas in NumPy (Ioffe & Szegedy, 2015)."""
import caffe
import numpy as np
import pytest
from layer_nets import backward, forward, make_net, near

EPS = 1e-5
SHAPES = [(8, 3), (4, 3, 5), (4, 3, 6, 5), (2, 3, 3, 4, 2), (2, 64, 28, 28)]


def layer(param="", top="y"):
    return ("layer { name: 'bn' type: 'CuDNNBatchNorm' bottom: 'x' "
            f"top: '{top}' cudnn_batch_norm_param {{ momentum: 0.9 {param} }}}}")


def axes(x):
    """All but the channel's."""
    return (0,) + tuple(range(2, x.ndim))


def spread(values, x):
    """Values of channels, in the shape to go with x."""
    return np.reshape(values, (1, -1) + (1,) * (x.ndim - 2))


def normal(x, mean, var):
    return (x - spread(mean, x)) / np.sqrt(spread(var, x) + EPS)


def data(shape, seed=0):
    return np.random.default_rng(seed).normal(-2, 3, shape)


def set_weights(net, channels):
    """New scale, bias, mean and variance, each a flat array."""
    random = np.random.default_rng(7)
    values = [random.normal(1, 0.5, channels), random.normal(size=channels),
              random.normal(-2, 1, channels), random.uniform(0.5, 4, channels)]
    for blob, value in zip(net.params["bn"], values):
        assert blob.data.shape == (1, channels, 1, 1)
        blob.data.flat = value
    return values


def flat(net):
    return [blob.data.ravel().copy() for blob in net.params["bn"]]


@pytest.mark.parametrize("shape", SHAPES)
def test_train(tmp_path, shape):
    net = make_net(tmp_path / "net.prototxt", {"x": shape}, layer(),
                   caffe.TRAIN)
    scale, bias, mean, var = set_weights(net, shape[1])
    for step in range(3):
        x = data(shape, step)
        count = x.size / shape[1]
        batch_mean, batch_var = x.mean(axes(x)), x.var(axes(x))
        hat = normal(x, batch_mean, batch_var)
        near(forward(net, x=x), hat * spread(scale, x) + spread(bias, x))
        mean = 0.9 * mean + 0.1 * batch_mean
        var = 0.9 * var + 0.1 * batch_var * count / (count - 1)
        near(flat(net)[2], mean)
        near(flat(net)[3], var)

        diff = np.random.default_rng(step).normal(size=shape)
        got = backward(net, diff)["x"]
        bias_diff = diff.sum(axes(x))
        scale_diff = (diff * hat).sum(axes(x))
        near(net.params["bn"][0].diff.ravel(), scale_diff, 1e-3)
        near(net.params["bn"][1].diff.ravel(), bias_diff, 1e-3)
        near(got, spread(scale / np.sqrt(batch_var + EPS), x) * (
            diff - spread(bias_diff, x) / count
            - hat * spread(scale_diff, x) / count))
        assert not net.params["bn"][2].diff.any()
        assert not net.params["bn"][3].diff.any()


@pytest.mark.parametrize("param, phase", [
    ("", caffe.TEST), ("frozen: true", caffe.TEST),
    ("frozen: true", caffe.TRAIN)])
@pytest.mark.parametrize("shape", SHAPES)
def test_running_statistics(tmp_path, shape, param, phase):
    net = make_net(tmp_path / "net.prototxt", {"x": shape}, layer(param), phase)
    scale, bias, mean, var = set_weights(net, shape[1])
    before = flat(net)
    x = data(shape)
    near(forward(net, x=x),
         normal(x, mean, var) * spread(scale, x) + spread(bias, x))
    diff = np.random.default_rng(1).normal(size=shape)
    near(backward(net, diff)["x"],
         diff * spread(scale / np.sqrt(var + EPS), x))
    for old, new, blob in zip(before, flat(net), net.params["bn"]):
        assert (old == new).all()
        assert not blob.diff.any()
    # No cache: other weights, other gradients.
    net.params["bn"][0].data[...] *= 2
    net.params["bn"][3].data[...] *= 3
    near(backward(net, diff)["x"],
         diff * spread(2 * scale / np.sqrt(3 * var + EPS), x))


@pytest.mark.parametrize("param, phase", [
    ("", caffe.TRAIN), ("", caffe.TEST), ("frozen: true", caffe.TRAIN)])
def test_in_place_with_relu_in_place(tmp_path, param, phase):
    """As the same net out of place, batch after batch of another size."""
    relu = "layer { name: 'relu' type: 'ReLU' bottom: '%s' top: '%s' }"
    apart = make_net(tmp_path / "apart.prototxt", {"x": (4, 3, 6, 5)},
                     layer(param) + relu % ("y", "z"), phase)
    inside = make_net(tmp_path / "inside.prototxt", {"x": (4, 3, 6, 5)},
                      layer(param, "x") + relu % ("x", "x"), phase)
    for net in apart, inside:
        set_weights(net, 3)
    for num in 4, 9, 2:
        x = data((num, 3, 6, 5), num)
        near(forward(inside, x=x), forward(apart, x=x))
        diff = np.random.default_rng(num).normal(size=x.shape)
        near(backward(inside, diff)["x"], backward(apart, diff)["x"])
        for a, b in zip(inside.params["bn"], apart.params["bn"]):
            near(a.data, b.data)
            near(a.diff, b.diff)


def test_large_mean(tmp_path):
    """float32 data around 1e6: the textbook E[x²] − E[x]² would lose all."""
    shape = (16, 4, 9, 9)
    net = make_net(tmp_path / "net.prototxt", {"x": shape}, layer(),
                   caffe.TRAIN)
    x = (data(shape) + 1e6).astype(np.float32)
    exact = x.astype(np.float64)
    hat = normal(exact, exact.mean(axes(x)), exact.var(axes(x)))
    near(forward(net, x=x), hat, 1e-5)
    diff = np.random.default_rng(1).normal(size=shape)
    backward(net, diff)
    near(net.params["bn"][0].diff.ravel(), (diff * hat).sum(axes(x)), 1e-4)


@pytest.mark.parametrize("frozen", [False, True])
def test_solver_leaves_statistics(tmp_path, frozen):
    """Weight decay and momentum act on scale and bias, and on nothing else;
    on nothing at all when frozen."""
    net = tmp_path / "net.prototxt"
    make_net(net, {"x": (8, 3, 4, 4)},
             layer(f"frozen: {str(frozen).lower()}").replace(
                 "cudnn_batch_norm_param",
                 "param { lr_mult: 1 decay_mult: 1 } " * 4
                 + "cudnn_batch_norm_param")
             + "layer { name: 'loss' type: 'Reduction' bottom: 'y' "
               "top: 'loss' reduction_param { operation: SUMSQ } "
               "loss_weight: 0.01 }")
    solver_text = tmp_path / "solver.prototxt"
    solver_text.write_text(
        f"net: '{net}' base_lr: 0.1 momentum: 0.9 weight_decay: 0.01 "
        "lr_policy: 'fixed' display: 0 snapshot_after_train: false")
    solver = caffe.SGDSolver(str(solver_text))
    x = data((8, 3, 4, 4))
    solver.net.blobs["x"].data[...] = x
    _, _, mean, var = set_weights(solver.net, 3)
    before = flat(solver.net)
    solver.step(3)
    after = flat(solver.net)
    if frozen:
        for old, new in zip(before, after):
            assert (old == new).all()
        return
    count = x.size / 3
    for _ in range(3):
        mean = 0.9 * mean + 0.1 * x.mean(axes(x))
        var = 0.9 * var + 0.1 * x.var(axes(x)) * count / (count - 1)
    near(after[2], mean)
    near(after[3], var)
    assert (np.abs(after[0] - before[0]) > 1e-3).all()
    assert (np.abs(after[1] - before[1]) > 1e-3).all()


@pytest.mark.parametrize("hdf5", [False, True])
def test_save_and_load(tmp_path, hdf5):
    net = make_net(tmp_path / "net.prototxt", {"x": (4, 3, 5, 5)}, layer(),
                   caffe.TRAIN)
    set_weights(net, 3)
    forward(net, x=data((4, 3, 5, 5)))
    weights = str(tmp_path / ("bn.caffemodel" + (".h5" if hdf5 else "")))
    net.save_hdf5(weights) if hdf5 else net.save(weights)
    loaded = caffe.Net(str(tmp_path / "net.prototxt"), caffe.TEST,
                       weights=weights)
    for old, new in zip(flat(net), flat(loaded)):
        assert (old == new).all()
