"""What a benchmark's reader must know of the machine."""
import platform
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

VECTORS = ("amx_bf16", "avx512_bf16", "avx512f", "avx2")


def machine():
    """The processor's name and the best of its vector units."""
    name = re.search(r"^model name\s*: (.*)", _cpuinfo(), re.M)
    return ", ".join([name[1] if name else platform.processor() or platform.machine(),
                      *vector_units()[:2]])


def vector_units():
    """The processor's, the best first, as Linux has them."""
    flags = re.search(r"^flags\s*: (.*)", _cpuinfo(), re.M)
    return [unit for unit in VECTORS if flags and unit in flags[1].split()]


def _cpuinfo():
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return ""


def has_bf16():
    """Whether its vector units take bf16."""
    return any(unit.endswith("bf16") for unit in vector_units())


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
