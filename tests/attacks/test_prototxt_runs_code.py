"""A Python layer imports any module."""
import caffe
import pytest

from sknet import cli

LAYER = """
layer { name: "evil" type: "Python" bottom: "data" top: "evil"
  python_param { module: "evil" layer: "Layer" } %s }"""
NET = """
layer { name: "data" type: "Input" top: "data"
  input_param { shape { dim: 1 dim: 3 dim: 8 dim: 8 } } }""" + LAYER + """
layer { name: "prob" type: "Softmax" bottom: "evil" top: "prob" }"""
TRAIN_VAL = """
layer { name: "data" type: "DummyData" top: "data" top: "label"
  dummy_data_param { shape { dim: 2 dim: 3 } shape { dim: 2 } } }%s
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "data" bottom: "label" top: "loss" }"""
SOLVER = 'net: "{net}" base_lr: 0.1 lr_policy: "fixed" max_iter: 1 test_iter: 1 ' \
    'test_interval: 1 snapshot_prefix: "x"'

VERBS = {
    "classify": "classify --model {net} --weights {none} {images}/class/image.png",
    "evaluate": "evaluate {net} {images} --weights {none}",
    "extract": "extract {net} {images} --weights {none} --blob prob -o {none}.npz",
    "attention": "attention {net} {images} --weights {none} -o {none}",
}
# They make no such net, and have no switch.
OTHERS = {
    "fold": "fold {net} --weights {none} -o {none}",
    "verify": "verify {net} {none}",
    "summary": "summary {net} --macs all",
    "convert": "convert {none} --model {net} --to stock -o {none}",
    "bench": "bench {net} --engines caffe,compiled",
}


@pytest.fixture
def run(write, images, tmp_path):
    """run(command line) → the exit status; `net` is that of the attack."""
    net = write(NET % "")
    return lambda line: cli.main(
        line.format(net=net, images=images, none=tmp_path / "none").split())


@pytest.mark.parametrize("verb", VERBS)
def test_verbs(run, marker, capsys, verb):
    assert run(VERBS[verb]) == 1
    assert "net.prototxt" in (message := capsys.readouterr().err)
    assert "layer evil (Python): a layer of the type Python may do more than " \
        "compute: only a prototxt that is trusted may have one" in message
    assert not marker.exists()
    # There are no weights.
    assert run(VERBS[verb] + " --trust-prototxt") == 1
    assert marker.exists()


@pytest.mark.parametrize("verb", OTHERS)
def test_verbs_without_the_switch(run, marker, verb):
    try:
        run(OTHERS[verb])
    except SystemExit as error:
        assert error.code != 2, "wrong usage"
    assert not marker.exists()


@pytest.mark.parametrize("phase", ["TRAIN", "TEST"])
def test_train(write, marker, tmp_path, capsys, phase):
    net = write(TRAIN_VAL % LAYER % f"include {{ phase: {phase} }}", "train_val.prototxt")
    solver = write(SOLVER.format(net=net), "solver.prototxt")
    command = ["train", "--solver", solver, "-o", str(tmp_path / "run")]
    assert cli.main(command) == 1
    assert "Python may do more than compute and read" in capsys.readouterr().err
    assert not marker.exists()
    # A training that goes on is not trusted for that.
    assert cli.main(["train", "--resume", str(tmp_path / "run")]) == 1
    assert not marker.exists()
    assert cli.main([*command, "--trust-prototxt"]) == 0
    assert marker.exists()


@pytest.mark.parametrize("allow", ["compute", "read"])
def test_nets(write, marker, allow):
    net = write(NET % "")
    with pytest.raises(caffe.Error, match="Python may do more than") as caught:
        caffe.Net(net, caffe.TEST, allow=allow)
    assert caught.value.layer == "evil"
    assert not marker.exists()
    # Allowed to one net, or refused, is not to the next.
    caffe.Net(net, caffe.TEST, allow="all")
    assert marker.exists()
    with pytest.raises(caffe.Error, match="Python may do more than"):
        caffe.Net(net, caffe.TEST, allow=allow)
    caffe.Net(net, caffe.TEST)


@pytest.mark.parametrize("rule", [
    "include { stage: 'deploy' }", "exclude { phase: TRAIN }",
    "include { min_level: 1 }"])
def test_layers_of_some_nets_only(write, marker, rule):
    net = write(NET.replace('"evil" }', '"data" }') % rule)
    with pytest.raises(caffe.Error, match="Python may do more than"):
        caffe.Net(net, caffe.TEST, 1, ["deploy"], allow="compute")
    assert not marker.exists()


@pytest.mark.parametrize("make", [caffe.get_solver, caffe.SGDSolver, caffe.AdamSolver])
@pytest.mark.parametrize("field", ["net", "train_net", "test_net"])
def test_solvers(write, marker, make, field):
    own = write(TRAIN_VAL % "", "own.prototxt")
    evil = write(TRAIN_VAL % LAYER % "", "evil.prototxt")
    nets = dict(train_net=own, test_net=own) | {field: evil}
    if field == "net":
        nets = dict(net=evil)
    solver = write(SOLVER.partition('"{net}"')[2] + "".join(
        f' {name}: "{path}"' for name, path in nets.items()), "solver.prototxt")
    with pytest.raises(caffe.Error, match="Python may do more than"):
        make(solver, allow="read")
    assert not marker.exists()
    make(solver, allow="all")
    assert marker.exists()


def test_type_that_only_a_fork_has(write):
    """What is not known is not allowed."""
    net = write('layer { name: "x" type: "Exec" top: "x" }')
    with pytest.raises(caffe.Error, match="Exec"):
        caffe.Net(net, caffe.TEST, allow="compute")


def test_wrong_word(write):
    with pytest.raises(caffe.Error, match='allow is "none": expected "compute", "read"'):
        caffe.Net(write(NET % ""), caffe.TEST, allow="none")
