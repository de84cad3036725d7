"""HDF5Output truncates any file when the net is set up; opening a LevelDB makes the
folder, or puts a log and a lock in one that is there."""
import caffe
import pytest

from sknet import cli

NET = """
layer {{ name: "data" type: "Input" top: "data"
  input_param {{ shape {{ dim: 1 dim: 3 dim: 8 dim: 8 }} }} }}
layer {{ name: "prob" type: "Softmax" bottom: "data" top: "prob" }}
layer {{ name: "out" type: "HDF5Output" bottom: "prob" bottom: "prob"
  hdf5_output_param {{ file_name: "{file}" }} }}"""
LEVELDB = """
layer {{ name: "data" type: "Data" top: "data"
  data_param {{ source: "{folder}" batch_size: 1 backend: LEVELDB }} }}"""


@pytest.fixture
def victim(tmp_path):
    path = tmp_path / "thesis.tex"
    path.write_text("years of work")
    return path


@pytest.mark.parametrize("allow", ["compute", "read"])
def test_hdf5_output(write, victim, allow):
    net = write(NET.format(file=victim))
    with pytest.raises(caffe.Error, match="HDF5Output may do more than compute"):
        caffe.Net(net, caffe.TEST, allow=allow)
    assert victim.read_text() == "years of work"
    caffe.Net(net, caffe.TEST)
    assert victim.read_bytes() != b"years of work"


def test_hdf5_output_in_a_verb(write, victim, images, capsys):
    net = write(NET.format(file=victim))
    command = ["classify", "--model", net, "--weights", "none",
               f"{images}/class/image.png"]
    assert cli.main(command) == 1
    assert "HDF5Output may do more than compute" in capsys.readouterr().err
    assert victim.read_text() == "years of work"


def test_solver_cannot_choose_where_snapshots_go(write, tmp_path, victim):
    net = write("""
layer { name: "data" type: "DummyData" top: "data" top: "label"
  dummy_data_param { shape { dim: 2 dim: 3 } shape { dim: 2 } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "data" bottom: "label" top: "loss" }""")
    solver = write(f'net: "{net}" snapshot_prefix: "{victim}" base_lr: 0.1 '
                   'lr_policy: "fixed" max_iter: 1 snapshot: 1', "solver.prototxt")
    before = set(tmp_path.iterdir())
    assert cli.main(["train", "--solver", solver, "-o", str(tmp_path / "run")]) == 0
    assert set(tmp_path.iterdir()) - before == {tmp_path / "run"}


@pytest.mark.parametrize("there", [True, False])
def test_leveldb(write, tmp_path, there):
    folder = tmp_path / "folder"
    if there:
        folder.mkdir()
        (folder / "LOG").write_text("years of work")
    with pytest.raises(caffe.Error, match="folder: it is none"):
        caffe.Net(write(LEVELDB.format(folder=folder)), caffe.TEST)
    assert folder.exists() == there
    if there:
        assert [path.name for path in folder.iterdir()] == ["LOG"]
