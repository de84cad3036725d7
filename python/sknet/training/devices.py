"""Which processors a training runs on; several GPUs through Caffe's NCCL, a process
for each, as Caffe's python/train.py does it."""
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from multiprocessing import connection

from sknet.errors import InputError
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
    followers = [multiprocessing.get_context("spawn").Process(
        target=_follow, args=(param, prefix, snapshot, gpus, uid, rank, trust),
        daemon=True) for rank in range(1, len(gpus))]
    for follower in followers:
        follower.start()
    end_with(followers)
    return _solver(param, prefix, snapshot, gpus, uid, 0, trust, fill)


def end_with(processes):
    """From now on, where one of these ends in failure this process ends, too, with
    status 1, and they all: NCCL would wait for it for ever, and hear no signal."""
    def watch():
        running = list(processes)
        while running:
            connection.wait([process.sentinel for process in running])
            for process in running:
                # This process ends them by SIGTERM itself, when it is done.
                if process.exitcode not in (None, 0, -signal.SIGTERM):
                    print(f"training: the process of GPU {processes.index(process) + 1}"
                          f" of {len(processes) + 1} ended with status "
                          f"{process.exitcode}", file=sys.stderr, flush=True)
                    for other in running:
                        other.kill()
                    os._exit(1)
            running = [process for process in running if process.is_alive()]
    threading.Thread(target=watch, daemon=True).start()


def _follow(param, prefix, snapshot, gpus, uid, rank, trust):
    # Ctrl-C goes to all processes; the first one ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
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
