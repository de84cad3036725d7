"""kill -9 while files are written.

    KILLS=200 SEED=1 python -m pytest tests/faults/test_kills.py -rP

A third of the kills come at a random moment of the operation; a third before one of
the things that it does to files and folders from Python (opening, linking, renaming,
deleting); a third when a file that it writes has some random size. The next run begins
in what the kill left, and may be killed, too.
"""
import math
import os
import random

import pytest

from contents import check, contents, hidden, same, size
from operations import OPERATIONS
from processes import run

KILLS = math.ceil(int(os.environ.get("KILLS", 57)) / len(OPERATIONS))
SEED = os.environ.get("SEED") or str(random.randrange(10 ** 6))


@pytest.mark.parametrize("name", OPERATIONS)
def test_killed_and_run_again(work, undisturbed, name):
    operation, dice = OPERATIONS[name], random.Random(f"{SEED} {name}")
    straight, final, known = undisturbed(name)
    largest = max(map(size, known.values()))
    kills, finished, half_named = [], 0, 0

    def finish(end):
        assert end.status == 0, end.stderr
        assert end.stdout == straight.stdout
        same(contents(work), final)
        assert not hidden(work)

    operation.begin(work, dice.random() < .5)
    while len(kills) < KILLS:
        kinds = ["after", "before", "within"] if straight.operations else [
            "after", "within"]
        kind = kinds[len(kills) % len(kinds)]
        moment = {"after": round(dice.uniform(0, straight.seconds), 2),
                  "before": dice.randint(1, max(1, straight.operations)),
                  "within": dice.randrange(largest)}[kind]
        end = run(operation.action, work, **{kind: moment})
        if end.killed:
            kills.append(f"{kind} {moment}")
            check(work, known)
            half_named += len(hidden(work))
        elif kind == "within" and end.status:
            # A write that is cut short is an error for LMDB, before there is a signal.
            check(work, known)
        else:
            # Where it goes on, less is left to do than the first time.
            finish(end)
            finished += 1
            operation.begin(work, dice.random() < .5)
    finish(run(operation.action, work))
    assert not os.listdir(f"{work}.tmp")
    print(f"{name}: {len(kills)} kills (seed {SEED}) in {straight.seconds:.2f} s, "
          f"{straight.operations} operations, {largest} bytes: {', '.join(kills)}; "
          f"finished {finished + 1} times; {half_named} files were between two names")
