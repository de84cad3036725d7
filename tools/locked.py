"""Reads requirements that are locked by hashes."""
import re


def locked(path):
    """Return [(name, version, SHA-256 of its files)] of a requirements file."""
    return [(name, version, re.findall(r"--hash=sha256:([0-9a-f]{64})", more))
            for name, version, more in re.findall(
                r"^([\w.-]+)==(\S+)(.*(?:\n .*)*)", path.read_text(), flags=re.M)]
