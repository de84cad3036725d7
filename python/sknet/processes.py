"""Processes beside this one, which begins and ends them."""
import contextlib
import os
import signal
import sys
import threading
import time
from multiprocessing import connection


@contextlib.contextmanager
def deaf_to_ctrl_c():
    """Processes that the block starts do not hear it: this one ends them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_with(processes):
    """From now on, where one of these, {name: Process}, ends in failure this process
    ends, too, with status 1, and so do they all: where C++ waits for one of them, it
    would wait for ever, and hear no signal."""
    def watch():
        running = {process.sentinel: (name, process)
                   for name, process in processes.items()}
        while running:
            for sentinel in connection.wait(running):
                name, process = running.pop(sentinel)
                # What wakes us closes before there is a status to be had.
                while (status := process.exitcode) is None:
                    time.sleep(0.001)
                # This process ends them by SIGTERM itself, when it is done.
                if status not in (0, -signal.SIGTERM):
                    print(f"the process of {name} ended with status {status}",
                          file=sys.stderr, flush=True)
                    for _, other in running.values():
                        other.kill()
                    os._exit(1)
    threading.Thread(target=watch, daemon=True).start()
