"""The parts of a training: which images, which schedule, what is told."""
import csv
from collections import Counter
from types import SimpleNamespace

import pytest
from PIL import Image

from sknet.errors import InputError
from sknet.models.options import Options
from sknet.proto import caffe_pb2
from sknet.training.curves import Curves
from sknet.training.images import open_images
from sknet.training.prototxts import Data, Schedule, image_settings, training_files
from sknet.training.usage import commands
from sknet.training.validation import Validation


def make_images(folder, **counts):
    """A folder for each class, with as many images."""
    for name, count in counts.items():
        (folder / name).mkdir(parents=True)
        for number in range(count):
            Image.new("RGB", (4, 4)).save(folder / name / f"{number}.png")
    return folder


def listed(dataset):
    return [(dataset.name(index), dataset.label(index))
            for index in range(len(dataset))]


# ---- which images

def test_a_share_of_each_class_is_held_out(tmp_path):
    folder = make_images(tmp_path / "images", few=3, many=40, one=1)
    train, val = open_images(folder, val_share=.2)
    assert Counter(label for _, label in listed(val)) == {0: 1, 1: 8}
    assert Counter(label for _, label in listed(train)) == {0: 2, 1: 32, 2: 1}
    assert not set(listed(train)) & set(listed(val))
    assert train.classes == val.classes == ["few", "many", "one"]
    again = open_images(folder, val_share=.2)
    assert [listed(part) for part in again] == [listed(train), listed(val)]
    assert listed(open_images(folder, val_share=.2, seed=2)[1]) != listed(val)


def test_train_and_val_in_the_folder(tmp_path):
    make_images(tmp_path / "train", a=2, b=2, c=2)
    # Without a, its b would be number 0.
    make_images(tmp_path / "val", b=1, c=1)
    train, val = open_images(tmp_path)
    assert listed(val) == [("b/0.png", 1), ("c/0.png", 2)]
    assert len(train) == 6
    make_images(tmp_path / "other", d=1)
    with pytest.raises(InputError, match="other: the class d has no images for train"):
        open_images(tmp_path / "train", tmp_path / "other")


def test_lists(tmp_path):
    make_images(tmp_path, a=10)
    names = "".join(f"a/{number}.png {number % 2 + 3}\n" for number in range(10))
    (tmp_path / "list.txt").write_text(names)
    train, val = open_images(tmp_path / "list.txt", val_share=.4)
    assert Counter(label for _, label in listed(val)) == {3: 2, 4: 2}
    train, val = open_images(tmp_path / "list.txt", tmp_path / "list.txt")
    assert listed(train) == listed(val)


def test_nothing_to_hold_out(tmp_path):
    with pytest.raises(InputError, match="no class has more than one image"):
        open_images(make_images(tmp_path / "images", a=1, b=1))


# ---- the files

def files(model="sknet_digits", train=4000, val=500, classes=10, schedule=None,
          **options):
    return training_files(model, Data("t", "v", train, val, classes),
                          Options(**options), Schedule(**schedule or {}))


def test_the_models_own_recipe():
    """What tools/train_digits.sh trains with, for its 40,000 images."""
    _, solver, _ = files(train=40000, val=2000)
    assert (solver.max_iter, solver.iter_size, list(solver.stepvalue)) == (
        6250, 1, [3750, 5625])
    assert (solver.test_interval, solver.snapshot, list(solver.test_iter)) == (
        1250, 1250, [40])
    assert solver.base_lr == pytest.approx(.05)
    assert solver.solver_mode == caffe_pb2.SolverParameter.CPU


def test_schedule():
    # 256 images an iteration: 32 a pass, 8 passes; 100 epochs, drops at 30, 60, 90.
    _, solver, _ = files("sknet50", train=25600, schedule=dict(
        epochs=10, base_lr=.01, display=7, snapshot=33, test_interval=44, seed=5))
    assert (solver.max_iter, solver.iter_size) == (1000, 8)
    assert list(solver.stepvalue) == [300, 600, 900]
    assert (solver.display, solver.snapshot, solver.test_interval) == (7, 33, 44)
    assert (solver.base_lr, solver.random_seed) == (pytest.approx(.01), 5)
    _, solver, _ = files("sknet50", train=25600, batch=16, schedule=dict(gpus=4))
    assert (solver.iter_size, solver.max_iter) == (4, 10000)
    assert solver.solver_mode == caffe_pb2.SolverParameter.GPU
    net, solver, _ = files("sknet50", train=25600, batch=10,
                           schedule=dict(iter_size=2, gpus=4))
    assert (solver.iter_size, solver.max_iter) == (2, 100 * 25600 // 80)
    assert net.layer[0].data_param.batch_size == 10
    _, solver, _ = files("sknet50", train=25600, recipe="senet")
    assert solver.max_iter == 27000
    with pytest.raises(InputError, match="batch: 24"):
        files("sknet50", batch=24)


def test_fewer_images_than_a_batch():
    _, solver, _ = files(train=20, val=3, schedule=dict(epochs=2))
    assert (solver.max_iter, solver.snapshot, solver.test_interval) == (1, 1, 1)


@pytest.mark.parametrize("images", [1, 2, 49, 50, 51, 53, 97, 500, 640, 50000])
def test_validation_takes_each_image_once(images):
    net, solver, _ = files(val=images)
    assert net.layer[1].data_param.batch_size * solver.test_iter[0] == images
    assert net.layer[1].data_param.batch_size <= 50


def test_nets_for_the_data():
    net, _, deploy = files(classes=7, size=96, label_smoothing=.1, batch=4)
    train, val = net.layer[:2]
    assert [layer.type for layer in (train, val)] == ["AugmentedData"] * 2
    assert (train.data_param.source, val.data_param.source) == ("t", "v")
    assert (train.data_param.batch_size, train.augmented_data_param.shuffle,
            val.augmented_data_param.shuffle) == (4, True, False)
    for layer in (train, val):
        transform = layer.transform_param
        assert (transform.crop_size, transform.shorter_side) == (96, 96)
        assert transform.force_color and not transform.mirror
        assert layer.augmented_data_param.seed == 1
    for each in (net, deploy):
        assert [layer.inner_product_param.num_output for layer in each.layer
                if layer.name == "classifier"] == [7]
    assert list(deploy.layer[0].input_param.shape[0].dim) == [1, 3, 96, 96]
    assert deploy.name == "sknet_digits"
    net, _, _ = files("sknet50", augment="senet")
    assert net.layer[0].transform_param.max_rotation_angle == 10
    assert net.layer[1].transform_param.shorter_side == 256
    net, _, _ = files("sknet50", channels=1)
    assert net.layer[0].transform_param.force_gray
    assert list(net.layer[0].transform_param.mean_value) == [
        pytest.approx((104 + 117 + 123) / 3)]
    with pytest.raises(InputError, match="--num-classes 3: the images are of 10"):
        files(num_classes=3)


def test_channels_in_the_order_of_caffes_images():
    """sknet29's are red first; those that Caffe decodes, blue first."""
    from sknet.models import get
    assert image_settings(get("sknet29").preprocessing)["mean"] == (114, 123, 125)
    net, _, _ = files("sknet29")
    assert list(net.layer[0].transform_param.mean_value) == [114, 123, 125]


@pytest.mark.parametrize("model, options, expected", [
    ("sknet_digits", {}, []),
    ("sknet29", {}, ["--mean", "114,123,125", "--channels", "bgr"]),
    ("sknet_digits", dict(channels=1), ["--mean", "128", "--channels", "gray"])])
def test_commands(tmp_path, model, options, expected):
    net, _, _ = files(model, **options)
    run = SimpleNamespace(deploy=tmp_path / "deploy", labels=tmp_path / "labels.txt")
    run.deploy.touch()
    classify, evaluate = commands(run, net, "w", None)
    flags = " ".join(["--weights", "w", *expected])
    assert classify == f"sknet classify --model {run.deploy} {flags} IMAGE..."
    assert evaluate == f"sknet evaluate {run.deploy} {flags} DATA"


# ---- curves

def test_curves(tmp_path):
    curves = Curves(tmp_path, ["loss", "top-1"], until=0)
    curves.add(10, .1, 2.5)
    curves.add(20, .1, 1.25, {"loss": 1.5, "top-1": .5})
    curves.add(30, .01, 1.125)
    curves.path.write_text(curves.path.read_text() + "40,0.01")  # killed
    again = Curves(tmp_path, ["loss", "top-1"], until=40)
    assert again.rows == curves.rows
    again = Curves(tmp_path, ["loss", "top-1"], until=20)
    assert again.validations() == [(20, {"loss": 1.5, "top-1": .5})]
    assert again.validated(20) and not again.validated(10)
    # It was stopped there, before the validation.
    again.add(30, .01, 1)
    again.add(30, measured={"loss": 2, "top-1": .75})
    with again.path.open() as file:
        assert list(csv.reader(file)) == [
            ["iteration", "lr", "loss", "val loss", "val top-1"],
            ["10", "0.1", "2.5", "", ""], ["20", "0.1", "1.25", "1.5", "0.5"],
            ["30", "0.01", "1", "2", "0.75"]]
    again.plot("title")
    assert Image.open(again.plot_path).size > (600, 300)


def test_full_disk(tmp_path, small_files):
    curves = Curves(tmp_path, ["loss"], until=0)
    curves.add(10, .1, 2.5)
    with small_files(curves.path.stat().st_size + 3), \
            pytest.raises(InputError, match="curves.csv: cannot be written: File too"):
        curves.add(20, .1, 1.25)
    assert Curves(tmp_path, ["loss"], until=40).rows == curves.rows[:1]


def test_best_validation():
    """Of accuracies the highest, of losses the lowest; the first of equal ones."""
    validation = Validation(SimpleNamespace(test_nets=[]), [])
    validations = [(1, dict(a=.5)), (2, dict(a=.7)), (3, dict(a=.7)), (4, dict(a=.2))]
    validation.criterion, validation.higher_is_better = "a", True
    assert validation.best(validations)[0] == 2
    validation.higher_is_better = False
    assert validation.best(validations)[0] == 4
