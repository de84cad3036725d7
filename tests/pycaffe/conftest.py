import caffe
import pytest
from small_nets import REGRESSION


@pytest.fixture
def make_net(write):
    """make_net(prototxt, phase) → a net."""
    return lambda text, phase=caffe.TEST: caffe.Net(write(text), phase)


@pytest.fixture
def make_solver(write, tmp_path):
    """make_solver(net prototxt, further settings) → an SGDSolver."""
    def make(net=REGRESSION, settings="", cls=caffe.SGDSolver):
        return cls(write(
            f"net: '{write(net)}' base_lr: 0.1 lr_policy: 'fixed' {settings} "
            f"snapshot_prefix: '{tmp_path}/snapshot'", "solver.prototxt"))
    return make
