"""kill -9 while files are written.

    KILLS=200 SEED=1 python -m pytest tests/faults/test_kills.py -rP

Half of the kills come at a random moment of the operation, the others before one of
what it does to files and folders from Python (opening, linking, renaming, deleting).
The next run begins in what the kill left, and may be killed, too.
"""
import math
import os
import random

import pytest

from contents import check, contents, hidden, same
from operations import OPERATIONS
from processes import run

KILLS = math.ceil(int(os.environ.get("KILLS", 38)) / len(OPERATIONS))
SEED = os.environ.get("SEED") or str(random.randrange(10 ** 6))


@pytest.mark.parametrize("name", OPERATIONS)
def test_killed_and_run_again(work, undisturbed, name):
    operation, dice = OPERATIONS[name], random.Random(f"{SEED} {name}")
    straight, final, known = undisturbed(name)
    moments, finished, half_named = [], 0, 0

    def finish(end):
        assert end.status == 0, end.stderr
        assert end.stdout == straight.stdout
        same(contents(work), final)
        assert not hidden(work)

    operation.begin(work, dice.random() < .5)
    while len(moments) < KILLS:
        if len(moments) % 2 and straight.operations:
            moment = dice.randint(1, straight.operations)
            end = run(operation.action, work, before=moment)
        else:
            moment = dice.uniform(0, straight.seconds)
            end = run(operation.action, work, after=moment)
        if end.killed:
            moments.append(f"#{moment}" if isinstance(moment, int) else f"{moment:.2f}")
            check(work, known)
            half_named += len(hidden(work))
        else:
            # Where it goes on, less is left to do than the first time.
            finish(end)
            finished += 1
            operation.begin(work, dice.random() < .5)
    finish(run(operation.action, work))
    assert not os.listdir(f"{work}.tmp")
    print(f"{name}: {len(moments)} kills (seed {SEED}) in {straight.seconds:.2f} s and "
          f"{straight.operations} operations on files: {', '.join(moments)}; finished "
          f"{finished + 1} times; {half_named} files met between two names")
