#!/usr/bin/env python3
"""How long a step of training SKNet-50 takes: Caffe, Caffe's own convolution, PyTorch.

    tools/bench_training.py [--batch 8] [--size 224] [--steps 2] [--rounds 7]

A step is forward, backward and an update with momentum and weight decay, on the same
images; PyTorch's is eager, on torch.nn's layers. Each engine has a process of its own,
and they take turns; all have as many threads (OMP_NUM_THREADS, or the processors), and
wait for them as they do by default. Printed are the medians of all rounds: milliseconds
a step, and the ratio to PyTorch's in the same round; and the same of the processors'
time, which says more on a machine that others use too.
"""
import argparse
import os
import statistics
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

os.environ.setdefault("GLOG_minloglevel", "2")
SOLVER = dict(lr=1e-3, momentum=0.9, weight_decay=1e-4)


def caffe_step(batch, size, engine="DEFAULT"):
    import caffe
    from caffe.proto import caffe_pb2
    from sknet import models
    from sknet.text import to_text
    solver = caffe_pb2.SolverParameter(
        base_lr=SOLVER["lr"], momentum=SOLVER["momentum"], lr_policy="fixed",
        weight_decay=SOLVER["weight_decay"])
    net = models.create("sknet50", kind="train_val", size=size)
    layers = [layer for layer in net.layer if layer.type not in ("Data", "Accuracy")]
    for layer in layers:
        if layer.type == "Convolution":
            layer.convolution_param.engine = \
                caffe_pb2.ConvolutionParameter.Engine.Value(engine)
    data = solver.net_param.layer.add(name="data", type="Input", top=["data", "label"])
    for shape in (batch, 3, size, size), (batch,):
        data.input_param.shape.add(dim=shape)
    solver.net_param.layer.extend(layers)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "solver.prototxt"
        path.write_text(to_text(solver))
        solver = caffe.SGDSolver(str(path))
    images, labels = examples(batch, size)
    solver.net.blobs["data"].data[...] = images
    solver.net.blobs["label"].data[...] = labels
    parameters = sum(blob.count for layer, blobs in solver.net.params.items()
                     for blob in blobs[:2])
    return lambda: solver.step(1), parameters


def torch_step(batch, size):
    import torch
    from torch import nn

    def conv(inputs, outputs, kernel=1, stride=1, dilation=1, groups=1, relu=True):
        return nn.Sequential(
            nn.Conv2d(inputs, outputs, kernel, stride, dilation * (kernel // 2),
                      dilation, groups, bias=False),
            nn.BatchNorm2d(outputs), *[nn.ReLU(inplace=True)] * relu)

    class Unit(nn.Module):
        def __init__(self, inputs, middle, outputs, stride):
            super().__init__()
            self.reduce = conv(inputs, middle)
            self.branches = nn.ModuleList(
                conv(middle, middle, 3, stride, dilation, 32) for dilation in (1, 2))
            attention = max(32, middle // 16)
            self.select = nn.Sequential(
                nn.AdaptiveAvgPool2d(1), conv(middle, attention),
                nn.Conv2d(attention, 2 * middle, 1, bias=False))
            self.increase = conv(middle, outputs, relu=False)
            self.project = nn.Identity() if inputs == outputs else \
                conv(inputs, outputs, 1, stride, relu=False)

        def forward(self, x):
            reduced = self.reduce(x)
            a, b = (branch(reduced) for branch in self.branches)
            share = self.select(a + b).unflatten(1, (2, -1)).softmax(1)
            selected = self.increase(a * share[:, 0] + b * share[:, 1])
            return torch.relu_(selected + self.project(x))

    units, inputs = [], 64
    for stage, count in enumerate((3, 4, 6, 3)):
        middle, outputs = 128 << stage, 256 << stage
        for i in range(count):
            units.append(Unit(inputs, middle, outputs, 2 if stage and not i else 1))
            inputs = outputs
    model = nn.Sequential(
        conv(3, 64, 7, 2), nn.MaxPool2d(3, 2, ceil_mode=True), *units,
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, 1000))
    optimizer = torch.optim.SGD(model.parameters(), **SOLVER)
    images, labels = map(torch.from_numpy, examples(batch, size))

    def step():
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(images), labels).backward()
        optimizer.step()
    return step, sum(p.numel() for p in model.parameters())


def examples(batch, size):
    import numpy as np
    random = np.random.RandomState(0)
    return (random.randn(batch, 3, size, size).astype("f"),
            random.randint(0, 1000, batch))


ENGINES = {"caffe": caffe_step,
           "caffe, engine: CAFFE": lambda *args: caffe_step(*args, "CAFFE"),
           "pytorch": torch_step}


def prepare(name, batch, size):
    global step
    step, parameters = ENGINES[name](batch, size)
    step()
    return parameters


def measure(steps):
    """Milliseconds a step: on the clock, and of all processors."""
    start, busy = time.perf_counter(), time.process_time()
    for _ in range(steps):
        step()
    return (1e3 * (time.perf_counter() - start) / steps,
            1e3 * (time.process_time() - busy) / steps)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--steps", type=int, default=2, help="a round")
    parser.add_argument("--rounds", type=int, default=7)
    args = parser.parse_args()
    pools = {name: ProcessPoolExecutor(1, get_context("spawn")) for name in ENGINES}
    parameters = {name: pool.submit(prepare, name, args.batch, args.size).result()
                  for name, pool in pools.items()}
    assert len(set(parameters.values())) == 1, parameters
    found = {name: [] for name in pools}
    for _ in range(args.rounds):
        for name, pool in pools.items():
            found[name].append(pool.submit(measure, args.steps).result())
    print("engine                    ms  times pytorch  processors' ms  times pytorch")
    for name, rounds in found.items():
        row = []
        for own, other in zip(zip(*rounds), zip(*found["pytorch"])):
            row += [statistics.median(own),
                    statistics.median(a / b for a, b in zip(own, other))]
        print("{:<21} {:>6.0f} {:>14.2f} {:>15.0f} {:>14.2f}".format(name, *row))


if __name__ == "__main__":
    main()
