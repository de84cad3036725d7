"""What a benchmark's reader must know of the machine."""
import platform
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

VECTORS = ("amx_bf16", "avx512_bf16", "avx512f", "avx2")


def machine():
    """The processor's name and the best of its vector units, as Linux has them."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    name = re.search(r"^model name\s*: (.*)", text, re.M)
    flags = re.search(r"^flags\s*: (.*)", text, re.M)
    found = [unit for unit in VECTORS if flags and unit in flags[1].split()]
    return ", ".join([name[1] if name else platform.machine(), *found[:2]])


def has_bf16():
    """Whether its vector units take bf16."""
    return "bf16" in machine()


def place(result):
    """Where a benchmark ran."""
    return (f"{result['threads']} threads" if "threads" in result
            else f"GPU {result['gpu']}") + f", {result['machine']}"


def versions(engines):
    """Of the packages that {name: Engine} are of, as far as they are installed."""
    found = {}
    for name, engine in engines.items():
        try:
            found[name] = version(engine.package)
        except PackageNotFoundError:
            continue
    return found
