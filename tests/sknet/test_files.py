"""Files that are either whole or not there."""
import os
import resource
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from sknet.errors import InputError
from sknet.figures import FORMATS, save
from sknet.files import in_memory, replacing
from sknet.source import shipped

WEIGHTS = shipped("sknet_digits", "sknet_digits.caffemodel")


@pytest.fixture(params=["nameless", "named"])
def target(request, monkeypatch, tmp_path):
    """A path in an empty folder; on Linux's file systems as they are, and on one
    without files that have no name."""
    if request.param == "named":
        monkeypatch.delattr(os, "O_TMPFILE")
    return tmp_path / "file"


def test_new(target):
    with replacing(target) as name:
        Path(name).write_text("new")
        assert not target.exists()
    assert target.read_text() == "new"
    assert [path.name for path in target.parent.iterdir()] == ["file"]
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(target.stat().st_mode) == 0o666 & ~mask


def test_replaced(target):
    target.write_text("an older and longer text")
    target.chmod(0o640)
    with replacing(target) as name:
        Path(name).write_text("new")
        assert target.read_text() == "an older and longer text"
    assert target.read_text() == "new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert len(list(target.parent.iterdir())) == 1


def test_an_error_leaves_what_was_there(target):
    target.write_text("old")
    with pytest.raises(ZeroDivisionError), replacing(target) as name:
        Path(name).write_text("new")
        1 / 0
    assert target.read_text() == "old"
    assert len(list(target.parent.iterdir())) == 1
    descriptors = len(os.listdir("/proc/self/fd"))
    with pytest.raises(ZeroDivisionError), replacing(target):
        1 / 0
    assert len(os.listdir("/proc/self/fd")) == descriptors


def test_a_folder_that_is_not_there(target):
    with pytest.raises(InputError, match="none/file: cannot be written: No such"):
        with replacing(target.parent / "none/file"):
            pass


def test_killed(tmp_path):
    """Neither a part under the name, nor one under any other."""
    (tmp_path / "file").write_text("old")
    done = subprocess.run([sys.executable, "-c", f"""
import os, signal
from sknet.files import replacing
with replacing({str(tmp_path / "file")!r}) as name, open(name, "w") as file:
    file.write("new" * 1000000)
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""])
    assert done.returncode == -signal.SIGKILL
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "old"


def test_what_a_kill_between_two_names_left(tmp_path):
    """goes when the file is next replaced."""
    path, left = tmp_path / "file", tmp_path / ".file.0a1b.new"
    for text in ("first", "second"):
        left.write_text("whole, but never named")
        with replacing(path) as name:
            Path(name).write_text(text)
    assert path.read_text() == "second" and not left.exists()


def test_two_replace_one_file(tmp_path):
    """Each time it is one of theirs, and in the end nothing else is there."""
    code = """
import sys
from pathlib import Path
from sknet.files import replacing
for _ in range(300):
    with replacing(sys.argv[1]) as name:
        Path(name).write_text(sys.argv[2] * 1000)
"""
    path = tmp_path / "file"
    writers = [subprocess.Popen([sys.executable, "-c", code, path, letter])
               for letter in "ab"]
    seen = set()
    while any(writer.poll() is None for writer in writers):
        if path.exists():
            seen.add(path.read_text())
    assert [writer.returncode for writer in writers] == [0, 0]
    assert seen <= {"a" * 1000, "b" * 1000} and seen
    assert list(tmp_path.iterdir()) == [path]


def test_another_content_stays(target):
    """unless it is to be replaced."""
    target.write_text("old")
    with replacing(target, force=False) as name:
        Path(name).write_text("old")
    with pytest.raises(InputError, match="file: is there already; --force"), \
            replacing(target, force=False) as name:
        Path(name).write_text("new")
    assert target.read_text() == "old"
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("end", FORMATS)
def test_no_room_for_a_figure(end, tmp_path, small_files):
    """Also where Pillow writes by itself."""
    from matplotlib.figure import Figure
    path = tmp_path / f"figure.{end}"
    with small_files(100), pytest.raises(InputError, match=f"{path}: cannot be written"):
        save(Figure(), path)
    assert not list(tmp_path.iterdir())
    save(Figure(), path)


def test_in_memory():
    with in_memory("text \u00e4") as name:
        assert Path(name).read_text(encoding="utf-8") == "text \u00e4"
        assert Path(name).read_text(encoding="utf-8") == "text \u00e4"
    assert not Path(name).exists()


@pytest.mark.parametrize("end", [".caffemodel", ".npz", ".safetensors",
                                 ".caffemodel.h5"])
def test_no_room(end, tmp_path):
    """A limit of a process stands for a full disk."""
    output = tmp_path / f"copy{end}"
    output.write_text("old")
    to = {".caffemodel.h5": "h5"}.get(end, end[1:])
    done = subprocess.run(
        [sys.executable, "-m", "sknet", "convert", WEIGHTS, "--to", to, "-o", output,
         "--force"], capture_output=True, text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (9999, 9999)))
    assert (done.returncode, done.stdout) == (1, "")
    line, = done.stderr.splitlines()
    assert line.startswith(f"sknet convert: {output}: cannot be written: ")
    assert [path.name for path in tmp_path.iterdir()] == [output.name]
    assert output.read_text() == "old"
