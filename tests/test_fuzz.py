"""Inputs that once ended the process, or would have, are errors or pass; with CI
set, the fuzzers run for a minute and find nothing (tools/fuzz.sh)."""
import os
import re
import subprocess
import sys
from pathlib import Path

import caffe
import pytest

ROOT = Path(__file__).resolve().parent.parent
FUZZ = ROOT / "tests/fuzz"
TARGETS = sorted(path.stem for path in FUZZ.glob("*.cpp"))

# What the harnesses do, in pycaffe: argv has the target and the inputs.
REPLAY = """
import shutil, sys
import caffe

def net(prototxt, phase=caffe.TRAIN):
    return caffe.Net(prototxt, phase)

def net_text():
    for phase in caffe.TRAIN, caffe.TEST:
        new = net("input", phase)
        new.forward()
        new.backward()

def weights():
    net("weights_net.prototxt").copy_from("input")

def restore(name):
    shutil.copy("input", name)
    solver = caffe.SGDSolver("solver.prototxt")
    solver.restore(name)
    solver.step(1)

def solver_state():
    restore("input.solverstate")

def hdf5():
    restore("input.h5")

def hdf5_weights():
    net("weights_net.prototxt").copy_from("input", strict=True)

def hdf5_data():
    shutil.copy("input", "input.h5")
    net("hdf5_data.prototxt").forward()

def image_data():
    shutil.copy("input", "input.image")
    net("image_data.prototxt").forward()

def augmented_data():
    shutil.copy("input", "input.image")
    net("augmented_data.prototxt").forward()

def datum():
    import lmdb
    with lmdb.open("input_lmdb") as env, env.begin(write=True) as records:
        records.put(b"0", open("input", "rb").read())
    net("data.prototxt").forward()

MORE = {"hdf5": [hdf5_weights, hdf5_data], "image_data": [augmented_data, datum]}
caffe.set_memory_limit(16 << 20)
target, *inputs = sys.argv[1:]
for path in inputs:
    shutil.copy(path, "input")
    for work in [globals()[target], *MORE.get(target, [])]:
        print(path, work.__name__, flush=True)
        try:
            work()
        except caffe.Error as error:
            print(error)
print("all done")
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """What tests/fuzz/seeds.py makes: the folders run and seeds."""
    out = tmp_path_factory.mktemp("fuzz")
    subprocess.run([sys.executable, FUZZ / "seeds.py", out,
                    Path(caffe.__file__).parent / "proto"], check=True)
    return out


def replay(made, target, inputs):
    env = {**os.environ, "GLOG_minloglevel": "3",
           "OPENCV_IO_MAX_IMAGE_PIXELS": str(1 << 20)}
    done = subprocess.run(
        [sys.executable, "-c", REPLAY, target, *map(str, inputs)], env=env,
        cwd=made / "run", text=True, errors="replace", timeout=300,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0 and done.stdout.endswith("all done\n"), (
        done.returncode, done.stdout[-3000:])
    return done.stdout


@pytest.mark.parametrize("target", TARGETS)
def test_findings(made, target):
    found = sorted((FUZZ / "findings" / target).glob("*"))
    if found:
        replay(made, target, found)


@pytest.mark.parametrize("target", TARGETS)
def test_seeds_are_sound(made, target):
    """What is mutated should be valid, or little is reached."""
    seeds = sorted((made / "seeds" / target).iterdir())
    if target == "net_text":
        seeds = seeds[::4]
    errors = [line for line in replay(made, target, seeds).splitlines()
              if line.startswith("layer ") or "Check failed" in line]
    wrong_reader = len(seeds) * {"hdf5": 2, "image_data": 2}.get(target, 0)
    assert len(errors) <= wrong_reader + len(seeds) // 4, errors


@pytest.mark.skipif(not os.environ.get("CI"), reason="builds for minutes: CI only")
def test_fuzzers_find_nothing():
    done = subprocess.run([ROOT / "tools/fuzz.sh", "--seconds", "8", "--seed", "1"],
                          text=True, stdout=subprocess.PIPE)
    assert done.returncode == 0, done.stdout
    for target in TARGETS:
        executions, edges = map(int, re.search(
            rf"^{target}: (\d+) executions, (\d+) edges, no finding$", done.stdout,
            re.M).groups())
        assert executions > 10 and edges > 1000, done.stdout
