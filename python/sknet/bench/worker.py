"""An engine's side of a benchmark, in a process of its own."""
import re
import time
from pathlib import Path

BURST = .3  # seconds, or two passes, that are timed in a turn


def serve(pipe, start, files, images, threads):
    """Start an engine (sknet.bench.engines) and send (its outputs, seconds from here
    to them). Then, for whatever is received, run a burst and send (milliseconds of
    each pass, the most MiB that this process had). What goes wrong is sent as text;
    where nobody is left at the pipe's other end, return."""
    try:
        begin = time.perf_counter()
        run = start(files, images, threads)
        outputs = run().reshape(len(images), -1).copy()
        pipe.send((outputs, time.perf_counter() - begin))
        while True:
            pipe.recv()
            pipe.send((_burst(run), _peak()))
    except (EOFError, BrokenPipeError):
        return
    except ImportError as error:
        pipe.send(str(error))
    except Exception as error:
        pipe.send(f"{type(error).__name__}: {error}".partition("\n")[0])


def _burst(run):
    """The engine's threads slept, or others had the caches: the first pass wakes
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
