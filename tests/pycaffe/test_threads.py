"""Nets in several threads, and what each thread has of its own."""
import concurrent.futures
import sys
import threading
from pathlib import Path

import caffe
import h5py
import numpy as np
import pytest
from small_nets import REGRESSION, input_layer, python_layer

DIGITS = Path(__file__).resolve().parents[2] / "prototxt/sknet_digits"
THREADS = 4
# Another sample each time, of the thread's random numbers.
RANDOM = """
layer { name: 'data' type: 'DummyData' top: 'data' dummy_data_param {
  shape { dim: 5 } data_filler { type: 'gaussian' } } }"""


def in_threads(call, items=range(THREADS)):
    """[call(item), ...], each in a thread of its own, all at once."""
    start = threading.Barrier(len(items), timeout=60)

    def run(item):
        start.wait()
        return call(item)
    with concurrent.futures.ThreadPoolExecutor(len(items)) as threads:
        return list(threads.map(run, items))


# ---- the GIL

# Seconds of work in each direction and in its filler, in one C++ call.
LONG = input_layer(64, 4096) + """
layer { name: 'ip' type: 'InnerProduct' bottom: 'data' top: 'ip'
  inner_product_param { num_output: 4096 weight_filler { type: 'gaussian' } } }
layer { name: 'loss' type: 'Reduction' bottom: 'ip' top: 'loss'
  loss_weight: 1 }"""


@pytest.fixture(scope="module")
def long_net(tmp_path_factory):
    path = tmp_path_factory.mktemp("long") / "net.prototxt"
    path.write_text(LONG)
    net = caffe.Net(path, caffe.TEST)
    net.path, net.saved = path, path.with_suffix(".caffemodel")
    net.save(net.saved)
    net.save_hdf5(path.with_suffix(".h5"))
    solver = path.with_name("solver.prototxt")
    solver.write_text(f"net: '{path}' base_lr: 0 lr_policy: 'fixed'")
    net.solver = caffe.SGDSolver(solver)
    return net


@pytest.mark.parametrize("work", [
    lambda net: caffe.Net(net.path, caffe.TEST),
    lambda net: net.forward(),
    lambda net: net.backward(),
    lambda net: net.save(net.saved),
    lambda net: net.copy_from(net.saved),
    lambda net: net.save_hdf5(net.path.with_suffix(".h5")),
    lambda net: net.load_hdf5(net.path.with_suffix(".h5")),
    lambda net: net.solver.step(1),
], ids=["init", "forward", "backward", "save", "copy_from", "save_hdf5", "load_hdf5",
        "step"])
def test_threads_run_while_caffe_works(long_net, work):
    go, ran = threading.Event(), []

    def other():
        go.wait()
        ran.append(True)
    thread = threading.Thread(target=other)
    thread.start()
    interval = sys.getswitchinterval()
    # No thread is made to give the GIL away: the other thread runs before the
    # work is done if the work lets go of it, and not else.
    sys.setswitchinterval(1000)
    try:
        go.set()
        sum(range(100000))
        assert not ran
        work(long_net)
        assert ran
    finally:
        sys.setswitchinterval(interval)
        thread.join()


def test_two_nets_in_two_threads(make_net):
    nets = [make_net(REGRESSION) for _ in range(2)]
    meeting, losses = threading.Barrier(2, timeout=60), []

    def run(net):
        # Each waits, in a callback within forward, for the other.
        net.before_forward(lambda layer: meeting.wait())
        losses.append(float(net.forward()["loss"]))
    threads = [threading.Thread(target=run, args=(net,)) for net in nets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(losses) == 2 and np.isfinite(losses).all()


# ---- the same results as alone

def train(seed, steps=2):
    """All values and gradients of SKNet's layers after so many steps."""
    net = caffe.Net(DIGITS / "deploy.prototxt", caffe.TRAIN,
                    weights=DIGITS / "sknet_digits.caffemodel")
    net.blobs["data"].reshape(4, 3, 64, 64)
    random = np.random.default_rng(seed)
    for _ in range(steps):
        net.forward(data=random.uniform(-2, 2, (4, 3, 64, 64)))
        net.clear_param_diffs()
        net.backward(prob=random.normal(size=(4, 10)))
        for blobs in net.params.values():
            for blob in blobs:
                blob.data[...] -= .001 * blob.diff
    return [array.copy() for blobs in ([net.blobs.values()] + list(net.params.values()))
            for blob in blobs for array in (blob.data, blob.diff)]


def equal(some, others):
    return all(map(np.array_equal, some, others))


def test_nets_as_if_alone():
    alone = [train(seed) for seed in range(THREADS)]
    assert not equal(alone[0], alone[1])
    for one, other in zip(alone, in_threads(train)):
        assert equal(one, other)


def test_solvers_as_if_alone(make_solver, tmp_path):
    def solve(seed):
        # Fillers, DummyData and Dropout draw from the thread's numbers.
        caffe.set_random_seed(seed)
        solver = caffe.SGDSolver(solver_file)
        solver.step(50)
        return [blob.data.tobytes() for blob in solver.net.params["ip"]]
    make_solver(REGRESSION.replace("layer { name: 'loss'", """
        layer { name: 'drop' type: 'Dropout' bottom: 'ip' top: 'ip' }
        layer { name: 'loss'"""))
    solver_file = tmp_path / "solver.prototxt"
    alone = [solve(seed) for seed in range(THREADS)]
    assert len({blobs[0] for blobs in alone}) == THREADS
    assert in_threads(solve) == alone


def test_shared_weights():
    """Of one net, which lies in memory once."""
    deploy = DIGITS / "deploy.prototxt"
    owner = caffe.Net(deploy, caffe.TEST, weights=DIGITS / "sknet_digits.caffemodel")
    images = np.random.default_rng(0).uniform(-2, 2, (THREADS, 1, 3, 64, 64))
    alone = [owner.forward(data=image)["prob"].copy() for image in images]

    def classify(number):
        net = caffe.Net(deploy, caffe.TEST)
        net.share_with(owner)
        assert np.shares_memory(net.params["classifier"][0].data,
                                owner.params["classifier"][0].data)
        for _ in range(5):
            prob = net.forward(data=images[number])["prob"].copy()
        net.backward(prob=np.ones((1, 10)))
        return prob
    assert equal(alone, in_threads(classify))


class Raising(caffe.Layer):
    def setup(self, bottom, top):
        pass

    def reshape(self, bottom, top):
        top[0].reshape(*bottom[0].data.shape)

    def forward(self, bottom, top):
        raise ValueError(self.param_str)


def test_errors_stay_in_their_thread(write):
    """A Python layer's, Caffe's own, and none, at the same time."""
    paths = [write(input_layer(1, 8) + python_layer(Raising, param_str="mine"), "py"),
             write(input_layer(1, 8) + "layer { name: 'bad' type: 'Bad' }", "caffe")]
    alone = train(1)

    def run(number):
        if number == 2:
            return train(1)
        errors = []
        for _ in range(50):
            try:
                caffe.Net(paths[number], caffe.TEST).forward()
            except (ValueError, caffe.Error) as error:
                errors.append((type(error), getattr(error, "layer", str(error))))
        return errors
    python, caffes, good = in_threads(run, range(3))
    assert python == [(ValueError, "mine")] * 50
    assert caffes == [(caffe.Error, "bad")] * 50
    assert equal(alone, good)


# ---- nets that come and go

def test_files(tmp_path, write):
    """Prototxts, caffemodels and HDF5 (which may not lock for itself), written and
    read at the same time."""
    prototxt = write(REGRESSION)

    def come_and_go(number):
        for _ in range(20):
            net = caffe.Net(prototxt, caffe.TEST)
            net.params["ip"][0].data[...] = number
            for name in ("w.caffemodel", "w.caffemodel.h5"):
                path = tmp_path / f"{number}{name}"
                (net.save_hdf5 if name.endswith("h5") else net.save)(path)
                for strict in (False, True):
                    other = caffe.Net(prototxt, caffe.TEST, weights=path, strict=strict)
                    if not (other.params["ip"][0].data == number).all():
                        return False
        return True
    assert in_threads(come_and_go) == [True] * THREADS


def test_hdf5_data(tmp_path, write):
    """HDF5Data reads its next file in forward, HDF5Output writes there."""
    files = [tmp_path / f"{number}.h5" for number in range(8)]
    for number, path in enumerate(files):
        with h5py.File(path, "w") as file:
            file["data"] = np.full((1, 3), number, np.float32)
            file["label"] = np.full((1, 1), number, np.float32)
    (tmp_path / "list").write_text("".join(f"{path}\n" for path in files))

    def read(thread):
        prototxt = write(f"""
            layer {{ name: 'data' type: 'HDF5Data' top: 'data' top: 'label'
              hdf5_data_param {{ source: '{tmp_path}/list' batch_size: 1 }} }}
            layer {{ name: 'out' type: 'HDF5Output' bottom: 'data' bottom: 'label'
              hdf5_output_param {{ file_name: '{tmp_path}/out{thread}' }} }}""",
            f"net{thread}")
        seen = []
        for _ in range(10):
            net = caffe.Net(prototxt, caffe.TEST)
            net.forward()
            for _ in range(8):
                seen.append(net.blobs["data"].data.max())
                net._forward(0, 0)
            net = None  # closes its file
        with h5py.File(tmp_path / f"out{thread}") as file:
            return seen, file["data"][...].tolist()
    one = list(range(8)) * 10, [[[[0]], [[0]], [[0]]]]
    assert in_threads(read) == [one] * THREADS


def test_hdf5_is_quiet_in_threads(tmp_path, write, capfd):
    """HDF5, which keeps a setting for each thread, prints what Caffe reports."""
    net = caffe.Net(write(REGRESSION), caffe.TEST)
    net.save_hdf5(tmp_path / "whole.h5")
    cut = tmp_path / "cut.h5"
    cut.write_bytes((tmp_path / "whole.h5").read_bytes()[:1000])

    def load(_):
        with pytest.raises(caffe.Error, match="cut.h5"):
            net.load_hdf5(cut)
    in_threads(load, [0])
    assert "HDF5" not in capfd.readouterr().err


# ---- the thread's own

def test_seed(write):
    path = write(RANDOM)

    def draw(seed):
        if seed:
            caffe.set_random_seed(seed)
        return caffe.Net(path, caffe.TEST).forward()["data"].tolist()
    alone = [draw(seed) for seed in (1, 2)]
    caffe.set_random_seed(1)
    seeded = threading.Barrier(THREADS, timeout=60)

    def draw_together(seed):
        if seed:
            caffe.set_random_seed(seed)
        seeded.wait()
        return draw(None)
    *known, new, other = in_threads(draw_together, [1, 2, None, None])
    assert known == alone
    # New threads have seeds of their own: neither each other's nor the starter's.
    assert new != other and alone[0] not in (new, other)
    assert draw(None) == alone[0]


def test_solvers_of_a_training():
    def change(_):
        before = caffe.solver_count(), caffe.solver_rank()
        caffe.set_solver_count(3)
        caffe.set_solver_rank(2)
        return before, (caffe.solver_count(), caffe.solver_rank())
    assert in_threads(change) == [((1, 0), (3, 2))] * THREADS
    assert (caffe.solver_count(), caffe.solver_rank()) == (1, 0)


def test_memory_limit_is_the_process_s(write):
    """Set in one thread, it holds in another, and what all hold counts."""
    path = write(input_layer(1, 1 << 20))
    held = in_threads(lambda _: caffe.Net(path, caffe.TEST), [0])
    held[0].forward()
    try:
        in_threads(lambda _: caffe.set_memory_limit(caffe.memory_in_use() + 1000), [0])
        with pytest.raises(caffe.Error, match="exceeds the memory limit"):
            caffe.Net(path, caffe.TEST).forward()
    finally:
        caffe.set_memory_limit(0)
