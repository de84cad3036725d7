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
        running = dict(processes)
        while running:
            connection.wait([process.sentinel for process in running.values()])
            time.sleep(.01)  # a sentinel may be ready before there is a status
            for name, process in list(running.items()):
                status = process.exitcode
                if status is None:
                    continue
                del running[name]
                # This process ends them by SIGTERM itself, when it is done.
                if status not in (0, -signal.SIGTERM):
                    print(f"the process of {name} ended with status {status}",
                          file=sys.stderr, flush=True)
                    for other in running.values():
                        other.kill()
                    os._exit(1)
    threading.Thread(target=watch, daemon=True).start()
