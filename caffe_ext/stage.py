#!/usr/bin/env python3
"""Lay our files over a Caffe source tree: stage.py [--source DIR] OUT

Takes the pinned Caffe source (caffe-source.txt), or DIR, a Caffe fork of your
own; applies edits/, merges proto/ into caffe.proto, and copies include/, src/,
python/ and tools/ on top. OUT appears whole or not at all, files that did not
change keep their times, and nothing is done when nothing has changed.
"""
import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
OVERLAY = ("include", "src", "python", "tools")
PROTO = "src/caffe/proto/caffe.proto"
# What a fork's checkout may hold besides source.
NOT_SOURCE = (".git", "build", ".build_*", "distribute", "*.o", "*.so",
              "__pycache__", "*.caffemodel", "*.solverstate", "*_lmdb",
              "*_leveldb")


class StageError(Exception):
    """Something that the user must know, in one line."""


# --- the source -------------------------------------------------------------

def fetch(requirement: Path, cache: Path) -> Path:
    """Download the pinned source archive with pip, or find it in `cache`."""
    line = next(text for text in requirement.read_text().splitlines()
                if text and not text.startswith("#"))
    name, version, digest = re.fullmatch(
        r"([\w-]+)==([\w.]+) --hash=sha256:([0-9a-f]{64})", line).groups()
    archive = cache / f"{name}-{version}.tar.gz"
    if not archive.exists():
        print(f"fetching {name} {version}", flush=True)
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            done = subprocess.run(
                [sys.executable, "-m", "pip", "download", "--quiet",
                 "--no-deps", "--no-binary=:all:", "--require-hashes",
                 "--dest", folder, "--requirement", str(requirement)],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            if done.returncode:
                raise StageError(f"pip could not fetch {name}=={version}:\n"
                                 + done.stdout.strip())
            (Path(folder) / archive.name).replace(archive)
    if hashlib.sha256(archive.read_bytes()).hexdigest() != digest:
        raise StageError(f"{archive}: not the pinned file (sha256 differs); "
                         "delete it and try again")
    return archive


def unpack(archive: Path, tree: Path) -> None:
    with tarfile.open(archive) as tar:
        if hasattr(tarfile, "data_filter"):
            tar.extraction_filter = tarfile.data_filter
        members = []
        for member in tar.getmembers():
            _, _, path = member.name.partition("/")
            if path and path.split("/")[0] not in (".git", "docs", "matlab"):
                member.name = path
                members.append(member)
        tar.extractall(tree, members)


# --- edits ------------------------------------------------------------------

class Edit:
    """One change to one file; the format is described in edits/README.md."""

    def __init__(self, path, every, old, new, where):
        self.path, self.every = path, every
        self.old, self.new, self.where = old, new, where
        pieces = old.split("\n...\n")
        self.pattern = re.compile(r"(?s:.*?)".join(map(re.escape, pieces)))

    def apply(self, text: str) -> str:
        """The edited text; the text itself where the edit stands already."""
        found = len(self.pattern.findall(text))
        if not found or self.old in self.new and self.new in text:
            if self.new in text:
                return text
            raise StageError(f"{self.path}: cannot find {self.old!r} "
                             f"(edit at {self.where})")
        if found > 1 and not self.every:
            raise StageError(f"{self.path}: {found} times {self.old!r}, "
                             f"expected once (edit at {self.where})")
        return self.pattern.sub(lambda _: self.new, text)


def read_edits(path: Path):
    """Yield the edits of one file."""
    target, why, old, new, start = None, [], [], [], 0

    def finish():
        where = f"{path.name}:{start}"
        if not (why and old and new):
            raise StageError(f"{where}: an edit needs a reason, old text and "
                             "new text")
        name, _, every = target.partition(" ")
        return Edit(name, every == "*", "\n".join(old), "\n".join(new), where)

    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.startswith("@ "):
            if target:
                yield finish()
            target, why, old, new, start = line[2:].strip(), [], [], [], number
        elif line.startswith("-"):
            old.append(line[1:])
        elif line.startswith("+"):
            new.append(line[1:])
        elif line.strip() and not line.startswith("#"):
            why.append(line)
    if target:
        yield finish()


def apply_edits(tree: Path) -> None:
    for path in sorted(HERE.glob("edits/*.edit")):
        for edit in read_edits(path):
            target = tree / edit.path
            if not target.is_file():
                raise StageError(f"{edit.path}: no such file in this Caffe "
                                 f"source (edit at {edit.where})")
            text = target.read_text()
            target.write_text(edit.apply(text))


# --- caffe.proto ------------------------------------------------------------

MESSAGE = r"^message {} \{{\n(.*?)^\}}\n"
FIELD = re.compile(r"^\s*(?:optional|repeated|required) \S+ (\w+) = (\d+)",
                   re.M)


def merge_proto(text: str, addition: str, name: str) -> str:
    """Add each message of `addition` to `text`: its fields where a message of
    that name stands, itself at the end where none does."""
    for found in re.finditer(MESSAGE.format(r"(\w+)"), addition, re.M | re.S):
        message, fields = found.groups()
        there = re.search(MESSAGE.format(message), text, re.M | re.S)
        if not there:
            text += "\n" + found.group()
            continue
        if fields in there.group(1):
            continue
        for field, tag in FIELD.findall(fields):
            for field2, tag2 in FIELD.findall(there.group(1)):
                if field == field2 or tag == tag2:
                    raise StageError(
                        f"{PROTO}: {message} has '{field2} = {tag2}', which "
                        f"clashes with '{field} = {tag}' of {name}")
        text = text[:there.end(1)] + "\n" + fields + text[there.end(1):]
    return text


# --- the tree ---------------------------------------------------------------

def overlay_files():
    for folder in OVERLAY:
        for path in sorted((HERE / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


def fingerprint(source) -> str:
    """A hash of all that goes into the staged tree."""
    digest = hashlib.sha256()
    inputs = [Path(__file__), HERE / "caffe-source.txt",
              *sorted(HERE.glob("edits/*.edit")),
              *sorted(HERE.glob("proto/*.proto")), *overlay_files()]
    for path in inputs:
        digest.update(f"{path.relative_to(HERE)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    if source:
        ignored = shutil.ignore_patterns(*NOT_SOURCE)
        for folder, folders, files in os.walk(source):
            skip = ignored(folder, folders + files)
            folders[:] = sorted(set(folders) - skip)
            for file in sorted(set(files) - skip):
                state = os.stat(os.path.join(folder, file))
                digest.update(f"{folder}/{file}\0{state.st_size}\0"
                              f"{state.st_mtime_ns}".encode())
    return digest.hexdigest()


def settle_times(tree: Path, before: Path) -> None:
    """Unchanged files keep their old times, changed ones are new: so that a
    build makes again just what it must."""
    now = time.time()
    for path in tree.rglob("*"):
        if path.is_file() and not path.is_symlink():
            old = before / path.relative_to(tree)
            same = old.is_file() and old.read_bytes() == path.read_bytes()
            stamp = old.stat().st_mtime if same else now
            os.utime(path, (stamp, stamp))


def stage(out: Path, source=None) -> bool:
    """Make or bring up to date the tree `out`; False if nothing was to do."""
    stamp = out / ".staged"
    key = fingerprint(source)
    if stamp.is_file() and stamp.read_text() == key:
        return False
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=out.name + ".",
                                     dir=out.parent) as folder:
        tree = Path(folder) / "tree"
        if source:
            shutil.copytree(source, tree, symlinks=True,
                            ignore=shutil.ignore_patterns(*NOT_SOURCE))
        else:
            unpack(fetch(HERE / "caffe-source.txt", out.parent / "download"),
                   tree)
        proto = tree / PROTO
        if not proto.is_file():
            raise StageError(f"{source}: no Caffe source (no {PROTO})")
        apply_edits(tree)
        for addition in sorted(HERE.glob("proto/*.proto")):
            proto.write_text(merge_proto(proto.read_text(),
                                         addition.read_text(), addition.name))
        for path in overlay_files():
            target = tree / path.relative_to(HERE)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        settle_times(tree, out)
        (tree / ".staged").write_text(key)
        if out.exists():
            out.rename(Path(folder) / "before")
        tree.rename(out)
    return True


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--source", type=Path, metavar="DIR",
                        default=os.environ.get("CAFFE_SOURCE_DIR") or None,
                        help="a Caffe fork to use instead of the pinned "
                             "source (default: $CAFFE_SOURCE_DIR)")
    args = parser.parse_args()
    source = args.source.resolve() if args.source else None
    try:
        if source and not source.is_dir():
            raise StageError(f"{source}: no such directory")
        done = stage(args.out.resolve(), source)
        print(f"{args.out}: {'staged' if done else 'up to date'}")
    except (StageError, OSError, tarfile.TarError) as error:
        print(f"stage.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
