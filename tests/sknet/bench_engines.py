"""Engines that fail, for the processes of `sknet bench`; nothing is imported that they
do not need."""
import os
import signal
import sys

import numpy as np

from sknet.bench.engines import ENGINES

FOREIGN = ("caffe", "matplotlib", "torch", "openvino", "onnx", "PIL", "sknet.cli",
           "google.protobuf")


def off(files, images, threads):
    right = ENGINES["caffe"].start(files, images, threads)
    return lambda: right() * 1.01


def absent(files, images, threads):
    import nosuch  # noqa: F401


def raising(files, images, threads):
    raise ValueError("cannot read\nthis")


def dying(files, images, threads):
    right, passes = ENGINES["caffe"].start(files, images, threads), []

    def run():
        passes.append(None)
        if len(passes) == 5:
            os.kill(os.getpid(), signal.SIGKILL)
        return right()
    return run


def nosy(files, images, threads):
    """Its outputs tell what its process has imported, and its variables."""
    found = [name in sys.modules for name in FOREIGN]
    return lambda: np.array([[*found, int(os.environ["OMP_NUM_THREADS"])]])
