import json

import pytest

from sknet import models
from sknet.profile import MACS, profile
from sknet.text import read_net

from net_files import write_net


@pytest.fixture
def deploy(tmp_path):
    """A deploy net's path."""
    return write_net(tmp_path / "deploy.prototxt", models.create("sknet_digits"))


def totals(done):
    assert (done.returncode, done.stderr) == (0, "")
    result = json.loads(done.stdout)
    return result["params"], result["params_with_stats"], result["macs"]


def test_json(sknet):
    result = json.loads(sknet("summary", "sknet50", "--json").stdout)
    assert (result["params"], result["params_with_stats"], result["macs"]) == (
        27479784, 27564328, 4462710784)
    assert (result["macs_rule"], result["batch"]) == ("conv_fc", 1)
    for cost in ("params", "params_with_stats", "macs", "activations"):
        assert sum(layer[cost] for layer in result["layers"]) == result[cost]
    assert result["layers"][1] == dict(
        name="conv1/7x7_s2", type="Convolution", shapes=[[1, 64, 112, 112]],
        params=9408, params_with_stats=9408, macs=9408 * 112 * 112,
        activations=4 * 64 * 112 * 112, receptive_field=[7, 7])
    assert result["sk_units"][-1] == dict(name="conv5_3", branches=[
        dict(name="conv5_3/3x3g32", kernel=3, receptive_field=[779, 779]),
        dict(name="conv5_3/3x3g32d2", kernel=5, receptive_field=[843, 843])])


@pytest.mark.parametrize("rule", MACS)
def test_rules(sknet, rule):
    expected = profile(models.create("sknet_digits"), rule).total("macs")
    done = sknet("summary", "sknet_digits", "--json", "--macs", rule)
    assert totals(done)[2] == expected
    assert json.loads(done.stdout)["macs_rule"] == rule


def test_table(sknet):
    done = sknet("summary", "sknet_digits", "--batch", 2)
    assert (done.returncode, done.stderr) == (0, "")
    layers, sums, units = done.stdout.split("\n\n")
    net = models.create("sknet_digits")
    lines = layers.splitlines()
    assert lines[0].split() == ["layer", "type", "output", "params", "macs", "field"]
    assert [line.split()[0] for line in lines[1:]] == [
        layer.name for layer in net.layer]
    assert lines[2].split() == ["conv1/3x3_s2", "Convolution", "2x32x32x32", "864",
                                "884,736", "3x3"]
    assert lines[-2].split()[1:] == ["InnerProduct", "2x10", "2,570", "2,560", "all"]
    # Aligned to the right.
    assert len({len(line) for line in lines}) == 1
    assert sums.split("\n")[0].split()[:3] == ["parameters", "372,522", "378,858"]
    assert [line.split() for line in units.splitlines()[1:3]] == [
        ["conv2_1", "3x3g8", "3x3", "15x15"], ["3x3g8d2", "5x5", "23x23"]]
    assert "SK unit" not in sknet("summary", "senet50").stdout


@pytest.mark.parametrize("options", [(), ("--size", 96, "--batch", 3)])
def test_a_file_is_measured_like_its_model(sknet, deploy, options):
    by_name, by_file = (sknet("summary", model, "--json", *options)
                        for model in ("sknet_digits", deploy))
    assert totals(by_file) == totals(by_name)
    by_name, by_file = (json.loads(done.stdout) for done in (by_name, by_file))
    assert by_file["layers"] == by_name["layers"]
    assert by_file["batch"] == (3 if options else 1)
    # The file itself stays.
    assert read_net(deploy) == models.create("sknet_digits")


@pytest.mark.parametrize("inputs", [
    "input: 'x' input_dim: [1, 3, 8, 8]",
    "layer { name: 'x' type: 'Input' top: 'x' input_param { "
    "shape { dim: [1, 3, 8, 8] } } }"])
def test_every_kind_of_input_is_changed(sknet, tmp_path, inputs):
    path = tmp_path / "net.prototxt"
    path.write_text(f"{inputs} layer {{ name: 'labels' type: 'Input' top: 'y' "
                    "input_param { shape { dim: 1 } } }")
    done = sknet("summary", path, "--json", "--size", 5, "--batch", 2)
    assert [layer["shapes"] for layer in json.loads(done.stdout)["layers"]] == [
        [[2, 3, 5, 5]], [[2]]]


def test_train_val(sknet, tmp_path):
    path = write_net(tmp_path / "net.prototxt",
                     models.create("sknet_digits", "train_val"))
    done = sknet("summary", path, "--json")
    assert totals(done) == totals(sknet("summary", "sknet_digits", "--json"))
    assert json.loads(done.stdout)["batch"] == 50


def test_what_is_wrong_is_named(refused, tmp_path):
    refused("summary", "sknet5", naming=["sknet5", "no such file", "sknet50"])
    refused("summary", tmp_path, naming=[str(tmp_path)])
    train_val = write_net(tmp_path / "net.prototxt",
                          models.create("sknet_digits", "train_val"))
    for option in ("--size", "--batch"):
        refused("summary", train_val, option, 96, naming=[train_val, "no Input"])
    refused("summary", "sknet50", "--size", 20, naming=["20"])
    bad = tmp_path / "bad.prototxt"
    bad.write_text("layer { name: 'r' type: 'ReLU' bottom: 'x' top: 'y' }")
    refused("summary", bad, naming=[str(bad), "layer r", "bottom x"])
    bad.write_text("nonsense")
    refused("summary", bad, naming=[str(bad)])
