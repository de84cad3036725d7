#!/usr/bin/env python3
"""How much more two nets in two threads of Python do than one net in one.

    tools/bench_threads.py [--model sknet_digits] [--batch 8] [--passes 40] [--rounds 9]

Each round measures, one after the other, one net in one thread, two nets in two
threads (which the GIL's release lets run at once) and, as a reference, two nets in two
processes. Printed are the medians of all rounds: images a second, and the ratio to one
net in the same round. OpenBLAS and the layers have one thread for each net, so that
what a second net gains is its own. `busy` are the processors in use: fewer than there
are nets, and others had them. `each` are the images a second of each busy processor,
which says what two nets cost each other on a machine that others use too.
"""
import argparse
import os
import statistics
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[name] = "1"
os.environ.setdefault("GLOG_minloglevel", "2")
import caffe  # noqa: E402  (it reads the variables)

# What a thread, or a process, has: its net and the barrier where all begin.
own = threading.local()


def prepare(prototxt, train, begin):
    own.net = caffe.Net(prototxt, caffe.TRAIN if train else caffe.TEST)
    own.train, own.begin = train, begin
    run(3)


def run(passes):
    """When it began, when it ended, and the processor's seconds that it took."""
    own.begin.wait()
    start, busy = time.perf_counter(), time.thread_time()
    for _ in range(passes):
        own.net.forward()
        if own.train:
            own.net.backward()
    return start, time.perf_counter(), time.thread_time() - busy


def pools(prototxt, train):
    """{where the nets are: (their number, what runs them)}"""
    spawn = get_context("spawn")
    return {
        where: (nets, pool(nets, initializer=prepare, initargs=(
            str(prototxt), train, barrier(nets)), **context))
        for where, nets, pool, barrier, context in (
            ("1 thread", 1, ThreadPoolExecutor, threading.Barrier, {}),
            ("2 threads", 2, ThreadPoolExecutor, threading.Barrier, {}),
            ("2 processes", 2, ProcessPoolExecutor, spawn.Barrier,
             dict(mp_context=spawn)))}


def measure(nets, pool, passes):
    """Passes a second of all nets, and the processors that they kept busy."""
    starts, ends, busy = zip(*(future.result() for future in [
        pool.submit(run, passes) for _ in range(nets)]))
    seconds = max(ends) - min(starts)
    return nets * passes / seconds, sum(busy) / seconds


def bench(prototxt, train, args):
    """{where: [(passes a second, busy processors) of each round]}"""
    places = pools(prototxt, train)
    found = {where: [] for where in places}
    for _ in range(args.rounds):
        for where, (nets, pool) in places.items():
            found[where].append(measure(nets, pool, args.passes))
    for _, pool in places.values():
        pool.shutdown()
    return found


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="sknet_digits")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--passes", type=int, default=40, help="of each net, a round")
    parser.add_argument("--rounds", type=int, default=9)
    args = parser.parse_args()
    from sknet import models
    from sknet.text import to_text
    print("passes             nets in      images/s  busy  each  times one net")
    with tempfile.TemporaryDirectory() as folder:
        prototxt = Path(folder) / "net.prototxt"
        prototxt.write_text(to_text(models.create(args.model, batch=args.batch)))
        for train, what in ((False, "forward"), (True, "forward, backward")):
            found = bench(prototxt, train, args)
            alone = [rate for rate, _ in found["1 thread"]]
            for where, rounds in found.items():
                rates, busy = zip(*rounds)
                ratios = [rate / one for rate, one in zip(rates, alone)]
                each = [rate / used for rate, used in rounds]
                rate, busy, each, ratio = map(
                    statistics.median, (rates, busy, each, ratios))
                print(f"{what:<18} {where:<12} {rate * args.batch:>8.0f} {busy:>5.2f} "
                      f"{each * args.batch:>5.0f} {ratio:>14.2f}", flush=True)


if __name__ == "__main__":
    main()
