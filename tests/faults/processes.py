"""Commands in processes that faults come to.

A server, which has imported everything, forks for each: a kill then meets the work,
not the start of Python.
"""
import multiprocessing
import os
import pkgutil
import resource
import signal
import sys
import tempfile
import time
from dataclasses import dataclass

import sknet

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([
    "pytest", "caffe", "h5py", "lmdb", "tqdm", "filelock", "safetensors.numpy", "onnx",
    "matplotlib.figure", "matplotlib.backends.backend_agg", "PIL.PngImagePlugin",
    *(module.name for module in pkgutil.walk_packages(sknet.__path__, "sknet.")
      if not module.name.endswith("__main__"))])
# What changes a folder, by Python's names; beside them, opening to write.
_OPERATIONS = {"os.link", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod"}


@dataclass(frozen=True)
class End:
    """Of a process.

    status: as subprocess has it.
    operations: the number that it has made on files and folders, from Python.
    """
    status: int
    stdout: str
    stderr: str
    seconds: float
    operations: int

    @property
    def killed(self):
        return self.status in (-signal.SIGKILL, -signal.SIGXFSZ)


def run(action, folder, after=None, before=None, within=None, limit=None):
    """Run action(), which is picklable and returns an exit status, with a current
    folder and one for temporary files, FOLDER.tmp. Return its End.

    after: seconds after which it is killed.
    before: the number of the operation on a file or folder before which it is killed.
    within: the size of a file at which it is killed as it writes on, by SIGXFSZ, which
        is as sudden.
    limit: bytes that a file may have; to write on is an error.
    """
    done = _CONTEXT.RawValue("i")
    readers, writers = zip(*(_CONTEXT.Pipe(duplex=False) for _ in range(2)))
    process = _CONTEXT.Process(target=_work, args=(
        action, folder, writers, done, before, within, limit))
    start = time.monotonic()
    process.start()
    for writer in writers:
        writer.close()
    process.join(after)
    process.kill()
    process.join()
    seconds = time.monotonic() - start
    texts = []
    for reader in readers:
        with reader, open(reader.fileno(), closefd=False) as file:
            texts.append(file.read())
    return End(process.exitcode, *texts, seconds, done.value)


def _work(action, folder, outputs, done, before, within, limit):
    os.chdir(folder)
    tempfile.tempdir = f"{folder}.tmp"
    os.makedirs(tempfile.tempdir, exist_ok=True)
    # Pipes, which no limit of files counts for.
    for output, number in zip(outputs, (1, 2)):
        os.dup2(output.fileno(), number)
        output.close()
    if within is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        limit = within
    if limit is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    sys.addaudithook(lambda event, args: _count(event, args, done, before))
    sys.exit(action())


def _count(event, args, done, before):
    if event in _OPERATIONS or event == "open" and args[2] & (
            os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        done.value += 1
        if done.value == before:
            os.kill(os.getpid(), signal.SIGKILL)
