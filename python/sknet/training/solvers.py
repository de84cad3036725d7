"""Caffe's solver, set up so that sknet.training.loop runs it."""
import numpy as np
from google.protobuf import text_format

from sknet.errors import InputError
from sknet.files import in_memory, read_bytes
from sknet.net import allowed, setting_up
from sknet.proto import caffe_pb2
from sknet.pycaffe import caffe
from sknet.text import read_net, to_text

NEVER = 2 ** 31 - 1


def read_solver(path):
    """Return the SolverParameter in a prototxt, whose `net` is for training and for
    validation. Raises InputError if it is none, or one that is not supported."""
    try:
        param = text_format.Parse(read_bytes(path).decode(),
                                  caffe_pb2.SolverParameter())
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not a prototxt (it is not text)") from error
    except text_format.ParseError as error:
        raise InputError(f"{path}: not a solver of this Caffe: line {error}") from error
    if not param.net or param.train_net or param.test_net:
        raise InputError(f"{path}: expected `net`, a file with the net for training "
                         "and for validation")
    if not param.max_iter:
        raise InputError(f"{path}: expected `max_iter`, the number of iterations")
    if param.snapshot_format != caffe_pb2.SolverParameter.BINARYPROTO:
        raise InputError(f"{path}: snapshot_format is HDF5; expected BINARYPROTO")
    return param


def make_solver(param, prefix, iteration=0, gpus=(), rank=0, trust=False):
    """Return a caffe Solver of a SolverParameter, which begins with the images of an
    iteration, and neither validates nor snapshots by itself.

    prefix: what the snapshots' names begin with.
    gpus: their numbers, of which this process has the one at `rank`; none: the CPU.
    trust: the net's layers may run code and write files, besides what a training
        needs, which is to compute and to read.

    Raises InputError if Caffe cannot set it up.
    """
    net = read_net(param.net)
    solvers = max(1, len(gpus))
    for layer in net.layer if iteration else ():
        if layer.type == "AugmentedData" and _in_training(layer):
            layer.augmented_data_param.first += \
                iteration * param.iter_size * _batch(layer) * solvers
    own = caffe_pb2.SolverParameter()
    own.CopyFrom(param)
    own.snapshot_prefix = str(prefix)
    own.test_initialization, own.test_interval = False, NEVER
    own.snapshot = own.display = 0
    own.ClearField("weights")
    _select(gpus, rank)
    with in_memory(to_text(net)) as own.net, in_memory(to_text(own)) as path, \
            setting_up(param.net):
        return caffe.get_solver(path, allow=allowed(trust, "read"))


def forgetful(net):
    """Return the names of a NetParameter's layers that read images for training and
    begin anew with them, wherever the training goes on."""
    return [layer.name for layer in net.layer if _in_training(layer)
            and layer.type in ("Data", "ImageData", "HDF5Data", "WindowData")]


def reseed(seed, iteration):
    """Make what is random in an iteration a function of its number, so that a
    training which goes on there draws the same."""
    state = np.random.SeedSequence([abs(seed), iteration, caffe.solver_rank()])
    caffe.set_random_seed(int(state.generate_state(1)[0]))


def _select(gpus, rank):
    """Caffe asks at many places which processor it is to use."""
    if not gpus:
        caffe.set_mode_cpu()
        return
    caffe.set_device(gpus[rank])
    caffe.set_mode_gpu()
    caffe.set_solver_count(len(gpus))
    caffe.set_solver_rank(rank)
    caffe.set_multiprocess(len(gpus) > 1)


def _in_training(layer):
    phases = [rule.phase for rule in layer.include if rule.HasField("phase")]
    return not layer.bottom and caffe_pb2.TEST not in phases


def _batch(layer):
    return (layer.data_param.batch_size or layer.image_data_param.batch_size)
