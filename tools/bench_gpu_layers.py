#!/usr/bin/env python3
"""How near our layers come to the card's copy bandwidth, in SKNet-50's shapes.

    tools/bench_gpu_layers.py [--batch 32] [--repeats 20]

The bytes of a pass are those that it must read and write; batch norm in training
must read its inputs twice. Time is that between CUDA's events around a pass through
many copies of the layer, together larger than any cache; the median of the repeats.
A copy moves as many bytes in as many calls of cudaMemcpyAsync, device to device.
"""
import argparse
import ctypes
import math
import os
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np

os.environ.setdefault("GLOG_minloglevel", "2")
import caffe  # noqa: E402

# More than the L2 cache by far.
WORKING_SET = 1 << 30
CHANNELS_AND_SIZES = ((128, 56), (256, 28), (512, 14), (1024, 7))
MAPS, GATES = "maps", "gates"
# Layer, its parameters, its bottoms, and how many times a pass forward and a pass
# backward move the bytes of the feature maps.
CASES = (
    ("Axpy", "", (GATES, MAPS, MAPS), 3, 4),
    ("CuDNNBatchNorm", "cudnn_batch_norm_param { frozen: true }", (MAPS,), 2, 2),
    ("CuDNNBatchNorm", "", (MAPS,), 3, 5),
    ("Pooling", "pooling_param { pool: AVE global_pooling: true engine: CAFFE }",
     (MAPS,), 1, 1),
)


class Cuda:
    """The CUDA runtime that Caffe has loaded."""

    def __init__(self):
        with open("/proc/self/maps") as maps:
            path = next(line.split()[-1] for line in maps if "/libcudart.so" in line)
        self.library = ctypes.CDLL(path)
        self.start, self.stop = self.event(), self.event()
        self.memory = self.allocate(WORKING_SET)

    def __call__(self, function, *arguments):
        status = getattr(self.library, function)(*arguments)
        if status:
            raise RuntimeError(f"{function}: CUDA's error {status}")

    def event(self):
        event = ctypes.c_void_p()
        self("cudaEventCreate", ctypes.byref(event))
        return event

    def allocate(self, size):
        pointer = ctypes.c_void_p()
        self("cudaMalloc", ctypes.byref(pointer), ctypes.c_size_t(size))
        return pointer

    def copy(self, size, start=0):
        """From one half of the memory to the other."""
        source = self.memory.value + start
        device_to_device = 3
        self("cudaMemcpyAsync", ctypes.c_void_p(source + WORKING_SET // 2),
             ctypes.c_void_p(source), ctypes.c_size_t(size), device_to_device, None)

    def card(self):
        properties = ctypes.create_string_buffer(1 << 14)
        self("cudaGetDeviceProperties", properties, 0)
        return properties.value.decode()  # the name comes first

    def seconds(self, run, repeats):
        """The median time of the run on the GPU, after two that do not count."""
        times = []
        for _ in range(repeats + 2):
            # While the GPU is at this, all that it is then to do is put in line.
            for _ in range(8):
                self.copy(WORKING_SET // 2)
            self("cudaEventRecord", self.start, None)
            run()
            self("cudaEventRecord", self.stop, None)
            self("cudaEventSynchronize", self.stop)
            elapsed = ctypes.c_float()
            self("cudaEventElapsedTime", ctypes.byref(elapsed), self.start, self.stop)
            times.append(elapsed.value / 1000)
        return statistics.median(times[2:])


def copy_seconds(cuda, size, repeats):
    """Seconds of a copy that reads and writes so many bytes in all."""
    half = WORKING_SET // 2
    size = min(size // 2, half)
    places = range(0, half - size + 1, size)

    def run():
        for place in places:
            cuda.copy(size, place)
    return cuda.seconds(run, repeats) / len(places)


def make_net(kind, param, shapes, copies):
    """A net of so many copies of a layer, each with inputs of its own."""
    text = "force_backward: true\n"
    for copy in range(copies):
        for index, shape in enumerate(shapes):
            dims = " ".join(f"dim: {dim}" for dim in shape)
            text += (f"layer {{ name: 'x{copy}_{index}' type: 'Input' "
                     f"top: 'x{copy}_{index}' input_param {{ shape {{ {dims} }} }} }}\n")
    for copy in range(copies):
        bottoms = " ".join(f"bottom: 'x{copy}_{i}'" for i in range(len(shapes)))
        text += (f"layer {{ name: '{kind}{copy}' type: '{kind}' {bottoms} "
                 f"top: 'y{copy}' {param} }}\n")
    with tempfile.NamedTemporaryFile("w", suffix=".prototxt") as file:
        file.write(text)
        file.flush()
        net = caffe.Net(file.name, caffe.TRAIN)
    random = np.random.default_rng(0)
    values = {}
    for name in net.inputs:
        shape = net.blobs[name].data.shape
        if shape not in values:
            values[shape] = random.standard_normal(shape, np.float32)
        net.blobs[name].data[...] = values[shape]
    for copy in range(copies):
        net.blobs[f"y{copy}"].diff[...] = 1
    return net


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--batch", type=int, default=32, metavar="N")
    parser.add_argument("--repeats", type=int, default=20, metavar="N")
    args = parser.parse_args()
    try:
        caffe.set_mode_gpu()
    except caffe.Error as error:
        return error.message
    cuda = Cuda()
    print(f"{cuda.card()}, batch {args.batch}\n")
    print(f"{'layer':22} {'pass':8} {'maps':>8} {'MB':>6} {'us':>7} {'GB/s':>6} "
          f"{'of a copy':>9}")
    for kind, param, bottoms, forward, backward in CASES:
        name = kind + (", frozen" if "frozen" in param else "")
        for channels, size in CHANNELS_AND_SIZES:
            shapes = [(args.batch, channels, *(2 * [size if bottom == MAPS else 1]))
                      for bottom in bottoms]
            whole = 4 * args.batch * channels * size ** 2
            number = max(2, math.ceil(WORKING_SET / (whole * (len(shapes) + 1))))
            net = make_net(kind, param, shapes, number)
            first, last = len(net.layers) - number, len(net.layers) - 1
            for title, moved, run in (
                    ("forward", forward, lambda: net._forward(first, last)),
                    ("backward", backward, lambda: net._backward(last, first))):
                seconds = cuda.seconds(run, args.repeats) / number
                copy = copy_seconds(cuda, moved * whole, args.repeats)
                print(f"{name:22} {title:8} {channels:4}x{size}² "
                      f"{moved * whole / 1e6:6.1f} {1e6 * seconds:7.1f} "
                      f"{moved * whole / seconds / 1e9:6.0f} {copy / seconds:9.0%}",
                      flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
