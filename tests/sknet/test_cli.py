import json
import os
import subprocess
import sys

import pytest

from sknet import models
from sknet.cli import VERBS
from sknet.commands.generate import generate


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_an_example(sknet, verb):
    done = sknet(verb, "--help")
    assert done.returncode == 0
    assert f"example:\n  sknet {verb}" in done.stdout


@pytest.mark.parametrize("arguments", [
    (), ("nonsense",), ("generate",), ("generate", "sknet50", "--kind", "x"),
    ("generate", "sknet50", "--size", "0"), ("models", "--nonsense"),
    ("classify", "--model", "sknet50"),
    ("classify", "--model", "sknet50", "--mean", "a,b", "image.png"),
    ("classify", "--model", "sknet50", "--top", "-1", "image.png")])
def test_wrong_usage(sknet, arguments):
    done = sknet(*arguments)
    assert done.returncode == 2
    assert "usage: sknet" in done.stderr and "Traceback" not in done.stderr


def test_debug_shows_the_traceback(sknet):
    for arguments in (("--debug", "generate", "sknet5"),
                      ("generate", "sknet5", "--debug")):
        done = sknet(*arguments)
        assert done.returncode == 1 and "Traceback" in done.stderr


def test_generate(sknet, tmp_path):
    done = sknet("generate", "sknet_digits", "--size", 96, "--num-classes", 3)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == generate("sknet_digits", "deploy", size=96,
                                   num_classes=3)
    command = done.stdout.partition("\n")[0]
    assert command == ("# Made by: sknet generate sknet_digits --kind deploy "
                       "--num-classes 3 --size 96")
    # The header's command makes the file again.
    again = sknet(*command.split("sknet ", 1)[1].split(), "-o",
                  tmp_path / "net.prototxt")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert (tmp_path / "net.prototxt").read_text() == done.stdout
    assert os.listdir(tmp_path) == ["net.prototxt"]


def test_generate_refuses(refused, tmp_path):
    refused("generate", "sknet5", naming=["'sknet5'", "sknet50"])
    refused("generate", "sknet_digits", "--kind", "released",
            naming=["sknet_digits", "released"])
    refused("generate", "sknet50", "--size", 32, naming=["32", "64"])
    target = tmp_path / "none/net.prototxt"
    refused("generate", "sknet50", "-o", target, naming=[str(target)])
    folder = tmp_path / "folder"
    folder.mkdir()
    refused("generate", "sknet50", "-o", folder, naming=[str(folder)])
    assert os.listdir(tmp_path) == ["folder"]


def test_models(sknet):
    table = json.loads(sknet("models", "--json").stdout)
    assert [row["name"] for row in table] == models.names()
    assert {"name", "title", "size", "num_classes", "paper",
            "licence"} <= set(table[0])
    lines = sknet("models").stdout.splitlines()
    assert [line.split()[0] for line in lines[1:]] == models.names()


def test_a_reader_that_leaves_early_gets_no_traceback(monkeypatch):
    # Unbuffered, Python does not notice.
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    done = subprocess.run(
        f"{sys.executable} -m sknet generate sknet101 | head -1", shell=True,
        capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout.startswith("# Made by: sknet")


def test_missing_caffe_is_named(tmp_path):
    """In an environment without the package caffe."""
    code = ("import sys; sys.modules['caffe'] = None; "
            "from sknet.cli import main; sys.exit(main(['models']))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True,
                          text=True)
    assert done.returncode == 1
    assert "package caffe" in done.stderr and len(done.stderr.splitlines()) == 1


def test_output_that_cannot_be_written(sknet):
    for target, reason in (("> /dev/full", "standard output: No space"),
                           (">&-", "standard output is closed")):
        done = subprocess.run(
            f"{sys.executable} -m sknet models {target}", shell=True,
            stderr=subprocess.PIPE, text=True)
        assert done.returncode == 1
        line, = done.stderr.splitlines()
        assert line.startswith(f"sknet models: {reason}")


def test_a_link_keeps_its_name_and_a_file_its_mode(sknet, tmp_path):
    real, link = tmp_path / "real.prototxt", tmp_path / "link.prototxt"
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(real)
    assert sknet("generate", "sknet_digits", "-o", link, "--force").returncode == 0
    assert link.is_symlink() and real.read_text().startswith("# Made by")
    assert real.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in tmp_path.iterdir() if "." == path.name[0]] == []


def test_generate_overwrites_nothing_unasked(refused, tmp_path):
    file = tmp_path / "mine.prototxt"
    file.write_text("edited by hand")
    refused("generate", "sknet_digits", "-o", file, naming=[str(file), "--force"])
    assert file.read_text() == "edited by hand"


def test_a_pipe_is_written_to(sknet, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE) as reader:
        assert sknet("generate", "sknet_digits", "-o", pipe).returncode == 0
        assert reader.stdout.read().startswith(b"# Made by")
    assert pipe.is_fifo()
