"""What a run that was cut off goes on from."""
import json
import subprocess
import sys

import pytest

from sknet.errors import InputError
from sknet.journal import Journal


def opened(path, identity, batches):
    return Journal.opened(path, "rows of a test", identity, batches,
                          keep=lambda row: row["name"])


def rows(indices):
    return [dict(index=index, name=str(index)) for index in indices]


def rows_of(path):
    lines = path.read_text().splitlines()[1:]
    return sorted(json.loads(line)["index"] for line in lines)


def test_what_is_done_again(tmp_path):
    """Batches that are not whole, or with errors."""
    path, batches = tmp_path / "rows.jsonl", [range(0, 3), range(3, 6), range(6, 8)]
    with opened(path, dict(a=[1]), batches) as journal:
        assert journal.todo == batches
        journal.add(rows([3, 4, 5]))
        journal.add(rows([0, 1]) + [dict(index=2, name="2", error="broken")])
    assert journal.errors == {2: ("2", "broken")}
    with open(path, "a") as file:
        file.write('{"index": 6, "name": "6", "la')
    with opened(path, dict(a=(1,)), batches) as journal:
        assert journal.todo == [range(0, 3), range(6, 8)]
        assert journal.results == {3: "3", 4: "4", 5: "5"} and not journal.errors
        journal.add(rows([6, 7]))
    with opened(path, dict(a=[1]), [range(0, 4), range(4, 8)]) as journal:
        assert journal.todo == [range(0, 4)]
    assert rows_of(path) == [4, 5, 6, 7]


def test_another_identity(tmp_path):
    path = tmp_path / "rows.jsonl"
    with opened(path, dict(a=1), [range(1)]) as journal:
        journal.add(rows([0]))
    with pytest.raises(InputError, match="rows of a test, but .* a is 1 .* 2 here"), \
            opened(path, dict(a=2), [range(1)]):
        pass
    path.write_text("notes")
    with pytest.raises(InputError, match="not rows of a test"), \
            opened(path, dict(a=1), [range(1)]):
        pass
    assert path.read_text() == "notes"


def test_full_disk(tmp_path, small_files):
    path, batches = tmp_path / "rows.jsonl", [range(4), range(4, 8)]
    with small_files(150), pytest.raises(
            InputError, match="rows.jsonl: cannot be written: File too large"), \
            opened(path, {}, batches) as journal:
        journal.add(rows(range(4)))
        journal.add(rows(range(4, 8)))
    with opened(path, {}, batches) as journal:
        assert journal.todo == [range(4, 8)]


def test_two_do_not_write_to_one_file(tmp_path):
    path = tmp_path / "rows.jsonl"
    with opened(path, {}, [range(2)]) as journal:
        journal.add(rows([0, 1]))
        code = ("import sys; from sknet.journal import Journal\n"
                "with Journal.opened(sys.argv[1], 'rows', {}, [], None): pass")
        done = subprocess.run([sys.executable, "-c", code, str(path)],
                              capture_output=True, text=True)
        assert "another process is writing to it" in done.stderr
    assert rows_of(path) == [0, 1]
