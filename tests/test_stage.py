"""caffe_ext/stage.py: our files over Caffe's source, whole or not at all."""
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
STAGE = ROOT / "caffe_ext/stage.py"
spec = importlib.util.spec_from_file_location("stage", STAGE)
stage = importlib.util.module_from_spec(spec)
spec.loader.exec_module(stage)


def run(*args, **env):
    return subprocess.run([sys.executable, STAGE, *map(str, args)], text=True,
                          capture_output=True, env={**os.environ, **env})


@pytest.fixture(scope="session")
def pristine(tmp_path_factory):
    """Caffe's source as it was fetched."""
    archive = stage.fetch(ROOT / "caffe_ext/caffe-source.txt",
                          ROOT / "build/download")
    tree = tmp_path_factory.mktemp("pristine") / "caffe"
    stage.unpack(archive, tree)
    return tree


@pytest.fixture
def fork(pristine, tmp_path):
    return shutil.copytree(pristine, tmp_path / "fork")


@pytest.fixture(scope="session")
def staged(pristine, tmp_path_factory):
    out = tmp_path_factory.mktemp("staged") / "caffe"
    done = run("--source", pristine, out)
    assert done.returncode == 0, done.stderr
    return out


def files(tree):
    return {path.relative_to(tree): path.read_bytes()
            for path in tree.rglob("*") if path.is_file()
            and path.name != ".staged"}


def test_staging_again_changes_nothing(pristine, staged):
    times = {path: path.stat().st_mtime_ns for path in staged.rglob("*")}
    done = run("--source", pristine, staged)
    assert done.returncode == 0 and "up to date" in done.stdout
    assert times == {path: path.stat().st_mtime_ns for path in staged.rglob("*")}


def test_every_edit_changes_something(pristine, staged):
    for path in sorted((ROOT / "caffe_ext/edits").glob("*.edit")):
        edits = list(stage.read_edits(path))
        assert edits
        for edit in edits:
            text = (pristine / edit.path).read_text()
            assert edit.pattern.search(text), edit.where
            assert edit.new in (staged / edit.path).read_text(), edit.where


def test_an_edited_fork_is_staged_to_the_same_tree(staged, tmp_path):
    out = tmp_path / "out"
    done = run(out, CAFFE_SOURCE_DIR=str(staged))
    assert done.returncode == 0, done.stderr
    assert files(out) == files(staged)


def test_a_fork_keeps_its_own_layers(fork, tmp_path):
    own = "src/caffe/layers/my_layer.cpp"
    (fork / own).write_text("// mine\n")
    assert run("--source", fork, tmp_path / "out").returncode == 0
    assert (tmp_path / "out" / own).read_text() == "// mine\n"


def test_a_missing_anchor_names_the_file_and_the_anchor(fork, tmp_path):
    source = fork / "src/caffe/util/io.cpp"
    source.write_text(source.read_text().replace("CV_LOAD_IMAGE_COLOR", "1"))
    out = tmp_path / "out"
    done = run("--source", fork, out)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "src/caffe/util/io.cpp" in done.stderr
    assert "CV_LOAD_IMAGE_COLOR" in done.stderr
    assert not out.exists() and os.listdir(tmp_path) == ["fork"]


def test_a_missing_file_is_named(fork, tmp_path):
    (fork / "src/caffe/layers/window_data_layer.cpp").unlink()
    done = run("--source", fork, tmp_path / "out")
    assert done.returncode == 1 and "window_data_layer.cpp" in done.stderr


def test_a_clashing_tag_of_the_fork_is_named(fork, tmp_path):
    proto = fork / "src/caffe/proto/caffe.proto"
    proto.write_text(proto.read_text().replace(
        "message LayerParameter {\n",
        "message LayerParameter {\n  optional int32 mine = 200;\n"))
    done = run("--source", fork, tmp_path / "out")
    assert done.returncode == 1
    assert "mine = 200" in done.stderr and "LayerParameter" in done.stderr


def test_no_source_is_one_line(tmp_path):
    for folder in (tmp_path, tmp_path / "none"):
        done = run("--source", folder, tmp_path / "out")
        assert done.returncode == 1 and len(done.stderr.splitlines()) == 1


def test_a_changed_archive_is_refused(tmp_path):
    cache = tmp_path / "download"
    cache.mkdir()
    (cache / "brocolli-caffe-3.0.0.tar.gz").write_bytes(b"not it")
    with pytest.raises(stage.StageError, match="sha256"):
        stage.fetch(ROOT / "caffe_ext/caffe-source.txt", cache)


def test_a_failure_halfway_leaves_the_old_tree(staged, pristine, tmp_path,
                                               monkeypatch):
    out = shutil.copytree(staged, tmp_path / "out")
    before = files(out)
    monkeypatch.setattr(stage, "fingerprint", lambda source: "changed")

    def interrupted(*_):
        raise KeyboardInterrupt
    monkeypatch.setattr(stage, "settle_times", interrupted)
    with pytest.raises(KeyboardInterrupt):
        stage.stage(out, pristine)
    assert files(out) == before
    assert os.listdir(tmp_path) == ["out"]


def test_a_change_touches_just_what_changed(fork, tmp_path):
    out = tmp_path / "out"
    assert run("--source", fork, out).returncode == 0
    for path in out.rglob("*"):
        os.utime(path, (1e9, 1e9))
    changed = "src/caffe/layers/relu_layer.cpp"
    (fork / changed).write_text((fork / changed).read_text() + "// changed\n")
    assert run("--source", fork, out).returncode == 0
    new = [str(path.relative_to(out)) for path in out.rglob("*")
           if path.is_file() and path.stat().st_mtime > 1e9]
    assert sorted(new) == [".staged", changed]


@pytest.mark.parametrize("text, message", [
    ("@ a.cpp\n-old\n+new\n", "a reason"),
    ("@ a.cpp\nwhy\n-old\n", "new text"),
])
def test_a_malformed_edit_is_refused(tmp_path, text, message):
    path = tmp_path / "x.edit"
    path.write_text(text)
    with pytest.raises(stage.StageError, match=message):
        list(stage.read_edits(path))


def test_edit_forms():
    def apply(old, new, text, every=False):
        return stage.Edit("f", every, old, new, "x:1").apply(text)
    assert apply("b", "c", "a b") == "a c"
    assert apply("b", "c", "b b", every=True) == "c c"
    assert apply("b", "c", "a c") == "a c"                  # applied already
    assert apply("b", "b;\nc", "a b") == "a b;\nc"          # an insertion
    assert apply("b", "b;\nc", "a b;\nc") == "a b;\nc"      # applied already
    assert apply("<\n...\n>", "-", "1 <\nx\ny\n> 2") == "1 - 2"
    with pytest.raises(stage.StageError, match="2 times"):
        apply("b", "c", "b b")
    with pytest.raises(stage.StageError, match="cannot find"):
        apply("b", "c", "a")
