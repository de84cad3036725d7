"""sknet's verbs with the net compiled, against Caffe's own."""
import json
import pickle

import caffe
import numpy as np
import pytest

from sknet.classifier import Classifier
from sknet.cli import main


def evaluate(sknet, held_out, folder, *args):
    """Return (summary, rows) of the command."""
    rows = folder / "rows.jsonl"
    done = sknet("evaluate", "sknet_digits", held_out, "--json", "--force",
                 "--predictions", rows, *args)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), [json.loads(line) for line in
                                     rows.read_text().splitlines()[1:]]


@pytest.mark.parametrize("views", [[], ["--crops", "10", "--shorter-side", "70"]])
def test_evaluations_agree_in_every_image(sknet, held_out, tmp_path, views):
    # 60 images: the last batch is of 4.
    found = {engine: evaluate(sknet, held_out, tmp_path, "--batch-size", 7, *views,
                              "--engine", engine) for engine in ("caffe", "compiled")}
    for engine, (summary, _) in found.items():
        assert summary.pop("engine") == engine
    (summary, expected), (same, rows) = found["caffe"], found["compiled"]
    assert same == summary and summary["images"] == len(rows) == 60
    for row, other in zip(rows, expected):
        assert row["classes"][0] == other["classes"][0]
        assert (row["index"], row["rank"]) == (other["index"], other["rank"])
        np.testing.assert_allclose(row["probabilities"], other["probabilities"],
                                   atol=1e-4)
    assert rows != expected  # in last digits: they are two engines


def test_classifications_agree(sknet, digits, images):
    found = {}
    for engine in ("caffe", "compiled"):
        done = sknet("classify", "--model", digits.deploy, "--weights", digits.weights,
                     "--json", "--top", 10, "--batch-size", 2, "--engine", engine,
                     *images)
        result = json.loads(done.stdout)
        assert result["engine"] == engine
        found[engine] = [
            {row["class"]: row["probability"] for row in image["predictions"]}
            for image in result["images"]]
    assert len(found["caffe"]) == 5
    for expected, actual in zip(*found.values()):
        np.testing.assert_allclose([actual[index] for index in range(10)],
                                   [expected[index] for index in range(10)], atol=1e-4)


def test_another_engines_predictions_are_refused(sknet, refused, held_out, tmp_path):
    kept = tmp_path / "kept.jsonl"
    command = ["evaluate", "sknet_digits", held_out, "--predictions", kept]
    assert sknet(*command).returncode == 0
    refused(*command, "--engine", "caffe", naming=[
        "kept.jsonl", 'engine is "compiled" there, "caffe" here', "--force"])
    assert sknet(*command, "--engine", "compiled").returncode == 0


def test_each_images_digits_are_its_own(monkeypatch):
    """However many there are, which are computed with one plan."""
    shapes = []

    def watched(*args, compile=caffe.compile):
        program = compile(*args)
        forward = program.forward

        def run():
            shapes.append(tuple(program.blobs["data"].shape))
            return forward()
        program.forward = run
        return program
    monkeypatch.setattr(caffe, "compile", watched)
    classifier = Classifier("sknet_digits", engine="compiled", batch=4)
    images = np.random.default_rng(0).normal(size=(9, 3, 64, 64))
    whole = classifier(images)
    assert whole.shape == (9, 10) and np.ptp(whole, axis=0).min() > 0
    for start, end in ((0, 4), (4, 7), (7, 9), (8, 9)):
        np.testing.assert_array_equal(classifier(images[start:end]), whole[start:end])
    assert set(shapes) == {(4, 3, 64, 64)}


def test_a_pickled_one_has_the_same_engine():
    images = np.random.default_rng(0).normal(size=(3, 3, 64, 64))
    for engine in (None, "caffe", "compiled"):
        classifier = Classifier("sknet_digits", engine=engine, batch=2)
        again = pickle.loads(pickle.dumps(classifier))
        assert again.engine == classifier.engine == (engine or "compiled")
        np.testing.assert_array_equal(again(images), classifier(images))


@pytest.mark.parametrize("error", [
    ImportError("built without oneDNN"),
    caffe.Error("compiled programs need a CPU with AVX2 and FMA")])
def test_where_nothing_can_be_compiled(monkeypatch, capsys, images, error):
    def refuse(net, precision):
        raise error
    monkeypatch.setattr(caffe, "compile", refuse)
    command = ["classify", "--model", "sknet_digits", "--json", images[0]]
    for engine in ([], ["--engine", "caffe"]):
        assert main([*command, *engine]) == 0
        assert json.loads(capsys.readouterr().out)["engine"] == "caffe"
    assert main([*command, "--engine", "compiled"]) == 1
    assert capsys.readouterr().err == \
        f"sknet classify: --engine compiled: not possible here: {error}\n"


@pytest.mark.parametrize("engine", ["caffe", "compiled-f16"])
def test_where_there_is_no_such_gpu(sknet, refused, held_out, images, engine):
    """As no machine has so many."""
    for command in (["classify", "--model", "sknet_digits", images[0]],
                    ["evaluate", "sknet_digits", held_out]):
        refused(*command, "--engine", engine, "--gpu", 99,
                naming=["--gpu 99: Cannot use"])
    refused("evaluate", "sknet_digits", held_out, "--gpu", 0, "--ray", "local",
            naming=["--gpu: not with --ray"])


@pytest.mark.parametrize("engine", ["compiled-f16", "compiled-tf32"])
def test_precisions_that_are_the_gpus(refused, images, engine):
    refused("classify", "--model", "sknet_digits", images[0], "--engine", engine,
            naming=[f"--engine {engine}: not possible here: ", "expected f32 or bf16"])


def test_pictures_are_of_caffes_layers(sknet, refused, images, tmp_path):
    picture = tmp_path / "picture.png"
    command = ["classify", "--model", "sknet_digits", "--picture", picture, images[0]]
    refused(*command, "--engine", "compiled", naming=["--picture", "--engine caffe"])
    assert not picture.exists()
    assert json.loads(sknet(*command, "--json").stdout)["engine"] == "caffe"
    assert picture.exists()
