"""Variables that the libraries beneath Caffe read when they are loaded, which is
after this; caffe_launcher.py runs it, too."""
import math
import os
from pathlib import Path


def processors(cgroup="/sys/fs/cgroup"):
    """How many this process may use at a time: those that it may run on, or what a
    container's quota (cgroup v2, or v1) comes to, if that is less."""
    count = len(os.sched_getaffinity(0))
    try:
        quota, period = Path(cgroup, "cpu.max").read_text().split()
    except OSError:
        try:
            quota, period = (Path(cgroup, "cpu", f"cpu.cfs_{name}_us").read_text()
                             for name in ("quota", "period"))
        except OSError:
            return count
    if quota == "max" or int(quota) <= 0:
        return count
    return min(count, math.ceil(int(quota) / int(period)))


# GNU's OpenMP, whose threads oneDNN uses: by default they spin while they wait,
# which beside other work takes many times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# OpenMP and OpenBLAS know of no quotas; more threads than it allows are all stopped
# for the rest of each tenth of a second.
if processors() < len(os.sched_getaffinity(0)):
    os.environ.setdefault("OMP_NUM_THREADS", str(processors()))
