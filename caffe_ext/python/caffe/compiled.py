"""Nets compiled for inference on this CPU: caffe.compile."""
from collections import OrderedDict

import numpy as np

PRECISIONS = ("f32", "bf16")


class Program:
    """A net of phase TEST compiled for inference; made by `compile`.

    It computes what the net computes, from the weights that the net had then.
    `inputs` and `outputs` are names, `blobs` has the blob of each. Threads may
    each run a program of their own; two must not run the same.
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
    """Compile a net of phase TEST for inference on this CPU.

    outputs: names of the blobs to compute; by default the net's outputs.
    precision: "f32"; or "bf16", for CPUs with AVX-512 and its bf16 extension (Intel's
    since Cooper Lake, AMD's since Zen 4) or AMX: what layers hand on, and the
    factors of their products, keep 8 significant bits; sums are float's, as inputs
    and outputs are. On other CPUs it computes alike, but no faster than f32.
    threads: 0 is OpenMP's number (OMP_NUM_THREADS, or the processors).

    Raises ImportError where the package was built without oneDNN, or oneDNN is
    not installed; caffe.Error where the CPU lacks AVX2 or the net is of phase
    TRAIN; ValueError for an unknown precision.
    """
    if precision not in PRECISIONS:
        raise ValueError(
            f"precision {precision!r}; expected {' or '.join(map(repr, PRECISIONS))}")
    from . import _engine
    return Program(_engine.Program(net, threads, list(outputs or ()), precision))
