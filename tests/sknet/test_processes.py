"""Processes that end together."""
import subprocess
import sys

import pytest

PROGRAM = """
import multiprocessing, sys, time
from sknet.processes import end_with

def follow(status, seconds):
    time.sleep(seconds)
    sys.exit(status)

if __name__ == "__main__":
    started = {{f"number {{i}}": multiprocessing.get_context("spawn").Process(
        target=follow, args=pair, daemon=True) for i, pair in enumerate({pairs})}}
    for process in started.values():
        process.start()
    end_with(started)
    time.sleep({seconds})
    print("done")
"""


@pytest.mark.parametrize("pairs, seconds, status, said", [
    ([(0, 600), (3, 0)], 600, 1, "the process of number 1 ended with status 3"),
    ([(0, 0), (0, 0)], 3, 0, "done"),
    ([(0, 600), (0, 0)], 3, 0, "done")], ids=["fails", "all end", "ended by the first"])
def test_a_process_that_fails_ends_the_others(pairs, seconds, status, said, tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM.format(pairs=pairs, seconds=seconds))
    ended = subprocess.run([sys.executable, str(program)], text=True, timeout=120,
                           capture_output=True)
    assert ended.returncode == status, ended.stderr
    assert said in ended.stdout + ended.stderr
