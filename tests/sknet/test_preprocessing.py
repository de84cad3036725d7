"""Preprocessing, against OpenCV, which Caffe's own tools use."""
import cv2
import numpy as np
import pytest
from PIL import Image

from sknet.data.preprocessing import Preprocessing, read_image
from sknet.errors import InputError


def photograph(height, width, seed=0):
    """Smooth random colours, H x W x 3 uint8, RGB."""
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 256, (8, 8, 3)).astype(np.uint8)
    return np.asarray(Image.fromarray(noise).resize((width, height)))


def by_opencv(path, shorter_side, crop):
    """BGR, H x W x 3, resized and cropped."""
    image = cv2.imread(str(path))
    height, width = image.shape[:2]
    factor = shorter_side / min(height, width)
    image = cv2.resize(image, (round(width * factor), round(height * factor)),
                       interpolation=cv2.INTER_LINEAR)
    top, left = (image.shape[0] - crop) // 2, (image.shape[1] - crop) // 2
    return image[top:top + crop, left:left + crop].astype(float)


@pytest.mark.parametrize("height, width", [
    (256, 256), (480, 640), (333, 1000), (100, 70), (257, 256)])
def test_default_is_senets(tmp_path, height, width):
    path = tmp_path / "image.png"
    Image.fromarray(photograph(height, width)).save(path)
    expected = by_opencv(path, 256, 224) - [104, 117, 123]
    actual = Preprocessing()(read_image(path))
    assert actual.shape == (3, 224, 224) and actual.dtype == np.float32
    # OpenCV interpolates with 11 bits, then rounds.
    assert abs(actual.transpose(1, 2, 0) - expected).max() <= 1


def test_settings(tmp_path):
    path = tmp_path / "image.png"
    Image.fromarray(photograph(40, 50)).save(path)
    pixels = Preprocessing(shorter_side=0, crop=20, channels="rgb",
                           mean=(1, 2, 3), scale=.5)(read_image(path))
    rgb = cv2.imread(str(path))[10:30, 15:35, ::-1].astype(float)
    np.testing.assert_allclose(pixels.transpose(1, 2, 0), (rgb - [1, 2, 3]) * .5)


def test_grey(tmp_path):
    path = tmp_path / "image.png"
    Image.fromarray(photograph(30, 30)).save(path)
    pixels = Preprocessing(shorter_side=0, crop=30, channels="gray",
                           mean=(128,))(read_image(path))
    grey = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE).astype(float)
    assert pixels.shape == (1, 30, 30)
    assert abs(pixels[0] - (grey - 128)).max() <= 1


RGB = photograph(50, 60)
ALPHA = np.dstack([RGB, RGB[..., 0]])


@pytest.mark.parametrize("pixels, name", [
    (RGB[..., 0], "grey.png"), (ALPHA, "transparent.png"),
    (np.dstack([RGB[..., 1], RGB[..., 0]]), "grey-transparent.png"),
    (RGB[..., 0].astype(np.uint16) * 257, "sixteen-bits.png"),
    (RGB[..., 0] > 99, "black-and-white.png")])
def test_every_image_becomes_rgb_as_by_opencv(tmp_path, pixels, name):
    path = tmp_path / name
    Image.fromarray(pixels).save(path)
    np.testing.assert_array_equal(np.asarray(read_image(path)),
                                  cv2.imread(str(path))[..., ::-1])


@pytest.mark.parametrize("name", ["cmyk.jpg", "palette.gif"])
def test_other_colour_models(tmp_path, name):
    mode = {"cmyk.jpg": "CMYK", "palette.gif": "P"}[name]
    smooth = Image.fromarray(photograph(50, 60)).convert(mode)
    smooth.save(tmp_path / name)
    found = np.asarray(read_image(tmp_path / name)).astype(int)
    difference = abs(found - np.asarray(smooth.convert("RGB")))
    assert np.percentile(difference, 95) < 12


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_as_by_opencv(tmp_path, orientation):
    image = Image.fromarray(photograph(40, 60))
    exif = image.getexif()
    exif[0x0112] = orientation
    path = tmp_path / "image.jpg"
    image.save(path, exif=exif, quality=95)
    expected = cv2.imread(str(path))[..., ::-1].astype(int)
    actual = np.asarray(read_image(path)).astype(int)
    assert actual.shape == expected.shape
    # JPEG decoders differ by a little.
    assert abs(actual - expected).max() <= 4


@pytest.mark.parametrize("settings, message", [
    (dict(crop=0), "crop: 0"),
    (dict(shorter_side=200), "shorter side: 200 pixels cannot hold a crop of 224"),
    (dict(shorter_side=-1), "shorter side: -1"),
    (dict(mean=(1, 2)), "mean: 2 values; bgr images have 3"),
])
def test_impossible_settings(settings, message):
    with pytest.raises(InputError, match=message):
        Preprocessing(**settings)


def test_image_smaller_than_the_crop():
    with pytest.raises(InputError, match="30x20 pixels are fewer"):
        Preprocessing(shorter_side=0, crop=24)(Image.new("RGB", (30, 20)))


@pytest.mark.parametrize("kind", ["png", "jpg", "gif", "tiff", "bmp", "webp"])
def test_truncated_images(tmp_path, kind):
    path = tmp_path / f"image.{kind}"
    Image.fromarray(photograph(200, 200)).save(path)
    whole = path.read_bytes()
    for part in (.1, .5, .9):
        path.write_bytes(whole[:int(len(whole) * part)])
        with pytest.raises(InputError, match=f"{path}: ."):
            read_image(path)


def test_what_is_no_image(tmp_path):
    (tmp_path / "image.png").write_text("no image")
    for path in (tmp_path / "image.png", tmp_path, tmp_path / "none.png"):
        with pytest.raises(InputError, match=f"^{path}: .") as caught:
            read_image(path)
        assert "\n" not in str(caught.value)
        assert str(caught.value).count(str(path)) == 1
