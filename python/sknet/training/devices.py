"""Which processors a training runs on; several GPUs through Caffe's NCCL, a process
for each, as Caffe's python/train.py does it."""
import multiprocessing
import subprocess

from sknet.errors import InputError
from sknet.processes import deaf_to_ctrl_c, end_with
from sknet.pycaffe import caffe
from sknet.training import snapshots
from sknet.training.solvers import make_solver, reseed


def gpu_numbers(text):
    """Return the numbers in "0,1", or of all GPUs for "all", as Caffe's -gpu has them;
    of None, none. Raises InputError if they are not like that."""
    if text is None:
        return ()
    if text == "all":
        try:
            listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True,
                                    text=True).stdout
        except OSError as error:
            raise InputError("--gpu all: there is no nvidia-smi that would tell the "
                             "GPUs") from error
        text = ",".join(str(number) for number in range(listed.count("GPU ")))
    try:
        numbers = tuple(int(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"--gpu {text}: expected numbers like 0,1, or all") from None
    if len(numbers) > 1 and not caffe.has_nccl():
        raise InputError("--gpu: this Caffe was built without NCCL (-DUSE_NCCL=ON), "
                         "which several GPUs need")
    return numbers


def start_solver(param, prefix, snapshot, gpus, fill, trust=False):
    """Return the solver of this process, at a Snapshot or at its beginning, where
    fill(net) is called; those of further GPUs run along in processes of their own.
    trust: see make_solver."""
    uid = caffe.NCCL.new_uid() if len(gpus) > 1 else None
    followers = {f"GPU {gpus[rank]}": multiprocessing.get_context("spawn").Process(
        target=_follow, args=(param, prefix, snapshot, gpus, uid, rank, trust),
        daemon=True) for rank in range(1, len(gpus))}
    with deaf_to_ctrl_c():
        for follower in followers.values():
            follower.start()
    end_with(followers)
    return _solver(param, prefix, snapshot, gpus, uid, 0, trust, fill)


def _follow(param, prefix, snapshot, gpus, uid, rank, trust):
    solver = _solver(param, prefix, snapshot, gpus, uid, rank, trust)
    while solver.iter < param.max_iter:
        reseed(param.random_seed, solver.iter)
        solver.step(1)


def _solver(param, prefix, snapshot, gpus, uid, rank, trust, fill=None):
    solver = make_solver(param, prefix, snapshot.iteration if snapshot else 0, gpus,
                         rank, trust)
    if snapshot:
        snapshots.restore(solver, snapshot)
    elif fill:
        fill(solver.net)
    if uid:
        solver.nccl = caffe.NCCL(solver, uid)
        # The first process's weights.
        solver.nccl.bcast()
        solver.add_callback(solver.nccl)
        if solver.param.layer_wise_reduce:
            solver.net.after_backward(solver.nccl)
    return solver
