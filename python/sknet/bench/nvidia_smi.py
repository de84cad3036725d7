"""What nvidia-smi tells of a GPU, which this process then need not use."""
import os
import subprocess


def describe(gpu):
    """Its name and driver, as far as they are told."""
    name, driver = _ask(gpu, "name", "driver_version")
    return f"{name or 'an unknown GPU'}, driver {driver or 'unknown'}"


def used_mib(gpu):
    """Of its memory, or None."""
    used, = _ask(gpu, "memory.used")
    return int(used) if used and used.isdigit() else None


def _ask(gpu, *fields):
    """Return the fields' values; those that are not told are None."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    number = visible.split(",")[gpu] if visible else str(gpu)
    try:
        told = subprocess.run(
            ["nvidia-smi", f"--query-gpu={','.join(fields)}", f"--id={number}",
             "--format=csv,noheader,nounits"], capture_output=True, text=True)
    except OSError:
        return [None] * len(fields)
    values = told.stdout.strip().split(", ")
    return values if told.returncode == 0 and len(values) == len(fields) \
        else [None] * len(fields)
