"""Solvers and files."""
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import caffe
import pytest
from small_nets import REGRESSION

SOLVERS = ("SGDSolver", "NesterovSolver", "AdaGradSolver", "RMSPropSolver",
           "AdaDeltaSolver", "AdamSolver")


@pytest.mark.parametrize("name", SOLVERS)
def test_every_solver(make_solver, name):
    settings = {"AdaDeltaSolver": "momentum: 0.95 delta: 1e-6",
                "AdamSolver": "momentum: 0.9 delta: 1e-8",
                "NesterovSolver": "momentum: 0.9",
                "RMSPropSolver": "rms_decay: 0.98"}.get(name, "")
    solver = make_solver(settings=settings, cls=getattr(caffe, name))
    before = solver.net.params["ip"][0].data.copy()
    solver.step(2)
    assert solver.iter == 2
    assert (solver.net.params["ip"][0].data != before).all()
    assert isinstance(solver, caffe.SGDSolver)


def test_properties(make_solver):
    solver = make_solver(settings="max_iter: 7 display: 3 test_iter: 1 "
                                  "test_interval: 1000")
    assert (solver.param.max_iter, solver.param.display) == (7, 3)
    assert solver.param.layer_wise_reduce is True
    solver.step(1)
    assert solver.lr == pytest.approx(.1)
    solver.param.base_lr = .5
    solver.step(1)
    assert solver.lr == pytest.approx(.5)
    assert len(solver.test_nets) == 1


def test_get_solver_gives_the_type(make_solver, write):
    text = f"net: '{write(REGRESSION)}' base_lr: 1 lr_policy: 'fixed' "
    solver = caffe.get_solver(write(text + "type: 'Adam'", "adam.prototxt"))
    assert type(solver) is caffe.AdamSolver
    solver.step(1)


def test_callbacks(make_solver):
    solver, calls = make_solver(), []
    solver.add_callback(lambda: calls.append(("start", solver.iter)),
                        lambda: calls.append(("gradients", solver.iter)))
    solver.step(2)
    assert calls == [("start", 0), ("gradients", 0), ("start", 1),
                     ("gradients", 1)]

    def fail():
        raise KeyError("callback")
    solver.add_callback(fail, fail)
    with pytest.raises(KeyError, match="callback"):
        solver.step(1)
    assert solver.iter == 2


def test_snapshot_and_restore(make_solver, tmp_path):
    solver = make_solver(settings="momentum: 0.9 max_iter: 4 "
                                  "snapshot_after_train: false")
    solver.step(2)
    solver.snapshot()
    weights = solver.net.params["ip"][0].data.copy()
    other = make_solver(settings="momentum: 0.9 max_iter: 4 "
                                 "snapshot_after_train: false")
    other.restore(str(tmp_path / "snapshot_iter_2.solverstate"))
    assert other.iter == 2
    assert (other.net.params["ip"][0].data == weights).all()
    other.solve(tmp_path / "snapshot_iter_2.solverstate")
    assert other.iter == 4
    solver.share_weights(caffe.Net(str(tmp_path / "net.prototxt"), caffe.TEST))


def test_share_weights(make_solver, make_net):
    solver, net = make_solver(), make_net(REGRESSION)
    solver.share_weights(net)
    solver.net.params["ip"][0].data[...] = 3
    assert (net.params["ip"][0].data == 3).all()


@pytest.fixture
def python_handles_ctrl_c():
    """Background jobs start with SIGINT ignored, and Python leaves it so."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_stops_a_solver(make_solver, python_handles_ctrl_c):
    solver, steps = make_solver(), 300000

    def interrupt():
        while solver.iter == 0:
            time.sleep(.001)
        os.kill(os.getpid(), signal.SIGINT)
    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        solver.step(steps)
    assert 0 < solver.iter < steps
    solver.step(1)


def test_missing_files(make_net, make_solver, write, tmp_path):
    missing = str(tmp_path / "missing")
    there, net, solver = write(REGRESSION), make_net(REGRESSION), make_solver()
    for call in (lambda: caffe.Net(missing, caffe.TEST),
                 lambda: caffe.Net(missing, there, caffe.TEST),
                 lambda: caffe.Net(there, missing, caffe.TEST),
                 lambda: caffe.Net(there, caffe.TEST, weights=missing),
                 lambda: net.copy_from(missing),
                 lambda: net.load_hdf5(missing),
                 lambda: caffe.SGDSolver(missing),
                 lambda: caffe.get_solver(missing),
                 lambda: solver.restore(missing),
                 lambda: solver.solve(missing)):
        with pytest.raises(RuntimeError,
                           match=f"Could not open file {missing}"):
            call()


def test_constructors_of_a_net(write, tmp_path):
    path = write(REGRESSION)
    net = caffe.Net(network_file=path, phase=caffe.TEST, level=0, stages=None,
                    weights=None)
    saved = tmp_path / "weights"
    net.save(str(saved))
    for other in (caffe.Net(path, str(saved), caffe.TEST),
                  caffe.Net(path, caffe.TEST, weights=str(saved)),
                  caffe.Net(Path(path), caffe.TEST, 0, [], weights=saved)):
        assert (other.params["ip"][0].data == net.params["ip"][0].data).all()
    with pytest.raises(ValueError, match="phase is 7"):
        caffe.Net(path, 7)
    with pytest.raises(TypeError):
        caffe.Net(path)


@pytest.mark.parametrize("name", ["weights.caffemodel.h5", "no_suffix"])
def test_hdf5_weights(make_net, write, tmp_path, name):
    path, net = str(tmp_path / name), make_net(REGRESSION)
    net.save_hdf5(path)
    by_weights = caffe.Net(write(REGRESSION), caffe.TEST, weights=path)
    by_copy = make_net(REGRESSION)
    by_copy.copy_from(path)
    assert net.params["ip"][0].data.any()
    for other in (by_weights, by_copy):
        assert (other.params["ip"][0].data == net.params["ip"][0].data).all()


def test_hdf5_weights_of_layers_with_slashes(make_net, tmp_path):
    """As all of SKNet's; some lie in the groups of others."""
    text = REGRESSION.replace("name: 'ip'", "name: 'unit/ip/x'")
    assert text != REGRESSION
    text += """
        layer { name: 'unit' type: 'ReLU' bottom: 'data' top: 'unit' }
        layer { name: 'unit/ip' type: 'InnerProduct' bottom: 'unit' top: 'more'
                inner_product_param { num_output: 3
                                      weight_filler { type: 'xavier' } } }"""
    path, net = str(tmp_path / "weights.h5"), make_net(text)
    net.save_hdf5(path)
    copy = make_net(text)
    copy.copy_from(path, strict=True)
    assert list(net.params) == ["unit/ip/x", "unit/ip"]
    for name, blobs in net.params.items():
        for blob, other in zip(blobs, copy.params[name]):
            assert (blob.data == other.data).all() and net.params[name][0].data.any()
    with pytest.raises(caffe.Error, match="unit/ip"):
        make_net(REGRESSION).copy_from(path, strict=True)


def test_timer_and_globals():
    timer = caffe.Timer()
    timer.start()
    time.sleep(0.02)    # Caffe's Timer counts whole milliseconds on a CPU
    timer.stop()
    assert timer.ms > 0
    assert caffe.__version__ == "1.0.0"
    assert caffe.solver_count() == 1 and caffe.solver_rank() == 0
    assert caffe.has_nccl() in (False, True)
    assert {"Python", "Input", "Convolution"} <= set(caffe.layer_type_list())
    caffe.set_mode_cpu()
    caffe.set_random_seed(1)


def test_init_log(tmp_path):
    """In a process of its own: the settings are global."""
    code = ("import caffe; caffe.init_log(); caffe.init_log(0); "
            "caffe.init_log(0, True); caffe.log('a message')")
    done = subprocess.run([sys.executable, "-c", code], text=True,
                          stderr=subprocess.PIPE, cwd=tmp_path, timeout=60)
    assert done.returncode == 0
    assert "a message" in done.stderr
