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
from sknet.files import replacing
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
