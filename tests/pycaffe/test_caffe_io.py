"""caffe.io without scikit-image, caffe.draw, Classifier and Detector."""
import subprocess
import sys

import caffe
import caffe.draw
import numpy as np
import pytest
from caffe.proto import caffe_pb2
from google.protobuf import text_format
from PIL import Image
from scipy import ndimage
from small_nets import input_layer

RANDOM = np.random.RandomState(1)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(5, 4), (12, 31), (30, 9), (17, 23), (1, 1)])
def test_resize_of_images(channels, size):
    """scikit-image's meaning: samples at the centres of the new pixels, the
    smallest value beyond the border, no smoothing."""
    image = RANDOM.uniform(-3, 9, (17, 23, channels)).astype(np.float32)
    at = [(np.arange(new) + .5) * old / new - .5
          for new, old in zip(size, image.shape)]
    expected = np.stack([ndimage.map_coordinates(
        image[..., channel].astype(float), np.meshgrid(*at, indexing="ij"),
        order=1, mode="grid-constant", cval=image.min())
        for channel in range(channels)], axis=2)
    resized = caffe.io.resize_image(image, size)
    assert resized.dtype == np.float32 and resized.shape == size + (channels,)
    np.testing.assert_allclose(resized, expected, atol=2e-6)


@pytest.mark.parametrize("channels", [2, 4, 7])
@pytest.mark.parametrize("size", [(5, 4), (12, 31), (30, 9), (17, 23)])
@pytest.mark.parametrize("order", [0, 1, 3])
def test_resize_of_other_arrays(channels, size, order):
    """SciPy's meaning: the corners stay the corners."""
    array = RANDOM.uniform(-3, 9, (17, 23, channels)).astype(np.float32)
    scale = np.divide(size, array.shape[:2])
    expected = ndimage.zoom(array, (*scale, 1), order=order)
    resized = caffe.io.resize_image(array, size, interp_order=order)
    assert resized.dtype == np.float32 and resized.shape == size + (channels,)
    np.testing.assert_allclose(resized, expected, atol=2e-5)


def test_resize_agrees_with_scikit_image():
    transform = pytest.importorskip("skimage.transform")
    image = RANDOM.uniform(0, 1, (17, 23, 3)).astype(np.float32)
    for size in (5, 4), (12, 31), (30, 9):
        for order in (0, 1):
            expected = transform.resize(
                image - image.min(), size, order=order, mode="constant",
                anti_aliasing=False) + image.min()
            np.testing.assert_allclose(caffe.io.resize_image(
                image, size, interp_order=order), expected, atol=2e-6)


def test_resize_of_constants_and_integers():
    for value in (0, 7):
        image = np.full((4, 5, 3), value, np.uint8)
        assert (caffe.io.resize_image(image, (9, 2)) == value).all()
    ramp = np.array([[[0], [200]]], np.uint8)
    assert caffe.io.resize_image(ramp, (1, 1)).item() == 100
    image = RANDOM.uniform(size=(6, 7, 3)).astype(np.float32)
    before = image.copy()
    caffe.io.resize_image(image, (3, 3))
    assert (image == before).all()


RGB = RANDOM.randint(0, 256, (5, 4, 3)).astype(np.uint8)
GRAY = RGB[..., 0]
ALPHA = RGB[..., 1]
COLORS = RANDOM.randint(0, 256, (256, 3)).astype(np.uint8)
PALETTE = Image.fromarray(GRAY).convert("P")
PALETTE.putpalette(COLORS.ravel().tolist())


def as_gray(colors):
    return colors @ [0.2125, 0.7154, 0.0721]


@pytest.mark.parametrize("image, expected", [
    (Image.fromarray(RGB), RGB / 255),
    (Image.fromarray(np.dstack([RGB, ALPHA])), RGB / 255),
    (Image.fromarray(GRAY), GRAY / 255),
    (Image.fromarray(np.dstack([GRAY, ALPHA])), GRAY / 255),
    (Image.fromarray(GRAY > 99), (GRAY > 99) * 1.),
    (Image.fromarray(GRAY.astype(np.uint16) * 257), GRAY / 255),
    (PALETTE, COLORS[GRAY] / 255),
], ids=["RGB", "RGBA", "L", "LA", "1", "I;16", "P"])
def test_load_image(tmp_path, image, expected):
    path = str(tmp_path / "image.png")
    image.save(path)
    color, gray = (caffe.io.load_image(path, color) for color in (True, False))
    assert color.dtype == gray.dtype == np.float32
    assert color.shape == (5, 4, 3) and gray.shape == (5, 4, 1)
    if expected.ndim == 2:
        expected = np.dstack([expected] * 3)
    np.testing.assert_allclose(color, expected, atol=1e-6)
    np.testing.assert_allclose(gray[..., 0], as_gray(expected), atol=1e-6)


def test_load_image_leaves_the_file_as_it_lies(tmp_path):
    path = tmp_path / "turned.jpg"
    image = Image.fromarray(np.repeat(np.repeat(RGB, 8, 0), 8, 1))
    exif = Image.Exif()
    exif[0x0112] = 6   # orientation: turned by 90°
    image.save(path, exif=exif)
    assert caffe.io.load_image(path).shape == (40, 32, 3)


def test_load_image_says_what_it_cannot_read(tmp_path):
    path = tmp_path / "no.jpg"
    with pytest.raises(FileNotFoundError):
        caffe.io.load_image(str(path))
    path.write_bytes(b"no image")
    with pytest.raises(OSError):
        caffe.io.load_image(str(path))


@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
def test_datum(dtype):
    array = RGB.astype(dtype)
    datum = caffe.io.array_to_datum(array, 3)
    assert datum.label == 3
    assert len(datum.data) == (array.size if dtype == np.uint8 else 0)
    back = caffe.io.datum_to_array(datum)
    assert back.dtype == dtype and (back == array).all()
    back += 1   # a copy, that may be written to


def test_transformer():
    transformer = caffe.io.Transformer({"data": (1, 3, 5, 4)})
    transformer.set_transpose("data", (2, 0, 1))
    transformer.set_channel_swap("data", (2, 1, 0))
    transformer.set_raw_scale("data", 255)
    transformer.set_mean("data", np.array([1., 2., 3.]))
    data = transformer.preprocess("data", RGB / np.float32(255))
    expected = RGB[..., ::-1].transpose(2, 0, 1) - np.reshape([1, 2, 3],
                                                              (3, 1, 1))
    np.testing.assert_allclose(data, expected, atol=1e-4)
    np.testing.assert_allclose(transformer.deprocess("data", data[None]),
                               RGB / 255, atol=1e-6)


def test_neither_scikit_image_nor_scipy_nor_pydot_is_needed(tmp_path):
    """In a process where importing them fails."""
    Image.fromarray(RGB).save(tmp_path / "image.png")
    code = """
import sys
sys.modules.update(dict.fromkeys(["skimage", "scipy", "pydot", "matplotlib"]))
import caffe, caffe.draw
caffe.io.resize_image(caffe.io.load_image("image.png"), (3, 2))
layer = caffe.proto.caffe_pb2.LayerParameter(name="x", type="ReLU")
assert "x" in caffe.draw.get_layer_label(layer, "LR")
"""
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True,
                   timeout=60)


POOL = """
layer { name: 'pool' type: 'Pooling' bottom: 'data' top: 'pool'
  pooling_param { pool: AVE global_pooling: true } }
layer { name: 'flat' type: 'Flatten' bottom: 'pool' top: 'flat' }"""


def test_graph():
    pydot = pytest.importorskip("pydot")
    net = text_format.Parse(input_layer(1, 3, 5, 5) + POOL,
                            caffe_pb2.NetParameter())
    graph = caffe.draw.get_pydot_graph(net, "TB")
    assert isinstance(graph, pydot.Dot)
    labels = [node.get_name() for node in graph.get_nodes()]
    assert any("(Pooling AVE)" in label for label in labels)
    assert len(graph.get_edges()) == 5


@pytest.fixture
def pool_files(write, tmp_path):
    """A net whose outputs are the means of its channels, and its weights."""
    path = write(input_layer(4, 3, 4, 4) + POOL)
    caffe.Net(path, caffe.TEST).save(str(tmp_path / "weights"))
    return path, str(tmp_path / "weights")


def test_classifier(pool_files):
    classifier = caffe.Classifier(
        *pool_files, image_dims=(6, 6), raw_scale=255, channel_swap=(2, 1, 0),
        mean=np.array([1., 2., 3.]))
    images = [RANDOM.uniform(size=(6, 6, 3)).astype(np.float32)
              for _ in range(5)]

    def means(image):
        return image.mean((0, 1))[::-1] * 255 - [1, 2, 3]
    np.testing.assert_allclose(
        classifier.predict(images, oversample=False),
        [means(image[1:5, 1:5]) for image in images], rtol=1e-4)
    # A mirrored crop has the same mean.
    corners = [(0, 0), (0, 2), (2, 0), (2, 2), (1, 1)]
    np.testing.assert_allclose(
        classifier.predict(images),
        [np.mean([means(image[y:y + 4, x:x + 4]) for y, x in corners], axis=0)
         for image in images], rtol=1e-4)


def test_detector(pool_files, tmp_path):
    path = str(tmp_path / "image.png")
    image = np.zeros((20, 30, 3), np.uint8)
    image[4:12, 8:16] = 10, 20, 30
    Image.fromarray(image).save(path)
    windows = np.array([[4, 8, 12, 16], [0, 0, 4, 4]])
    detector = caffe.Detector(*pool_files, raw_scale=255)
    found = detector.detect_windows([(path, windows)])
    assert [d["filename"] for d in found] == [path, path]
    np.testing.assert_allclose([d["prediction"] for d in found],
                               [[10, 20, 30], [0, 0, 0]], atol=1e-3)
    # With context: a border of one of the crop's four pixels around it.
    detector = caffe.Detector(*pool_files, raw_scale=255, context_pad=1)
    found = detector.detect_windows([(path, windows[:1])])
    colors = found[0]["prediction"]
    assert (colors > 0).all() and (colors < [10, 20, 30]).all()


def test_selective_search(pool_files, tmp_path, monkeypatch):
    """The proposals come from a package of others: here, a stand-in."""
    path = str(tmp_path / "image.png")
    Image.fromarray(np.full((8, 8, 3), 51, np.uint8)).save(path)

    class Search:
        @staticmethod
        def get_windows(names, cmd):
            return [np.array([[0, 0, 4, 4]]) for _ in names]
    monkeypatch.setitem(sys.modules, "selective_search_ijcv_with_python",
                        Search)
    found = caffe.Detector(*pool_files).detect_selective_search([path])
    assert len(found) == 1
    np.testing.assert_allclose(found[0]["prediction"], .2, atol=1e-6)
