"""What writes files: the operations that faults come to.

Each runs in a folder of its own, beside folders of images (conftest.py).
"""
import os
import re
import shutil
import sys
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import caffe

from sknet.cli import main
from sknet.data.datasets import open_dataset
from sknet.errors import InputError
from sknet.source import shipped
from sknet.training import lmdb_making

from contents import OLD

WEIGHTS = str(shipped("sknet_digits", "sknet_digits.caffemodel"))

# 240 KB of weights, and as much momentum; no randomness after the first weights.
NET = """
layer { name: 'data' type: 'DummyData' top: 'data' top: 'goal'
  dummy_data_param { shape { dim: 2 dim: 300 } shape { dim: 2 dim: 200 }
    data_filler { type: 'constant' value: 1 } data_filler { type: 'constant' } } }
layer { name: 'ip' type: 'InnerProduct' bottom: 'data' top: 'ip'
  inner_product_param { num_output: 200 weight_filler { type: 'xavier' } } }
layer { name: 'loss' type: 'EuclideanLoss' bottom: 'ip' bottom: 'goal' top: 'loss' }
"""
SOLVER = """
net: 'net.prototxt' base_lr: 0.0001 momentum: 0.9 lr_policy: 'fixed' random_seed: 1
max_iter: 15 snapshot: 1 snapshot_prefix: 'net' snapshot_format: {}
"""


@dataclass(frozen=True)
class Operation:
    """action: what processes.run takes.
    thorough: the same, but keeping all files of which it otherwise deletes some.
    inputs: {name: text} of files that it reads, in its folder.
    outputs: names of files that may be there before.
    """
    action: callable
    thorough: callable = None
    inputs: dict = field(default_factory=dict)
    outputs: tuple = ()

    def begin(self, folder, overwriting=False):
        """Make the folder what it is before, with or without old outputs."""
        for path in folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        for name, text in self.inputs.items():
            (folder / name).write_text(text)
        for name in self.outputs * overwriting:
            (folder / name).write_bytes(OLD)


def sknet(*args):
    """The verb, with fetched files in the current folder."""
    for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME"):
        os.environ[name] = os.getcwd()
    return main([str(arg) for arg in args])


def solve():
    """Train with pycaffe, from the newest snapshot on."""
    caffe.set_mode_cpu()
    solver = caffe.get_solver("solver.prototxt")
    if newest_state():
        solver.restore(newest_state())
    try:
        solver.solve()
    except caffe.Error as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def caffe_train():
    """The same with Caffe's command, as which this process goes on."""
    tool = str(Path(caffe.__file__).parent / "bin/caffe")
    resumed = ["-snapshot", newest_state()] if newest_state() else []
    os.execv(tool, ["caffe", "train", "-solver", "solver.prototxt", *resumed])


def newest_state():
    return max((path.name for path in Path().glob("*.solverstate*")), default=None,
               key=lambda name: int(re.search(r"_iter_(\d+)", name)[1]))


def make_lmdb():
    lmdb_making.CHUNK = 3
    try:
        lmdb_making.make_lmdb(open_dataset("../images"), "lmdb", seed=1)
    except InputError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def train(keep):
    return sknet("train", "sknet_digits", "../images", "-o", "run", "--batch", 4,
                 "--iter-size", 1, "--epochs", 1, "--test-interval", 2, "--snapshot",
                 2, "--display", 1, "--keep", keep)


def _verb(*args, outputs=()):
    force = ["--force"] * bool(outputs)
    return Operation(partial(sknet, *args, *force), outputs=outputs)


def _extract(output):
    return _verb("extract", "sknet_digits", "../digits", "--blob", "conv1/3x3_s2",
                 "--batch-size", 2, "-o", output, outputs=(output,))


def _convert(to, *outputs, more=()):
    output = outputs[0] if len(outputs) == 1 else "net"
    return _verb("convert", WEIGHTS, "--to", to, *more, "-o", output, outputs=outputs)


def _snapshots(action, format):
    return Operation(action, inputs={"net.prototxt": NET,
                                     "solver.prototxt": SOLVER.format(format)})


_NET = ("--model", "sknet_digits")
OPERATIONS = {
    "snapshot": _snapshots(solve, "BINARYPROTO"),
    "snapshot, HDF5": _snapshots(solve, "HDF5"),
    "caffe train": _snapshots(caffe_train, "BINARYPROTO"),
    "caffe train, HDF5": _snapshots(caffe_train, "HDF5"),
    "generate": _verb("generate", "sknet50", "-o", "net.prototxt",
                      outputs=("net.prototxt",)),
    "fold": _verb("fold", "sknet_digits", "-o", "net",
                  outputs=("net.prototxt", "net.caffemodel")),
    "convert, caffemodel": _convert("caffemodel", "net.caffemodel"),
    "convert, HDF5": _convert("h5", "net.caffemodel.h5"),
    "convert, npz": _convert("npz", "net.npz"),
    "convert, safetensors": _convert("safetensors", "net.safetensors"),
    "convert, ONNX": _convert("onnx", "net.onnx", more=_NET),
    "convert, stock": _convert("stock", "net.prototxt", "net.caffemodel", more=_NET),
    "fetch": Operation(partial(sknet, "fetch", "sknet_digits", "--from", WEIGHTS)),
    "LMDB": Operation(make_lmdb),
    "train": Operation(partial(train, 2), partial(train, 1000)),
    "evaluate": _verb("evaluate", "sknet_digits", "../digits", "--crops", 10,
                      "--batch-size", 2, "--predictions", "rows.jsonl", "--json",
                      "--csv", "classes.csv", "--confusion", "confusion.png"),
    "extract, npz": _extract("values.npz"),
    "extract, HDF5": _extract("values.h5"),
    "attention": _verb("attention", "sknet_digits", "../digits", "--batch-size", 2,
                       "--panels", 1, "-o", "attention"),
}
