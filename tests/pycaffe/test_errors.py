"""caffe.Error: what used to end the process is caught, and Python goes on."""
import gc
import os
import subprocess
import sys
import threading
from pathlib import Path

import caffe
import h5py
import lmdb
import numpy as np
import pytest
from caffe.proto import caffe_pb2
from PIL import Image
from small_nets import REGRESSION, input_layer, python_layer

CONV = input_layer(1, 3, 8, 8) + """
layer { name: 'conv' type: 'Convolution' bottom: 'data' top: 'conv'
  convolution_param { num_output: 4 kernel_size: 3
    weight_filler { type: 'xavier' } } }
layer { name: 'ip' type: 'InnerProduct' bottom: 'conv' top: 'ip'
  inner_product_param { num_output: 2 weight_filler { type: 'xavier' } } }"""


@pytest.fixture(autouse=True)
def no_limit_after():
    yield
    caffe.set_memory_limit(0)


# ---- the exception

def test_attributes(make_net):
    with pytest.raises(caffe.Error) as caught:
        make_net(CONV.replace("kernel_size: 3", "kernel_size: 10"))
    error = caught.value
    assert isinstance(error, RuntimeError)
    assert error.layer == "conv"
    assert "1 x 4 x -1 x -1" in error.message
    assert (error.file, type(error.line)) == ("limits.cpp", int)
    assert str(error) == (f"layer conv (Convolution): {error.message} "
                          f"({error.file}:{error.line})")


def test_no_layer(tmp_path):
    with pytest.raises(caffe.Error, match="Could not open file") as caught:
        caffe.Net(tmp_path / "none.prototxt", caffe.TEST)
    assert caught.value.layer is None


@pytest.mark.parametrize("old, new, message", [
    ("Convolution'", "Convolutoin'", r"layer conv \(Convolutoin\): .*Unknown"),
    ("bottom: 'data'", "bottom: 'dota'", "Unknown bottom blob 'dota'"),
    ("top: 'ip'", "top: 'data'", "produced by multiple sources"),
    ("'xavier'", "'none'", "Unknown filler name: none"),
    ("num_output: 4", "num_outputs: 4", r'net.prototxt:6:\d+: .*"num_outputs"'),
    ("num_output: 4", "num_output: 4 group: 0", "group_ > 0"),
    ("dim: 8", "dim: 4294967297", "4294967297 exceeds INT_MAX"),
    ("dim: 8", "dim: 2147483647", "blob size exceeds INT_MAX"),
    ("kernel_size: 3", "kernel_size: 3 pad: 2000000000", "exceeds INT_MAX"),
    ("kernel_size: 3", "kernel_size: 9", "layer conv .*has no values"),
    ("num_output: 2", "num_output: 2147483647", "exceeds INT_MAX"),
])
def test_bad_nets(make_net, old, new, message):
    assert old in CONV
    with pytest.raises(caffe.Error, match=message):
        make_net(CONV.replace(old, new))
    make_net(CONV).forward()


def test_deep_nesting(write):
    for text in ("layer {" * 100000, "layer { name: " + "[" * 100000,
                 "layer < " * 300000, "\x00" * 100):
        with pytest.raises(caffe.Error, match="net.prototxt|messages"):
            caffe.Net(write(text), caffe.TEST)


def test_names_that_are_no_text(tmp_path):
    path = tmp_path / "net.prototxt"
    path.write_bytes(b"layer { name: '\\377' type: '\\376' }")
    with pytest.raises(caffe.Error, match="Unknown layer type"):
        caffe.Net(path, caffe.TEST)


def test_forward_and_go_on(make_net):
    net = make_net(CONV)
    expected = net.forward()["ip"].copy()
    net.blobs["data"].reshape(1, 2, 8, 8)
    for run in (net.forward, net.reshape):
        with pytest.raises(caffe.Error, match=r"^layer conv \(Convolution\)"):
            run()
    net.blobs["data"].reshape(1, 3, 8, 8)
    assert np.array_equal(net.forward()["ip"], expected)


def test_backward_names_the_layer(make_net):
    net = make_net(input_layer(2, 3) + """
    layer { name: 'silent' type: 'ArgMax' bottom: 'data' top: 'most' }""")
    net.forward()
    with pytest.raises(caffe.Error, match=r"^layer silent \(ArgMax\): Not Impl"):
        net.backward()


def test_reshape_leaves_the_blob(make_net):
    blob = make_net(CONV).blobs["data"]
    blob.data[...] = 3
    for dims in ((2 ** 31 - 1, 5), (2 ** 40,), (-1, 3), (1,) * 33):
        with pytest.raises(caffe.Error):
            blob.reshape(*dims)
        assert tuple(blob.shape) == (1, 3, 8, 8) and (blob.data == 3).all()


@pytest.mark.skipif(hasattr(caffe._caffe.Blob, "_gpu_data_ptr"),
                    reason="built with CUDA: see tests/gpu")
@pytest.mark.parametrize("choose", [
    caffe.set_mode_gpu, lambda: caffe.set_device(0)])
def test_gpu_in_a_build_without(make_net, choose):
    net = make_net(CONV)
    with pytest.raises(caffe.Error) as caught:
        choose()
    assert caught.value.message == (
        "Cannot use a GPU: this Caffe was built for CPUs only (CPU_ONLY=ON)")
    net.forward()  # still on the CPU


# ---- Python's own exceptions pass through

class Raises(caffe.Layer):
    def setup(self, bottom, top):
        pass

    def reshape(self, bottom, top):
        top[0].reshape(1)

    def forward(self, bottom, top):
        raise KeyError("on purpose")


class Inner(Raises):
    def forward(self, bottom, top):
        caffe.Net(self.param_str, caffe.TEST)


def test_python_layers(make_net, write):
    net = make_net(input_layer(1) + python_layer(Raises))
    with pytest.raises(KeyError, match="on purpose"):
        net.forward()
    # Caffe's, thrown within a Python layer.
    bad = write(CONV.replace("group", "").replace("kernel_size: 3", ""), "bad")
    net = make_net(input_layer(1) + python_layer(Inner, param_str=bad))
    with pytest.raises(caffe.Error, match="layer conv") as caught:
        net.forward()
    assert caught.traceback[-1].name == "forward"


# ---- threads

def image_list(tmp_path, number, missing=None):
    lines = []
    for i in range(number):
        path = tmp_path / f"{i}.png"
        if i != missing:
            Image.new("RGB", (8, 8), (i, i, i)).save(path)
        lines.append(f"{path} {i}\n")
    (tmp_path / "list.txt").write_text("".join(lines))
    return f"""layer {{ name: 'images' type: 'ImageData' top: 'data' top: 'label'
      image_data_param {{ source: '{tmp_path}/list.txt' batch_size: 1 }} }}"""


def in_time(call, seconds=60):
    """The exception that `call` raises in another thread, which must end."""
    raised = []

    def run():
        try:
            call()
        except Exception as error:
            raised.append(error)
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    assert not thread.is_alive(), "hangs"
    return raised[0] if raised else None


def test_missing_image(make_net, tmp_path):
    nets = [make_net(image_list(tmp_path, 8, missing=5))]
    # The batches before it come.
    for i in range(5):
        assert in_time(nets[0].forward) is None
        assert nets[0].blobs["label"].data[0] == i
    for _ in range(3):
        error = in_time(nets[0].forward)
        assert isinstance(error, caffe.Error) and error.layer == "images"
        assert "5.png" in error.message
    assert in_time(nets.clear) is None
    gc.collect()


def database(path, values):
    with lmdb.open(str(path), map_size=1 << 24) as env:
        with env.begin(write=True) as transaction:
            for i, value in enumerate(values):
                transaction.put(b"%08d" % i, value)
    return f"""layer {{ name: 'records' type: 'Data' top: 'data' top: 'label'
      data_param {{ source: '{path}' backend: LMDB batch_size: 1 }} }}"""


def datum(**fields):
    fields = {"channels": 1, "height": 2, "width": 2, "data": bytes(4), **fields}
    return caffe_pb2.Datum(**fields).SerializeToString()


@pytest.mark.parametrize("bad, message", [
    (b"\xff\xff\xff", "record 00000003.* is not a Datum"),
    (datum(data=bytes(3)), "values of a datum of 1 x 2 x 2"),
    (datum(height=2 ** 31 - 1, width=2 ** 31 - 1), "exceeds INT_MAX"),
    (datum(encoded=True), "Could not decode datum"),
])
def test_corrupt_record(make_net, tmp_path, bad, message):
    layer = database(tmp_path / "lmdb", [datum()] * 3 + [bad] + [datum()] * 3)
    nets = [make_net(layer)]
    for _ in range(3):
        assert in_time(nets[0].forward) is None
    for _ in range(2):
        error = in_time(nets[0].forward)
        assert isinstance(error, RuntimeError), error
    with pytest.raises(caffe.Error, match=message) as caught:
        nets[0].forward()
    assert caught.value.layer == "records"
    assert in_time(nets.clear) is None


def test_databases_that_are_none(make_net, tmp_path):
    with pytest.raises(caffe.Error, match="No such file"):
        make_net(database(tmp_path / "a", []).replace("/a'", "/b'"))
    with pytest.raises(caffe.Error, match="has no records"):
        make_net(database(tmp_path / "empty", []))
    cut = database(tmp_path / "cut", [bytes(1 << 16)] * 20)
    os.truncate(tmp_path / "cut/data.mdb", 1 << 16)
    with pytest.raises(caffe.Error, match="truncated"):
        make_net(cut)


def test_nets_in_threads_fail_apart(write):
    good, bad = write(CONV), write(CONV.replace("size: 3", "size: 9"), "bad")
    failures = []

    def work():
        for _ in range(20):
            try:
                caffe.Net(bad, caffe.TEST)
            except caffe.Error as error:
                failures.append(error.layer)
            caffe.Net(good, caffe.TEST).forward()
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == ["conv"] * 80


# ---- memory

def test_memory_limit(make_net):
    net = make_net(CONV)
    net.forward()
    before = caffe.memory_in_use()
    caffe.set_memory_limit(before + 1000)
    with pytest.raises(caffe.Error, match="layer conv .*exceeds the memory "
                       f"limit of {before + 1000} bytes"):
        net.blobs["data"].reshape(1, 3, 100, 100)
        net.forward()
    # It runs on at its size, within the limit.
    net.blobs["data"].reshape(1, 3, 8, 8)
    net.forward()
    assert caffe.memory_in_use() <= before + 1000
    del net
    gc.collect()
    assert caffe.memory_in_use() < before


def test_limit_before_allocation(make_net):
    """8 GB, which would be the kernel's business."""
    caffe.set_memory_limit(1 << 30)
    net = make_net(input_layer(1, 2 ** 31 - 1))
    with pytest.raises(caffe.Error, match="a blob of 8589934588 bytes exceeds"):
        net.blobs["data"].data[...] = 1


def test_limits_are_sizes():
    for bad in (-1, "1", 1.5):
        with pytest.raises(TypeError):
            caffe.set_memory_limit(bad)


def test_out_of_memory(write):
    """Where the system refuses: an exception, and the process goes on."""
    path = write(input_layer(1, 2 ** 29))
    done = subprocess.run([sys.executable, "-c", f"""
import caffe, resource
net = caffe.Net({path!r}, caffe.TEST)
_, most = resource.getrlimit(resource.RLIMIT_AS)
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, most))
try:
    net.blobs['data'].data[...] = 1
except (caffe.Error, MemoryError) as error:
    print(error)
net.blobs['data'].reshape(1, 3)
print(net.blobs['data'].data)
"""], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stderr
    assert "host allocation of size 2147483648 failed" in done.stdout
    assert "[[0. 0. 0.]]" in done.stdout


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_failures_leave_nothing(write, tmp_path):
    """1,000 failed constructions: each would leave 400 kB of weights."""
    big = CONV.replace("num_output: 4", "num_output: 4000") + """
    layer { name: 'bad' type: 'Slice' bottom: 'ip' top: 'a' top: 'b' top: 'c' }"""
    net = write(big)
    solver = write(f"train_net: '{net}' base_lr: 1 lr_policy: 'fixed'", "solver")
    images = write(image_list(tmp_path, 2) + """
    layer { name: 'bad' type: 'Slice' bottom: 'data' top: 'a' top: 'b' }""", "im")
    weights = tmp_path / "cut.caffemodel"
    caffe.Net(write(CONV, "good"), caffe.TEST).save(weights)
    weights.write_bytes(weights.read_bytes()[:-9])
    good = write(CONV, "good")
    makers = [lambda: caffe.Net(net, caffe.TEST),
              lambda: caffe.SGDSolver(solver),
              lambda: caffe.Net(images, caffe.TEST),
              lambda: caffe.Net(good, caffe.TEST, weights=weights)]
    threads = threading.active_count()

    def fail(times):
        for i in range(times):
            with pytest.raises(caffe.Error):
                makers[i % len(makers)]()
    fail(100)
    gc.collect()
    held, before = caffe.memory_in_use(), resident()
    fail(1000)
    gc.collect()
    assert caffe.memory_in_use() == held
    assert resident() - before < 8 << 20
    assert threading.active_count() == threads
    assert len(os.listdir("/proc/self/task")) < 50


# ---- strict loading

@pytest.fixture(params=["caffemodel", "h5"])
def saved(request, make_net, tmp_path):
    """saved(net) → the path of its weights, in either format."""
    def save(net):
        path = tmp_path / f"weights.{request.param}"
        (net.save if request.param == "caffemodel" else net.save_hdf5)(str(path))
        return path
    return save


def test_strict(make_net, write, saved):
    net = make_net(CONV)
    path = saved(net)
    same = caffe.Net(write(CONV), caffe.TEST, weights=path, strict=True)
    assert np.array_equal(same.params["ip"][0].data, net.params["ip"][0].data)
    other = make_net(CONV.replace("'ip'", "'fc'"))
    before = other.params["conv"][0].data.copy()
    with pytest.raises(caffe.Error,
                       match="no weights for fc; no layer for ip") as caught:
        other.copy_from(path, strict=True)
    assert str(path) in caught.value.message
    # Nothing is half-way.
    assert np.array_equal(other.params["conv"][0].data, before)
    other.copy_from(path)
    assert np.array_equal(other.params["conv"][0].data,
                          net.params["conv"][0].data)


def test_strict_names_each_side(make_net, saved):
    less = CONV[:CONV.index("layer { name: 'ip'")]
    path = saved(make_net(less))
    make_net(less).copy_from(path, strict=True)
    with pytest.raises(caffe.Error, match=r"no weights for ip \(strict"):
        make_net(CONV).copy_from(path, strict=True)
    path = saved(make_net(CONV))
    with pytest.raises(caffe.Error, match=r"net: no layer for ip \(strict"):
        make_net(less).copy_from(path, strict=True)


def test_strict_with_shared_weights(make_net, saved):
    text = input_layer(1, 3) + "".join(f"""
    layer {{ name: '{name}' type: 'InnerProduct' bottom: '{bottom}' top: '{name}'
      param {{ name: 'w' }} inner_product_param {{ num_output: 3
        bias_term: false weight_filler {{ type: 'xavier' }} }} }}"""
        for name, bottom in (("first", "data"), ("second", "first")))
    net = make_net(text)
    path = saved(net)
    other = make_net(text)
    other.copy_from(path, strict=True)
    assert np.array_equal(other.params["second"][0].data,
                          net.params["first"][0].data)


# ---- files

def test_bad_weights(make_net, tmp_path):
    net = make_net(CONV)
    path = tmp_path / "x.caffemodel"
    net.save(path)
    good = path.read_bytes()
    for bad in (good[:-1], good[:len(good) // 2], b"\x00" + good, b"hello"):
        path.write_bytes(bad)
        with pytest.raises(caffe.Error, match="Failed to parse.*x.caffemodel"):
            net.copy_from(path)
    net.save_hdf5(str(tmp_path / "x.h5"))
    good = (tmp_path / "x.h5").read_bytes()
    (tmp_path / "x.h5").write_bytes(good[:len(good) // 2])
    with pytest.raises(caffe.Error):
        net.copy_from(tmp_path / "x.h5")
    net.forward()


def test_bad_hdf5_weights(make_net, tmp_path):
    net = make_net(CONV)
    path = tmp_path / "x.h5"
    for shape in ((4, 3, 3), (4, 3, 3, 2 ** 40)):
        with h5py.File(path, "w") as file:
            file.create_dataset("data/conv/0", shape, np.float32, chunks=(1,) *
                                len(shape))
        with pytest.raises(caffe.Error, match="^layer conv "):
            net.copy_from(path)
        # It is closed again: HDF5 would refuse to write it else.
    with h5py.File(path, "w"):
        pass


def test_solver_states(make_solver, tmp_path):
    solver = make_solver()
    solver.step(1)
    solver.snapshot()
    state = tmp_path / "snapshot_iter_1.solverstate"
    message = caffe_pb2.SolverState.FromString(state.read_bytes())
    message.history[0].shape.dim[:] = [1]
    message.history[0].data[:] = [1]
    state.write_bytes(message.SerializeToString())
    with pytest.raises(caffe.Error, match="shape mismatch"):
        solver.restore(state)
    state.write_bytes(b"\xff")
    with pytest.raises(caffe.Error, match="Failed to parse SolverState"):
        solver.restore(state)
    solver.step(1)


@pytest.mark.parametrize("change", [
    {"iter": np.arange(1000, dtype=np.int32)},
    {"learned_net": [b"x" * 100] * 100},
    {"learned_net": 3},
    {"history/0": np.zeros((2, 2), np.float32)},
], ids=["iter", "strings", "number", "shape"])
def test_hdf5_solver_states(make_solver, tmp_path, change):
    """What is larger than it should be would be written over the memory."""
    solver = make_solver(settings="snapshot_format: HDF5")
    solver.step(1)
    solver.snapshot()
    state = tmp_path / "snapshot_iter_1.solverstate.h5"
    with h5py.File(state, "r+") as file:
        for name, value in change.items():
            del file[name]
            file[name] = value
    with pytest.raises(caffe.Error):
        solver.restore(state)
    solver.step(1)


# ---- the commands

@pytest.mark.parametrize("tool, args, message", [
    ("caffe", ["test", "--model=bad.prototxt", "--weights=none"], "conv"),
    ("caffe", ["train", "--solver=none.prototxt"], "File not found: none"),
    ("caffe", ["nonsense"], "Unknown action: nonsense"),
    ("compute_image_mean", ["none"], "No such file"),
    ("convert_imageset", ["/", "list.txt", "new"], "mkdir new failed"),
    ("upgrade_net_proto_text", ["none", "new.txt"], "File not found: none"),
])
def test_commands(tmp_path, tool, args, message):
    (tmp_path / "bad.prototxt").write_text(CONV.replace("size: 3", "size: 9"))
    (tmp_path / "list.txt").write_text("a 0\n")
    (tmp_path / "new").mkdir()
    done = subprocess.run(
        [Path(caffe.__file__).parent / "bin" / tool, *args], cwd=tmp_path,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 1, done.stderr
    last = done.stderr.splitlines()[-1]
    assert message in last and last.endswith(")")
    assert "Check failure stack trace" not in done.stderr


def test_regression_net_still_trains(make_solver):
    solver = make_solver(REGRESSION)
    solver.step(2)
    assert solver.iter == 2
