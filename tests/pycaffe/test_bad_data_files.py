"""Data layers whose files say what is not so: an error, and no memory read or
written beyond what there is."""
import caffe
import h5py
import numpy as np
import pytest
from PIL import Image

WINDOWS = "# 0\n{image}\n3\n12\n10\n2\n1 0.9 0 0 5 5\n0 0.1 2 2 9 9\n"


@pytest.fixture
def window_net(make_net, tmp_path):
    """window_net(what to replace in the list, by what, the layer's fields)"""
    image = tmp_path / "image.png"
    pixels = np.random.default_rng(1).integers(0, 256, (10, 12, 3), np.uint8)
    Image.fromarray(pixels).save(image)

    def make(old="", new="", fields=""):
        text = WINDOWS.format(image=image)
        assert old in text
        (tmp_path / "windows.txt").write_text(text.replace(old, new, 1))
        return make_net(f"""layer {{ name: 'data' type: 'WindowData' top: 'data'
            top: 'label' transform_param {{ crop_size: 6 }} window_data_param {{
            source: '{tmp_path}/windows.txt' batch_size: 2 {fields} }} }}""",
                        caffe.TRAIN)
    return make


def test_windows(window_net):
    for fields in ("", "context_pad: 2 fg_fraction: 0.5", "crop_mode: 'square'"):
        net = window_net(fields=fields)
        assert net.forward()["data"].shape == (2, 3, 6, 6)
        assert net.blobs["data"].data.max() > 0


@pytest.mark.parametrize("old, new, fields, message", [
    ("# 0", "# 7", "", "the number of image"),
    ("\n3\n", "\n1\n", "", "channels of the images"),
    ("\n2\n", "\n2000000000\n", "", "are cut off"),
    ("0 0 5 5", "0 0 5 10", "", "beyond its image"),
    ("0 0 5 5", "0 -1 5 5", "", "a window of"),
    ("0 0 5 5", "5 0 0 5", "", "a window of"),
    ("0 0 5 5", "0 0 5 2147483647", "", "a window of"),
    ("", "", "fg_fraction: 1.5", "fg_fraction is 1.5"),
    ("", "", "context_pad: 3", "context_pad is 3"),
])
def test_bad_windows(window_net, old, new, fields, message):
    with pytest.raises(caffe.Error, match=message):
        window_net(old, new, "fg_fraction: 1 " * ("fg" not in fields) + fields
                   ).forward()


def hdf5_net(make_net, tmp_path, *rows):
    for i, shape in enumerate(rows):
        with h5py.File(tmp_path / f"{i}.h5", "w") as file:
            file["data"] = np.ones(shape, "f4")
    (tmp_path / "list.txt").write_text(
        "\n".join(f"{tmp_path}/{i}.h5" for i in range(len(rows))))
    return make_net(f"""layer {{ name: 'data' type: 'HDF5Data' top: 'data'
        hdf5_data_param {{ source: '{tmp_path}/list.txt' batch_size: 3 }} }}""")


def test_hdf5_files(make_net, tmp_path):
    net = hdf5_net(make_net, tmp_path, (2, 5), (4, 5))
    assert (net.forward()["data"] == np.ones((3, 5))).all()


@pytest.mark.parametrize("rows, message", [
    ([(0, 5)], "has no values"),
    ([(2, 5), (0, 5)], "has no values"),
    ([(2, 5), (2, 4)], "values of a row of data"),
    ([(2, 5), (2, 5000000)], "values of a row of data"),
])
def test_bad_hdf5_files(make_net, tmp_path, rows, message):
    with pytest.raises(caffe.Error, match=message):
        hdf5_net(make_net, tmp_path, *rows).forward()
