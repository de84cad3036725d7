#!/usr/bin/env python3
"""Writes a software bill of materials, CycloneDX in JSON: sbom.py -o FILE

It lists what is built and tested here, and from what: this package, Caffe's source
with its hash, the Python packages of tools/requirements-ci.txt with the hashes of
their files, and the system's libraries that the installed package caffe loads, with
their Debian packages. Needs cyclonedx-python-lib.
"""
import argparse
import importlib.util
import re
import subprocess
from importlib.metadata import version
from pathlib import Path

from cyclonedx.model import (ExternalReference, ExternalReferenceType, HashAlgorithm,
                             HashType, XsUri)
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from locked import locked

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "tools/requirements-ci.txt"
SOURCE = ROOT / "caffe_ext/caffe-source.txt"


def caffe_source():
    """Return the Component of the source that caffe_ext/stage.py fetches."""
    (name, release, hashes), = locked(SOURCE)
    commit, = re.findall(r"BVLC/caffe at ([0-9a-f]+)", SOURCE.read_text())
    component = python_package(name, release, hashes)
    component.description = f"Caffe's source: BVLC/caffe at {commit}"
    return component


def python_package(name, release, hashes):
    """Return a Component whose files, on whatever mirror, have those hashes."""
    purl = PackageURL("pypi", name=name, version=release)
    files = ExternalReference(
        type=ExternalReferenceType.DISTRIBUTION, url=XsUri(purl.to_string()),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest) for digest in hashes])
    return Component(name=name, version=release, type=ComponentType.LIBRARY, purl=purl,
                     bom_ref=purl.to_string(), external_references=[files])


def loaded_files(package):
    """Return the paths of the libraries outside a folder that programs and libraries
    in it load."""
    binaries = [path for path in package.rglob("*")
                if path.is_file() and path.open("rb").read(4) == b"\x7fELF"]
    found = subprocess.run(["ldd", *binaries], check=True, capture_output=True,
                           text=True).stdout
    paths = map(Path, re.findall(r"(?:=> |^\s+)(/\S+) \(0x", found, flags=re.M))
    return sorted({path for path in paths
                   if not path.resolve().is_relative_to(package.resolve())})


def system_libraries(paths):
    """Return the Components of the Debian packages that have the files, and of the
    files that none has."""
    # Packages from before /lib became a link name their files as they were.
    names = {str(name): path for path in paths for real in [path.resolve()]
             for name in (path, real, Path("/", *real.parts[2:]))}
    owners = dict(reversed(line.split(": ")) for line in
                  query("-S", *names).splitlines())
    owned = {names[name] for name in owners}
    yield from (Component(name=path.name, type=ComponentType.LIBRARY, bom_ref=str(path))
                for path in paths if path not in owned)
    listed = query("-W", "-f", "${Package} ${Version} ${Architecture}\n",
                   *set(owners.values())) if owners else ""
    for package, release, machine in map(str.split, listed.splitlines()):
        purl = PackageURL("deb", "debian", package, release, {"arch": machine})
        yield Component(name=package, version=release, purl=purl,
                        type=ComponentType.LIBRARY, bom_ref=purl.to_string())


def query(*arguments):
    """Return what dpkg-query prints, which fails where it does not know all."""
    return subprocess.run(["dpkg-query", *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True).stdout


def bill():
    """Return the Bom."""
    bom = Bom()
    own = Component(name="sknet", version=version("sknet"), bom_ref="sknet",
                    type=ComponentType.LIBRARY)
    bom.metadata.component = own
    package, = importlib.util.find_spec("caffe").submodule_search_locations
    parts = {component.bom_ref.value: component for component in (
        caffe_source(), *(python_package(*entry) for entry in locked(LOCK)),
        *system_libraries(loaded_files(Path(package))))}
    for component in parts.values():
        bom.components.add(component)
    bom.register_dependency(own, parts.values())
    return bom


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")
    args = parser.parse_args()
    text = JsonV1Dot6(bill()).output_as_string(indent=2)
    args.output.parent.mkdir(parents=True, exist_ok=True)
    args.output.write_text(text + "\n")


if __name__ == "__main__":
    main()
