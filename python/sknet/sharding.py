"""Work on the images of a dataset in one process, or in many, over Ray.

A worker is a picklable callable from batches, ranges of indices, to an iterator of
(batch, result). Each result depends on its batch alone, so that it does not matter
who computes it.
"""
import contextlib
import itertools
import os
import pickle
import socket
import sys

from sknet.errors import InputError

# Batches that a process is given at a time: few enough to keep all of them busy to
# the end, enough to load the next while the net computes.
SHARD = 8
RESTARTS = 5  # of a process that was killed, each


def run(worker, batches, address=None, processes=None):
    """Yield (batch, result) of each of `batches`; over Ray in any order.

    address: of a Ray cluster; "local": one on this machine, for this run; None: no
        Ray. The cluster's machines need the same Python packages, and the files
        under the same paths.
    processes: workers over Ray; by default as many as the cluster has cores.

    Raises InputError if the cluster cannot be reached, or loses a process again and
    again; and whatever the worker does.
    """
    if address is None:
        yield from worker(batches)
    elif batches:
        # Ray tells of its troubles on standard output, which is the command's.
        with contextlib.redirect_stdout(sys.stderr):
            yield from _over_ray(worker, batches, address, processes)


class Shard:
    """A worker in a process of its own, which is made where it is first needed."""

    worker = None

    def run(self, folder, pickled, batches):
        if not self.worker:
            try:
                os.chdir(folder)
            except OSError as error:
                raise InputError(f"{folder}: {error.strerror} on a machine of the "
                                 "cluster; expected the same folders") from error
            self.worker = pickle.loads(pickled)
        return list(self.worker(batches))


def _over_ray(worker, batches, address, processes):
    # Ray would tell its makers.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
        from ray.util import ActorPool
    except ImportError as error:
        raise InputError("--ray needs the package ray: pip install ray") from error
    _connect(ray, address, processes)
    shards = [batches[start:start + SHARD]
              for start in range(0, len(batches), SHARD)]
    cores = int(ray.cluster_resources().get("CPU", 1))
    processes = min(processes or cores, cores)
    # A core each: Ray sets OMP_NUM_THREADS to that.
    make = ray.remote(num_cpus=1, max_restarts=RESTARTS,
                      max_task_retries=RESTARTS)(Shard)
    try:
        pickled = ray.put(pickle.dumps(worker))
        pool = ActorPool([make.remote() for _ in range(min(processes, len(shards)))])
        results = pool.map_unordered(
            lambda actor, shard: actor.run.remote(os.getcwd(), pickled, shard), shards)
        yield from itertools.chain.from_iterable(results)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from error
    except ray.exceptions.RayActorError as error:
        raise InputError(f"--ray {address}: a process ended {RESTARTS + 1} times: "
                         f"{error}".partition("\n")[0]) from error
    finally:
        ray.shutdown()


def _connect(ray, address, processes):
    cluster, hint = dict(address=address), ""
    if address == "local":
        # For this machine alone.
        cluster.update(num_cpus=processes or os.cpu_count(), include_dashboard=False,
                       _node_ip_address="127.0.0.1")
    else:
        hint = " (a cluster that takes tokens needs RAY_AUTH_MODE=token)"
    try:
        host, colon, port = address.rpartition(":")
        if colon and "/" not in host:
            # Ray would try for many minutes.
            socket.create_connection((host, int(port)), timeout=10).close()
        ray.init(log_to_driver=False, logging_level="ERROR", **cluster)
    # Ray raises what its parts do, ConnectionError and ValueError among others.
    except Exception as error:
        reason = str(error).partition("\n")[0]
        raise InputError(f"--ray {address}: cannot connect: {reason}{hint}") from error
