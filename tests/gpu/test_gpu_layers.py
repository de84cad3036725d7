"""The layers on the GPU compute what they do on the CPU: outputs, gradients and
running statistics, for random shapes."""
import caffe
import numpy as np
import pytest
from devices import MODES, assert_same, draw, inputs, passes

SEEDS = range(20)


def shape(random, axes=None, most=40):
    """N x C and up to three more axes; at times larger than a block of threads."""
    axes = axes or random.integers(2, 6)
    return (*random.integers(1, (6, most)),
            *random.integers(1, most if axes < 5 else 9, axes - 2))


def layer(kind, bottoms, param="", top="top"):
    return (f"layer {{ name: 'layer' type: '{kind}' top: '{top}' "
            + " ".join(f"bottom: '{name}'" for name in bottoms)
            + f" {param} }}")


# Each gives the inputs' shapes and the text of the layer.

def axpy(random):
    x = shape(random)
    a = (x[:2] + (1, 1))[:random.choice([2, 4])]
    return dict(a=a, x=x, y=x), layer("Axpy", "axy")


def batch_norm(random, frozen="false"):
    # Of a single value, and of two, little is left when their mean is taken away.
    n, c, *rest = shape(random)
    return dict(x=(n + 3, c, *rest)), layer(
        "CuDNNBatchNorm", "x", "cudnn_batch_norm_param { momentum: 0.9 "
        f"frozen: {frozen} }}", random.choice(["x", "top"]))


def frozen_batch_norm(random):
    return batch_norm(random, "true")


def interp(random):
    x = shape(random, 4)
    if random.integers(2):
        return (dict(x=x, like=(1, 2, *shape(random, 4)[2:])),
                layer("Interp", ["x", "like"]))
    height, width = random.integers(1, 50, 2)
    return dict(x=x), layer("Interp", "x",
                            f"interp_param {{ height: {height} width: {width} }}")


def channel_pooling(random):
    return dict(x=shape(random, most=100)), layer(
        "ChannelPooling", "x",
        f"pooling_param {{ pool: {random.choice(['MAX', 'AVE'])} }}")


def broadcast_product(random):
    whole = shape(random)
    a, b = (tuple(1 if cut else n for n, cut in zip(whole, cuts))
            for cuts in random.integers(2, size=(2, len(whole))))
    return dict(a=a, b=b), layer("BroadcastProduct", "ab")


def convolution(random):
    group = int(random.choice([1, 1, 2, 4, 32]))
    return convolutions(random, "Convolution", group, random.integers(1, 5))


def depthwise_convolution(random):
    return convolutions(random, "DepthwiseConvolution", random.integers(1, 50), 1)


def convolutions(random, kind, group, channels):
    """With so many channels a group."""
    kernel, dilation = random.choice([1, 3, 3, 5]), random.integers(1, 4)
    n, height, width = random.integers((1, 13, 13), (5, 40, 40))
    return dict(x=(n, group * channels, height, width)), layer(
        kind, "x", f"""convolution_param {{
            num_output: {group * random.integers(1, 5)} group: {group}
            kernel_size: {kernel} dilation: {dilation}
            stride: {random.integers(1, 3)}
            pad: {random.integers(0, 1 + dilation * (kernel // 2))}
            bias_term: {random.choice(['true', 'false'])} }}""")


def global_pooling(random):
    return dict(x=shape(random, 4, 100)), layer(
        "Pooling", "x", "pooling_param { global_pooling: true "
        f"pool: {random.choice(['MAX', 'AVE'])} }}")


def smoothed_loss(random):
    x = shape(random)
    return dict(x=x, label=x[:1] + x[2:]), layer(
        "SoftmaxWithLoss", ["x", "label"],
        "propagate_down: true propagate_down: false loss_param { "
        f"label_smoothing: {random.choice([0, random.uniform(0, .5)]):.3f} "
        f"normalization: {random.choice(['FULL', 'VALID', 'BATCH_SIZE', 'NONE'])} "
        f"{random.choice(['', 'ignore_label: 0'])} }}")


def agree(path, case, phase, seed, steps=1):
    """With other inputs at each step."""
    random = np.random.default_rng(seed)
    shapes, text = case(random)
    path.write_text(inputs(shapes) + text)
    given = [{name: random.integers(shapes["x"][1], size=size) if name == "label"
              else random.normal(size=size) for name, size in shapes.items()}
             for _ in range(steps)]
    found = {}
    for name, choose in MODES.items():
        choose()
        net = caffe.Net(str(path), phase)
        draw(net, seed)
        found[name] = [passes(net, values) for values in given]
    for gpu, cpu in zip(found["GPU"], found["CPU"]):
        assert_same(gpu, cpu, within=2e-4)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("case", [
    axpy, interp, channel_pooling, broadcast_product, convolution,
    depthwise_convolution, global_pooling, smoothed_loss])
def test_cpu_and_gpu_agree(tmp_path, case, seed):
    agree(tmp_path / "net.prototxt", case, caffe.TRAIN, seed)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("case, phase", [
    (batch_norm, caffe.TRAIN), (batch_norm, caffe.TEST),
    (frozen_batch_norm, caffe.TRAIN)])
def test_batch_norm_and_its_statistics_agree(tmp_path, case, phase, seed):
    agree(tmp_path / "net.prototxt", case, phase, seed, steps=2)
