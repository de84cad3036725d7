"""Processes that end together."""
import subprocess
import sys

import pytest

BEGIN = """
import multiprocessing, os, sys, time
from sknet.processes import end_with

def follow(status, seconds):
    time.sleep(seconds)
    sys.exit(status)

class Late:
    '''As the system may show a process that has ended: its sentinel is ready before
    its status is, which is there when it is asked for again, if at all.'''
    def __init__(self, *statuses):
        self.sentinel, end = os.pipe()
        os.close(end)
        self.statuses = list(statuses)

    @property
    def exitcode(self):
        return self.statuses.pop(0) if self.statuses else None

    def kill(self):
        pass

if __name__ == "__main__":
"""
FOLLOWERS = """
    started = {{f"number {{i}}": multiprocessing.get_context("spawn").Process(
        target=follow, args=pair, daemon=True) for i, pair in enumerate({pairs})}}
    for process in started.values():
        process.start()
    end_with(started)
    time.sleep({seconds})
    print("done")
"""
LATE = """
    end_with({"never": Late(), "late": Late(None, 3)})
    time.sleep(10)
    print("done")
"""


@pytest.mark.parametrize("begun, status, said", [
    (FOLLOWERS.format(pairs=[(0, 600), (3, 0)], seconds=600), 1,
     "the process of number 1 ended with status 3"),
    (LATE, 1, "the process of late ended with status 3"),
    (FOLLOWERS.format(pairs=[(0, 0), (0, 0)], seconds=3), 0, "done"),
    (FOLLOWERS.format(pairs=[(0, 600), (0, 0)], seconds=3), 0, "done")],
    ids=["fails", "fails late", "all end", "ended by the first"])
def test_a_process_that_fails_ends_the_others(begun, status, said, tmp_path):
    program = tmp_path / "program.py"
    program.write_text(BEGIN + begun)
    ended = subprocess.run([sys.executable, str(program)], text=True, timeout=120,
                           capture_output=True)
    assert ended.returncode == status, ended.stderr
    assert said in ended.stdout + ended.stderr
