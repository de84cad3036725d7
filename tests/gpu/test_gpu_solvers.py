"""Training on the GPU goes as on the CPU: a solver's steps, and a short training."""
import sys
from pathlib import Path

import caffe
import numpy as np
import pytest
from devices import MODES
from sknet import models
from sknet.text import to_text

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tools"))
import digits  # noqa: E402

BATCH = 32


def draw(held_out, count):
    """Plain digits, three times as large, and their labels; in random order."""
    pixels, labels = digits.load(held_out)
    chosen = np.random.default_rng(1).permutation(len(labels))
    chosen = np.resize(chosen, count)
    images = np.pad(pixels[chosen].repeat(3, axis=1).repeat(3, axis=2),
                    ((0, 0), (2, 2), (2, 2)))
    return np.stack([(images - np.float32(128)) / 64] * 3, axis=1), labels[chosen]


def sknet_digits():
    """With inputs for the images and their labels."""
    param = models.create("sknet_digits", "train_val")
    for layer, shape in zip(param.layer, ((BATCH, 3, 64, 64), (BATCH,))):
        name = layer.top[len(shape) == 1]
        layer.Clear()
        layer.name, layer.type = name, "Input"
        layer.top.append(name)
        layer.input_param.shape.add().dim.extend(shape)
    return to_text(param)


# Of odd numbers of weights: where several GPUs' solvers have all in one buffer, few
# are at addresses that 16 bytes divide.
ODD_NET = f"""
layer {{ name: 'data' type: 'Input' top: 'data' top: 'label' input_param {{
  shape {{ dim: {BATCH} dim: 3 dim: 64 dim: 64 }} shape {{ dim: {BATCH} }} }} }}
layer {{ name: 'conv1' type: 'Convolution' bottom: 'data' top: 'conv1'
  convolution_param {{ num_output: 9 kernel_size: 3 stride: 2 bias_term: false
                      weight_filler {{ type: 'msra' }} }} }}
layer {{ name: 'bn' type: 'CuDNNBatchNorm' bottom: 'conv1' top: 'bn' }}
layer {{ name: 'conv2' type: 'Convolution' bottom: 'bn' top: 'conv2'
  convolution_param {{ num_output: 15 group: 3 kernel_size: 3 stride: 2
                      weight_filler {{ type: 'msra' }} }} }}
layer {{ name: 'relu' type: 'ReLU' bottom: 'conv2' top: 'conv2' }}
layer {{ name: 'conv3' type: 'DepthwiseConvolution' bottom: 'conv2' top: 'conv3'
  convolution_param {{ num_output: 15 group: 15 kernel_size: 3 stride: 2
                      weight_filler {{ type: 'msra' }} }} }}
layer {{ name: 'fc' type: 'InnerProduct' bottom: 'conv3' top: 'fc'
  inner_product_param {{ num_output: 10 weight_filler {{ type: 'msra' }} }} }}
layer {{ name: 'loss' type: 'SoftmaxWithLoss' bottom: 'fc' bottom: 'label'
  top: 'loss' }}
"""


def make_solver(folder, net=None, **options):
    """sknet_digits' own, of that net or another."""
    (folder / "train_val.prototxt").write_text(net or sknet_digits())
    solver = models.create("sknet_digits", "solver")
    solver.ClearField("test_iter")
    solver.ClearField("test_interval")
    solver.ClearField("net")
    solver.ClearField("test_initialization")
    solver.train_net = str(folder / "train_val.prototxt")
    solver.snapshot = solver.display = 0
    for name, value in options.items():
        setattr(solver, name, value)
    (folder / "solver.prototxt").write_text(to_text(solver))
    return caffe.get_solver(str(folder / "solver.prototxt"))


def train(solver, images, labels):
    """A step for each batch; their losses."""
    losses = []
    for start in range(0, len(images), BATCH):
        for name, values in ("data", images), ("label", labels):
            solver.net.blobs[name].data[...] = values[start:start + BATCH]
        solver.step(1)
        losses.append(float(solver.net.blobs["loss"].data))
    return np.array(losses)


def weights(solver):
    return {f"{name} {index}": blob.data.copy()
            for name, blobs in solver.net.params.items()
            for index, blob in enumerate(blobs)}


def accuracy(solver, folder, images, labels):
    """Of the deploy net, on images that are new to it."""
    weights = folder / "trained.caffemodel"
    solver.net.save(weights)
    path = folder / "deploy.prototxt"
    path.write_text(to_text(models.create("sknet_digits", batch=len(images))))
    net = caffe.Net(path, caffe.TEST, weights=weights)
    net.blobs["data"].data[...] = images
    return np.mean(net.forward()["prob"].argmax(axis=1) == labels)


@pytest.mark.parametrize("steps, rate, median, worst", [
    (1, .05, 1e-3, .05), (3, .001, 5e-3, .2)])
def test_steps_agree(tmp_path, steps, rate, median, worst):
    """In what they change, by gradients and weight decay and, from the second on,
    by momentum; relative to the change's norm. A rounding that takes a ReLU's input
    over 0 moves a gradient by more than rounding: it may be seen in few blobs."""
    images, labels = draw(False, steps * BATCH)
    changes = {}
    for name, choose in MODES.items():
        choose()
        solver = make_solver(tmp_path, base_lr=rate, weight_decay=.1)
        before = weights(solver)
        train(solver, images, labels)
        changes[name] = {key: value - before[key]
                         for key, value in weights(solver).items()}
    different = [np.linalg.norm(changes["GPU"][key] - expected)
                 / np.linalg.norm(expected)
                 for key, expected in changes["CPU"].items()]
    print(f"median {np.median(different):.1e}, worst {max(different):.1e}")
    assert np.median(different) < median and max(different) < worst


@pytest.mark.skipif(not caffe.has_nccl(), reason="built without NCCL")
@pytest.mark.parametrize("layer_wise", [False, True])
@pytest.mark.parametrize("net", [None, ODD_NET], ids=["sknet_digits", "odd"])
def test_nccl_of_one(net, layer_wise, tmp_path):
    """What several GPUs' solvers do, where there is one: broadcast, and the sums of
    gradients, at once or while the backward pass goes on."""
    images, labels = draw(False, 3 * BATCH)
    trained = []
    for through_nccl in False, True:
        solver = make_solver(tmp_path, net, base_lr=.001,
                             layer_wise_reduce=layer_wise)
        if through_nccl:
            nccl = caffe.NCCL(solver, caffe.NCCL.new_uid())
            nccl.bcast()
            solver.add_callback(nccl)
            if layer_wise:
                solver.net.after_backward(nccl)
        before = weights(solver)
        train(solver, images, labels)
        trained.append({key: value - before[key]
                        for key, value in weights(solver).items()})
    plain, summed = trained
    different = [np.linalg.norm(summed[key] - expected) / np.linalg.norm(expected)
                 for key, expected in plain.items()]
    assert np.median(different) < 5e-3 and max(different) < .2


def test_a_short_training_converges_alike(tmp_path):
    """200 steps, after which roundings have grown to trainings of their own: on the
    CPU, images that differ in the sixth digit change the loss by a tenth."""
    images, labels = draw(False, 200 * BATCH)
    new, their_labels = draw(True, 500)
    ends, accuracies = {}, {}
    for name, choose in MODES.items():
        choose()
        solver = make_solver(tmp_path)
        losses = train(solver, images, labels)
        assert losses[:5].mean() > 2
        ends[name] = losses[-50:].mean()
        accuracies[name] = accuracy(solver, tmp_path, new, their_labels)
        print(f"{name}: loss {ends[name]:.3f}, accuracy {accuracies[name]:.1%}")
    assert ends["CPU"] < .5
    assert ends["GPU"] == pytest.approx(ends["CPU"], rel=.3)
    assert accuracies["GPU"] == pytest.approx(accuracies["CPU"], abs=.03)
