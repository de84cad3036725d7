"""Disks that are full.

Of root's tests, a small file system; of others', a limit of the size of files.
"""
import os
import random
import subprocess
from pathlib import Path

import pytest

from contents import check, contents, hidden, same, size
from operations import OPERATIONS
from processes import run

SEED = os.environ.get("SEED") or str(random.randrange(10 ** 6))
PAGE = 4096


@pytest.fixture
def free(work):
    """free(bytes), or of all that is needed: makes room on the disk of the folder
    `work`. Returns the limit of a file's size that stands for that, or None."""
    def mount(options):
        return subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", work],
                              capture_output=True).returncode == 0

    def make_room(room=32 << 20):
        status = os.statvfs(work)
        used = (status.f_blocks - status.f_bfree) * status.f_frsize
        assert mount(f"remount,size={used + room // PAGE * PAGE}")

    if mount("size=32m"):
        yield make_room
        subprocess.run(["umount", work], check=True)
    else:
        yield lambda room=None: room


@pytest.mark.parametrize("name", OPERATIONS)
def test_full_disk(work, undisturbed, free, name):
    operation, dice = OPERATIONS[name], random.Random(f"{SEED} {name}")
    _, final, known = undisturbed(name)
    operation.begin(work, overwriting=True)
    # Where LMDB has its file for locks, but no other.
    for room in (PAGE, 3 * PAGE, dice.randrange(PAGE, size(final) + PAGE)):
        end = run(operation.action, work, limit=free(room))
        if room == PAGE or end.status:
            refused(end, known)
            check(work, known)
            assert not hidden(work)
    end = run(operation.action, work, limit=free())
    assert end.status == 0, end.stderr
    same(contents(work), final)


def refused(end, known):
    """One line says which file, and why."""
    assert end.status == 1, end
    assert "Traceback" not in end.stderr
    line = end.stderr.splitlines()[-1]
    print(line)
    # LMDB has a word of its own; and limits are those of memory's files, too.
    assert any(reason in line for reason in (
        "No space left on device", "File too large", "mdb_txn_commit")), line
    names = {Path(path).name for path in known} | {"a file in memory"}
    assert any(name in line for name in names), line
