"""tools/sbom.py: the bill of materials."""
import json
import subprocess
import sys
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    path = tmp_path_factory.mktemp("sbom") / "folder/sbom.cdx.json"
    subprocess.run([sys.executable, ROOT / "tools/sbom.py", "-o", path], check=True)
    return path.read_text()


@pytest.fixture(scope="module")
def components(text):
    return {part["name"]: part for part in json.loads(text)["components"]}


def hashes(component):
    return {found["content"] for reference in component["externalReferences"]
            for found in reference["hashes"]}


def test_it_is_valid(text):
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    assert validator.validate_str(text) is None
    broken = text.replace('"bomFormat": "CycloneDX"', '"bomFormat": "other"')
    assert validator.validate_str(broken) is not None


def test_what_it_is_of(text):
    bill = json.loads(text)
    assert bill["metadata"]["component"]["name"] == "sknet"
    parts, = (entry["dependsOn"] for entry in bill["dependencies"]
              if entry["ref"] == "sknet")
    assert set(parts) == {part["bom-ref"] for part in bill["components"]}


def test_caffes_source(components):
    source = components["brocolli-caffe"]
    assert source["description"] == "Caffe's source: BVLC/caffe at 9b891540"
    digest, = hashes(source)
    assert digest in (ROOT / "caffe_ext/caffe-source.txt").read_text()


def test_python_packages(components):
    lock = (ROOT / "tools/requirements-ci.txt").read_text()
    for name in ("numpy", "torch", "pytest"):
        part = components[name]
        assert f"\n{name}=={part['version']} " in lock
        assert hashes(part)
        assert all(digest in lock for digest in hashes(part))
    assert set(lock.split()) >= {f"--hash=sha256:{digest}" for part in
                                 components.values() if "externalReferences" in part
                                 for digest in hashes(part) if
                                 part["name"] != "brocolli-caffe"}


def test_system_libraries(components):
    """Those that libcaffe is linked with, in dpkg's words."""
    for name in ("libhdf5-103-1", "liblmdb0", "libprotobuf32", "libc6"):
        release = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", name],
                                 check=True, capture_output=True, text=True).stdout
        assert components[name]["version"] == release
        assert components[name]["purl"].startswith(f"pkg:deb/debian/{name}@")
    # What is installed, but not loaded.
    assert "bash" not in components
    assert not any("libcaffe" in name for name in components)
