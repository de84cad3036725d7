"""tools/requirements-ci.txt: what CI installs, and nothing else does."""
import re
import runpy
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

TOOLS = Path(__file__).resolve().parent.parent / "tools"
GROUPS = ("test", "torch", "cuda")


@pytest.fixture(scope="module")
def lock():
    """{name: version} of the lock."""
    return {canonicalize_name(name): version
            for name, version, _ in runpy.run_path(TOOLS / "locked.py")["locked"](
                TOOLS / "requirements-ci.txt")}


@pytest.fixture(scope="module")
def setup_py():
    """The Requirements in setup.py, of the package and of CI's groups."""
    import setuptools
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(setuptools, "setup", lambda **arguments: found.update(arguments))
        patch.delenv("SKNET_NO_CAFFE", raising=False)
        patch.chdir(TOOLS.parent)
        runpy.run_path("setup.py")
    return list(map(Requirement, [*found["install_requires"], *found["setup_requires"],
                                  *(text for group in GROUPS
                                    for text in found["extras_require"][group])]))


def test_every_package_has_hashes():
    text = (TOOLS / "requirements-ci.txt").read_text()
    entries = re.findall(r"^\w.*(?:\n .*)*", text, flags=re.M)
    assert len(entries) > 50
    for entry in entries:
        assert re.match(r"[\w.-]+==[\w.+]+", entry)
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry)
    # Whichever registry has the files.
    assert "://" not in text


def test_it_has_what_setup_py_asks_for(lock, setup_py):
    """If it fails: tools/lock.sh."""
    build = [Requirement(line) for line in
             (TOOLS / "build-requirements.txt").read_text().splitlines()
             if not line.startswith("#")]
    for requirement in [*setup_py, *build]:
        name = canonicalize_name(requirement.name)
        assert name in lock
        assert lock[name] in requirement.specifier


def test_it_has_what_those_ask_for(lock, setup_py):
    """As far as they are installed here."""
    todo, seen = list(setup_py), set()
    while todo:
        name = canonicalize_name(todo.pop().name)
        if name in seen:
            continue
        seen.add(name)
        assert name in lock
        try:
            further = map(Requirement, requires(name) or ())
        except PackageNotFoundError:
            continue
        todo += [requirement for requirement in further if not requirement.marker
                 or requirement.marker.evaluate({"extra": ""})]
    assert len(seen) > 30
