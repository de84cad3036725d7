"""sknet without Caffe: SKNET_NO_CAFFE=1 pip install."""
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ("setup.py", "pyproject.toml", "python", "prototxt", "caffe_ext", "tools")


def run(*command, cwd=None, **env):
    """The finished command, with `env` added to the environment."""
    return subprocess.run([str(part) for part in command], text=True, cwd=cwd,
                          capture_output=True,
                          env={**os.environ, "PYTHONPATH": "", **env})


def refused(*command, **env):
    """The one line that the command ends with."""
    done = run(*command, **env)
    assert (done.returncode, done.stdout) == (1, "")
    line, = done.stderr.splitlines()
    return line


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of what pip builds from: nothing built, nothing downloaded."""
    tree = tmp_path_factory.mktemp("tree")
    for name in SOURCE:
        copy = shutil.copy if (ROOT / name).is_file() else shutil.copytree
        copy(ROOT / name, tree / name)
    shutil.rmtree(tree / "python/sknet.egg-info", ignore_errors=True)
    return tree


@pytest.fixture(scope="module")
def bin(tree, tmp_path_factory):
    """The commands of a new environment with sknet in it. That sees no compiler,
    CMake or protoc of the system while it is made."""
    folder = tmp_path_factory.mktemp("venv")
    assert run(sys.executable, "-m", "venv", folder).returncode == 0
    done = run(folder / "bin/pip", "install", tree, SKNET_NO_CAFFE="1",
               PATH=str(folder / "bin"))
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return folder / "bin"


@pytest.fixture
def python(bin, tmp_path):
    """python(code, path="") → what the code prints, with the folder `path`
    before all others."""
    def python(code, path=""):
        done = run(bin / "python", "-c", code, cwd=tmp_path,
                   PYTHONPATH=str(path))
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()
    return python


@pytest.fixture
def fork(python, tmp_path):
    """A folder with another package caffe, whose messages lack a field of this
    project's."""
    package = tmp_path / "fork/caffe"
    (package / "proto").mkdir(parents=True)
    (package / "__init__.py").write_text(
        "from .proto.caffe_pb2 import TRAIN, TEST\n")
    (package / "proto/__init__.py").touch()
    messages = python("""
from google.protobuf import descriptor_pb2
from sknet.proto import caffe_pb2
file = descriptor_pb2.FileDescriptorProto()
caffe_pb2.DESCRIPTOR.CopyToProto(file)
for message in file.message_type:
    if message.name == "LayerParameter":
        field, = [field for field in message.field
                  if field.name == "cudnn_batch_norm_param"]
        message.field.remove(field)
print(file.SerializeToString())
""")
    (package / "proto/caffe_pb2.py").write_text(f"""
from google.protobuf import descriptor_pool
from google.protobuf.internal import builder
DESCRIPTOR = descriptor_pool.Default().AddSerializedFile({messages})
builder.BuildMessageAndEnumDescriptors(DESCRIPTOR, globals())
builder.BuildTopDescriptorsAndMessages(DESCRIPTOR, __name__, globals())
""")
    return package.parent


def test_two_packages_are_enough(bin):
    listed = json.loads(run(bin / "pip", "list", "--format", "json").stdout)
    found = {package["name"] for package in listed}
    # What a new environment has before anything is installed.
    assert found - {"pip", "setuptools", "wheel"} == {"numpy", "protobuf", "sknet"}
    assert not (bin / "caffe").exists()


def test_the_build_needs_no_compiler(tree):
    code = ("from setuptools import build_meta; "
            "print('needs', *build_meta.get_requires_for_build_wheel())")

    def needs(**env):
        done = run(sys.executable, "-c", code, cwd=tree, **env)
        line, = [line for line in done.stdout.splitlines()
                 if line.startswith("needs")]
        return line
    compiled, bare = needs(SKNET_NO_CAFFE=""), needs(SKNET_NO_CAFFE="1")
    for tool in ("cmake", "ninja", "pybind11"):
        assert tool in compiled and tool not in bare
    assert "grpcio-tools" in bare and "grpcio-tools" not in compiled


@pytest.mark.parametrize("kind", ["deploy", "train_val", "solver"])
def test_generates_the_committed_files(bin, kind, tmp_path):
    for model in ("sknet50", "sknet101", "sknet_digits"):
        done = run(bin / "sknet", "generate", model, "--kind", kind, "-o",
                   tmp_path / "net.prototxt", "--force")
        assert done.returncode == 0, done.stderr
        assert ((tmp_path / "net.prototxt").read_bytes()
                == (ROOT / f"prototxt/{model}/{kind}.prototxt").read_bytes())


def test_help_models_and_summary(bin):
    assert "usage: sknet" in run(bin / "sknet", "--help").stdout
    assert "conv5_3" in run(bin / "sknet", "summary", "sknet50").stdout
    table = json.loads(run(bin / "sknet", "models", "--json").stdout)
    assert "sknet50" in {row["name"] for row in table}


def test_what_needs_caffe_says_so(bin, tmp_path):
    for arguments in (("image.png",), ("--labels", "meta.mat", "image.png")):
        line = refused(bin / "sknet", "classify", "--model", "sknet_digits",
                       *arguments, cwd=tmp_path)
        assert line.startswith(
            "sknet classify: the package caffe is not installed: ")


def test_the_messages_are_caffes(python):
    """Those of the compiled package caffe that these tests run with."""
    code = """
from google.protobuf import descriptor_pb2
file = descriptor_pb2.FileDescriptorProto()
caffe_pb2.DESCRIPTOR.CopyToProto(file)
print(file)
"""
    compiled = run(sys.executable, "-c",
                   "from caffe.proto import caffe_pb2" + code).stdout
    own = python("from sknet.proto import caffe_pb2" + code)

    def lines(text):
        # Not every protoc says what a field would be in JSON.
        return [line for line in text.strip().splitlines()
                if "json_name" not in line]
    assert len(lines(own)) > 1000
    assert lines(own) == lines(compiled)


def test_no_other_package_is_imported(python, tmp_path):
    others = ("caffe", "matplotlib", "PIL", "scipy", "tqdm")
    for name in others:
        (tmp_path / f"{name}.py").touch()
    assert python(f"""
import pkgutil, sys
import sknet.cli, sknet.data.labels, sknet.models
for module in pkgutil.iter_modules(sknet.models.__path__, "sknet.models."):
    __import__(module.name)
print(*sorted(set({others}) & set(sys.modules)))
""", tmp_path) == ""


@pytest.mark.parametrize("first, second", [("caffe", "sknet.models"),
                                           ("sknet.models", "caffe")])
def test_another_caffe_may_be_imported_too(python, fork, first, second):
    assert python(f"""
import {first}
import {second}
from caffe.proto import caffe_pb2
fields = caffe_pb2.LayerParameter.DESCRIPTOR.fields_by_name
assert "cudnn_batch_norm_param" not in fields
from sknet.commands.generate import generate
print(generate("sknet50", "deploy"))
""", fork) == (ROOT / "prototxt/sknet50/deploy.prototxt").read_text().strip()


def test_another_caffe_is_named(bin, fork):
    line = refused(bin / "sknet", "classify", "--model", "sknet50", "image.png",
                   PYTHONPATH=str(fork))
    assert str(fork / "caffe/proto/caffe_pb2.py") in line
    assert "cudnn_batch_norm_param" in line


@pytest.mark.parametrize("addition", sorted(
    (ROOT / "caffe_ext/proto").glob("*.proto")), ids=lambda path: path.stem)
def test_a_caffe_without_any_addition_is_another(addition):
    from sknet.pycaffe import FIELDS
    text = addition.read_text()
    assert any(f"message {message} {{" in text and f" {field} = " in text
               for message, field in FIELDS)


def test_another_caffe_before_the_compiled_one_is_named(fork):
    here = os.environ.get("PYTHONPATH", "")
    line = refused(sys.executable, "-m", "sknet", "models",
                   PYTHONPATH=f"{fork}{os.pathsep}{here}")
    assert str(fork / "caffe/proto/caffe_pb2.py") in line
    assert "cudnn_batch_norm_param" in line


@pytest.mark.parametrize("file, content, reason", [
    ("__init__.py", "import skimage.nothing", "skimage"),
    ("proto/caffe_pb2.py", "raise TypeError('Descriptors\\nare old')",
     "Descriptors")])
def test_a_caffe_that_cannot_be_imported_is_one_line(bin, fork, file, content,
                                                     reason):
    (fork / "caffe" / file).write_text(content)
    line = refused(bin / "sknet", "classify", "--model", "sknet50", "image.png",
                   PYTHONPATH=str(fork))
    assert "the package caffe cannot be imported: " in line and reason in line


def test_any_other_missing_package_is_one_line(bin, fork):
    """Where there is a Caffe of ours, but not all that a verb wants."""
    (fork / "caffe/proto/caffe_pb2.py").write_text(
        "from sknet.proto import caffe_pb2\nglobals().update(vars(caffe_pb2))\n")
    line = refused(bin / "sknet", "classify", "--model", "sknet50", "--labels",
                   "meta.mat", "image.png", PYTHONPATH=str(fork))
    assert line == "sknet classify: No module named 'scipy'"
