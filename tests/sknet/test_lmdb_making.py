"""LMDBs as convert_imageset makes them: complete, in spite of kills and bad files."""
import os
import signal
import subprocess
import sys
from pathlib import Path

import caffe
import cv2
import lmdb
import numpy as np
import pytest
from PIL import Image

from sknet.data.datasets import open_dataset
from sknet.data.preprocessing import read_image
from sknet.errors import InputError
from sknet.proto import caffe_pb2
from sknet.training.lmdb_making import make_lmdb

MAKE = """
import sys
from sknet.cli import main
from sknet.data.datasets import open_dataset
from sknet.errors import InputError
from sknet.training import lmdb_making
lmdb_making.CHUNK = 10
{}
try:
    lmdb_making.make_lmdb(open_dataset(sys.argv[1]), sys.argv[2], seed=1)
except InputError as error:
    sys.exit(str(error))
"""
KILL = """
import os
put, chunks = lmdb_making._put, []
def dying(environment, items):
    if len(chunks) == 2 and not {after}:
        os.kill(os.getpid(), 9)
    put(environment, items)
    chunks.append(items)
    if len(chunks) == 3:
        os.kill(os.getpid(), 9)
lmdb_making._put = dying
"""
LIMIT = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (30000, 30000))
"""


@pytest.fixture
def folder(tmp_path):
    """47 images of two classes; one of the files is none."""
    random = np.random.default_rng(0)
    for number in range(47):
        path = tmp_path / "images" / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (9, 8, 3)).astype(np.uint8)).save(path)
    (tmp_path / "images/a/empty.jpg").write_bytes(b"")
    return tmp_path / "images"


def content(path):
    """[(key, Datum)] of an LMDB."""
    with lmdb.open(str(path), readonly=True, lock=False) as environment:
        with environment.begin() as transaction:
            return [(bytes(key).decode(), caffe_pb2.Datum.FromString(bytes(value)))
                    for key, value in transaction.cursor()]


def run(code, *args):
    return subprocess.run([sys.executable, "-c", MAKE.format(code), *map(str, args)],
                          capture_output=True, text=True)


def test_content(folder, tmp_path, capsys):
    assert make_lmdb(open_dataset(folder), tmp_path / "lmdb", seed=1) == 47
    assert "empty.jpg" in capsys.readouterr().err
    items = content(tmp_path / "lmdb")
    assert len(items) == 47
    names = []
    for key, datum in items:
        number, _, name = key.partition("_")
        assert len(number) == 8 and int(number) < 48
        assert datum.data == (folder / name).read_bytes()
        assert datum.encoded and datum.label == "ab".index(name[0])
        names.append(name)
    assert len(set(names)) == 47
    assert names != sorted(names)


def test_order_of_the_dataset(folder, tmp_path):
    make_lmdb(open_dataset(folder), tmp_path / "lmdb")
    names = [key.partition("_")[2] for key, _ in content(tmp_path / "lmdb")]
    assert names == sorted(names)


@pytest.mark.parametrize("after", [False, True])
def test_killed_and_gone_on_with(folder, tmp_path, after):
    straight, killed = tmp_path / "straight", tmp_path / "killed"
    assert run("", folder, straight).returncode == 0
    done = run(KILL.format(after=after), folder, killed)
    assert done.returncode == -signal.SIGKILL
    assert not killed.exists()
    there = content(f"{killed}.part")
    assert len(there) in (29, 30) if after else len(there) in (19, 20)
    done = run("", folder, killed)
    assert done.returncode == 0, done.stderr
    assert content(killed) == content(straight)
    assert not Path(f"{killed}.part").exists()


@pytest.mark.parametrize("stump", [0, 4096])
def test_killed_in_the_header(folder, tmp_path, stump):
    """It cannot be opened, and is begun anew."""
    path, part = tmp_path / "lmdb", tmp_path / "lmdb.part"
    make_lmdb(open_dataset(folder), path)
    path.rename(part)
    os.truncate(part / "data.mdb", stump)
    assert make_lmdb(open_dataset(folder), path) == 47


def test_other_images(folder, tmp_path):
    path = tmp_path / "lmdb"
    make_lmdb(open_dataset(folder), path)
    changed = path.stat().st_mtime_ns
    assert make_lmdb(open_dataset(folder), path) == 47
    assert path.stat().st_mtime_ns == changed
    (folder / "a/0.png").unlink()
    with pytest.raises(InputError, match="lmdb: an LMDB of other images"):
        make_lmdb(open_dataset(folder), path)
    assert make_lmdb(open_dataset(folder), path, force=True) == 46
    # What is half done of other images is not gone on with.
    path.rename(f"{path}.part")
    (folder / "a/2.png").unlink()
    assert make_lmdb(open_dataset(folder), path) == 45


def test_no_image_can_be_read(tmp_path):
    (tmp_path / "images/a").mkdir(parents=True)
    (tmp_path / "images/a/text.png").write_text("no image")
    with pytest.raises(InputError, match="lmdb: none of the images can be read"):
        make_lmdb(open_dataset(tmp_path / "images"), tmp_path / "lmdb")


def test_full_disk(folder, tmp_path):
    done = run(LIMIT, folder, tmp_path / "lmdb")
    assert done.returncode == 1
    assert "cannot be written" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert run("", folder, tmp_path / "lmdb").returncode == 0
    assert len(content(tmp_path / "lmdb")) == 47


def test_resized_as_by_opencv(folder, tmp_path):
    make_lmdb(open_dataset(folder), tmp_path / "lmdb", (13, 17))
    for key, datum in content(tmp_path / "lmdb"):
        image = cv2.imread(str(folder / key.partition("_")[2]))
        expected = cv2.resize(image, (13, 17)).astype(int)
        found = cv2.imdecode(np.frombuffer(datum.data, np.uint8), cv2.IMREAD_COLOR)
        assert found.shape == (17, 13, 3)
        assert abs(found - expected).max() <= 1


def save(path, mode, **options):
    """A smooth image, which JPEG does not change by much."""
    ramp = np.add.outer(np.arange(40) * 3, np.arange(64) * 2).astype(np.uint8)
    image = Image.merge("RGB", [Image.fromarray(plane) for plane in (
        ramp, ramp[::-1], ramp[:, ::-1])])
    if mode == "I;16":
        image = Image.fromarray(ramp.astype(np.uint16) * 256 + 128)
    elif mode != "RGB":
        image = image.convert(mode)
    image.save(path, **options)


ODD = {"grey.png": dict(mode="L"), "alpha.png": dict(mode="RGBA"),
       "palette.png": dict(mode="P"), "deep.png": dict(mode="I;16"),
       "grey.jpg": dict(mode="L"), "cmyk.jpg": dict(mode="CMYK"),
       "turned.jpg": dict(mode="RGB"), "animated.gif": dict(mode="P"),
       "web.webp": dict(mode="RGB", lossless=True), "scan.tif": dict(mode="CMYK")}


@pytest.mark.parametrize("name", ODD)
def test_caffe_decodes_what_classify_sees(tmp_path, name):
    (tmp_path / "images/a").mkdir(parents=True)
    path, options = tmp_path / "images/a" / name, dict(ODD[name])
    if name == "turned.jpg":
        options["exif"] = Image.Exif()
        options["exif"][0x0112] = 6
    save(path, **options)
    make_lmdb(open_dataset(tmp_path / "images"), tmp_path / "lmdb")
    prototxt = tmp_path / "net.prototxt"
    prototxt.write_text(f"""layer {{ name: "data" type: "AugmentedData" top: "data" top: "label"
        data_param {{ source: "{tmp_path}/lmdb" backend: LMDB batch_size: 1 }}
        transform_param {{ force_color: true }} }}""")
    net = caffe.Net(str(prototxt), caffe.TEST)
    found = net.forward()["data"][0].copy()
    expected = np.asarray(read_image(path)).astype(int)[..., ::-1].transpose(2, 0, 1)
    assert found.shape == expected.shape
    # Two decoders of JPEG, and two ways from CMYK to RGB.
    assert abs(found - expected).max() <= (6 if name.endswith("jpg") else 0)
