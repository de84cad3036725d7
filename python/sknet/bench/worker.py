"""An engine in a process of its own: its threads and its memory are apart from the
others', and it waits at a pipe while they work."""
import contextlib
import re
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from sknet.processes import deaf_to_ctrl_c

BURST = .3  # seconds, or two passes, that are timed in a turn
_CONTEXT = get_context("spawn")  # which takes nothing over but the environment


class Failure(Exception):
    """Why an engine does not run."""


class Worker:
    """An engine's process. Raises Failure; ImportError where its files cannot be
    made.

    outputs: of the images; start_s: seconds until they were there.
    ms: of each pass; peak_mib: the most memory that the process had.
    """

    def __init__(self, engine, source, images, place):
        files = getattr(source, engine.files)
        self.ms, self.peak_mib = [], None
        self._pipe, end = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(
            target=_serve, args=(end, engine.start, files, images, place), daemon=True)
        with deaf_to_ctrl_c():
            self._process.start()
        end.close()
        try:
            self.outputs, self.start_s = self._answer()
        except BaseException:
            self.end()
            raise

    def turn(self):
        """Time a burst of passes."""
        # Where it has died since, the answer tells.
        with contextlib.suppress(ConnectionError):
            self._pipe.send("go")
        times, self.peak_mib = self._answer()
        self.ms += times

    def end(self):
        self._process.kill()
        self._process.join()
        self._pipe.close()

    def _answer(self):
        try:
            answer = self._pipe.recv()
        except (EOFError, ConnectionError):
            self._process.join()
            raise Failure("its process ended with status "
                          f"{self._process.exitcode}") from None
        if isinstance(answer, str):
            raise Failure(answer)
        return answer


def alone(function, *args):
    """What a function gives in a process of its own."""
    with ProcessPoolExecutor(1, _CONTEXT) as pool:
        with deaf_to_ctrl_c():
            future = pool.submit(function, *args)
        return future.result()


@contextlib.contextmanager
def neighbours(count):
    """Processes beside the block, each of which keeps a processor busy."""
    processes = [_CONTEXT.Process(target=_spin, daemon=True) for _ in range(count)]
    try:
        with deaf_to_ctrl_c():
            for process in processes:
                process.start()
        yield
    finally:
        for process in processes:
            if process.pid:
                process.kill()
                process.join()


# What the processes do.

def _spin():
    while True:
        pass


def _serve(pipe, start, files, images, place):
    """Start an engine (sknet.bench.engines) and send (its outputs, seconds from here
    to them). Then, for whatever is received, run a burst and send (milliseconds of
    each pass, the most MiB that this process had). What goes wrong is sent as text;
    where nobody is left at the pipe's other end, return."""
    try:
        begin = time.perf_counter()
        run = start(files, images, place)
        outputs = run().reshape(len(images), -1).copy()
        pipe.send((outputs, time.perf_counter() - begin))
        while True:
            pipe.recv()
            pipe.send((_burst(run), _peak()))
    except (EOFError, ConnectionError):
        return
    except ImportError as error:
        pipe.send(str(error))
    except Exception as error:
        pipe.send(f"{type(error).__name__}: {error}".partition("\n")[0])


def _burst(run):
    """The engine's threads slept, and others had the caches: the first pass wakes
    them, and does not count."""
    run()
    times, start = [], time.perf_counter()
    while len(times) < 2 or time.perf_counter() - start < BURST:
        begin = time.perf_counter()
        run()
        times.append(1e3 * (time.perf_counter() - begin))
    return times


def _peak():
    # Not getrusage's ru_maxrss, which counts what the process was forked from.
    text = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(re.search(r"^VmHWM:\s*(\d+) kB", text, re.M)[1]) / 1024
