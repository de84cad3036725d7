"""Nets compiled for inference, on this CPU or a GPU: caffe.compile."""
from collections import OrderedDict

import numpy as np

PRECISIONS = ("f32", "tf32", "f16", "bf16")


class Program:
    """A net of phase TEST compiled for inference; made by `compile`.

    It computes what the net computes, from the weights that the net had then.
    `inputs` and `outputs` are names, `blobs` has the blob of each. Threads may
    each run a program of their own; two must not run the same. A program made in
    GPU mode runs on the device that was set then, from any thread, and takes inputs
    to it when their blob's `data` has been read since the last forward.
    """

    def __init__(self, compiled):
        self._compiled = compiled
        self.inputs, self.outputs = compiled.inputs, compiled.outputs
        self.blobs = OrderedDict(zip(
            [*self.inputs, *self.outputs],
            [*compiled.input_blobs, *compiled.output_blobs]))

    def forward(self, **inputs):
        """Compute the outputs.

        Takes arrays for inputs by name, of any batch and size that the net can
        take; inputs without one keep what their blob holds. Returns a dict of
        arrays, which the next forward overwrites. Raises caffe.Error.
        """
        unknown = sorted(set(inputs) - set(self.inputs))
        if unknown:
            raise ValueError(f"no inputs {', '.join(unknown)}; expected "
                             f"{', '.join(self.inputs)}")
        for name, values in inputs.items():
            blob, values = self.blobs[name], np.asarray(values)
            if tuple(blob.shape) != values.shape:
                blob.reshape(*values.shape)
            blob.data[...] = values
        self._compiled.forward()
        return {name: self.blobs[name].data for name in self.outputs}

    def reshape(self):
        """Give the outputs the shapes that follow from the inputs'."""
        self._compiled.reshape()

    def explain(self, iterations=10):
        """The steps in order, each timed `iterations` times: a list of dicts of
        kind, implementation, layers (the net's that it stands for), ms (the
        median) and gflops (per second; 0 where they are not counted)."""
        return [dict(kind=step.kind, implementation=step.implementation,
                     layers=list(step.layers), ms=step.milliseconds,
                     gflops=step.gflops)
                for step in self._compiled.explain(iterations)]

    @property
    def activation_bytes(self):
        """What activations and scratch take at the inputs' shapes."""
        return self._compiled.activation_bytes


def compile(net, precision="f32", threads=0, outputs=None):
    """Compile a net of phase TEST for inference on this CPU or, in GPU mode
    (caffe.set_device(0); caffe.set_mode_gpu()), on that GPU.

    outputs: names of the blobs to compute; by default the net's outputs.
    precision: what layers hand on, and the factors of their products; sums are
    float's, as inputs and outputs are.
        "f32": floats.
        "bf16": 8 significant bits. For CPUs with AVX-512 and its bf16 extension
            (Intel's since Cooper Lake, AMD's since Zen 4) or AMX; others compute
            alike, but no faster than f32. For GPUs, too.
        "f16", GPUs only: 11 bits, up to 65504.
        "tf32", GPUs only: floats, of which products take 11 bits.
    threads: of the CPU; 0 is OpenMP's number (OMP_NUM_THREADS, or the processors).

    Raises ImportError where the package was built without oneDNN, or oneDNN is
    not installed; caffe.Error where the CPU lacks AVX2, the net is of phase
    TRAIN, or the precision is not the CPU's; ValueError for an unknown precision.
    """
    if precision not in PRECISIONS:
        raise ValueError(
            f"precision {precision!r}; expected one of {', '.join(PRECISIONS)}")
    from . import _engine
    return Program(_engine.Program(net, threads, list(outputs or ()), precision))
