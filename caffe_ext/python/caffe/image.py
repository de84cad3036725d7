"""Images as float arrays: what caffe.io took from scikit-image and SciPy.

Their values are kept: scikit-image's of Caffe's time neither rotated by EXIF
nor smoothed before it made an image smaller.
"""
import numpy as np

# Of Pillow's formats those of pictures: EPS would start Ghostscript, which runs the
# file as a program.
_FORMATS = ('BMP', 'GIF', 'JPEG', 'JPEG2000', 'PNG', 'PPM', 'TIFF', 'WEBP')
# ITU-R BT.709 luma, as scikit-image's rgb2gray has it.
_LUMA = np.array([0.2125, 0.7154, 0.0721])


def load_image(filename, color=True):
    """
    Load an image converting from grayscale or alpha as needed.

    Parameters
    ----------
    filename : string
    color : boolean
        flag for color format. True (default) loads as RGB while False
        loads as intensity (if image is already grayscale).

    Returns
    -------
    image : an image with type np.float32 in range [0, 1]
        of size (H x W x 3) in RGB or
        of size (H x W x 1) in grayscale.
    """
    from PIL import Image
    with Image.open(filename, formats=_FORMATS) as image:
        if image.mode.startswith('I'):   # 16 bits, which Pillow may widen
            pixels = np.asarray(image) / 65535.
        elif image.mode == 'F':
            pixels = np.asarray(image)
        else:
            gray = image.mode in ('1', 'L', 'LA', 'La')
            pixels = np.asarray(image.convert('L' if gray else 'RGB')) / 255.
    if pixels.ndim == 3 and not color:
        pixels = pixels.dot(_LUMA)
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[:, :, np.newaxis], 3 if color else 1, axis=2)
    return pixels.astype(np.float32)


def resize_image(im, new_dims, interp_order=1):
    """
    Resize an image array with interpolation.

    Images of 1 or 3 channels are sampled at the centres of the new pixels, and
    beyond their border lies im.min(), which shows when they are enlarged
    (scikit-image); images of other channels are sampled such that the corners
    stay the corners (SciPy's zoom).

    Parameters
    ----------
    im : (H x W x K) ndarray
    new_dims : (height, width) tuple of new dimensions.
    interp_order : interpolation order, default is linear.
        Others need scikit-image for 1 or 3 channels, else SciPy.

    Returns
    -------
    im : resized ndarray with shape (new_dims[0], new_dims[1], K)
    """
    new_dims = tuple(int(dim) for dim in new_dims)
    centred = im.shape[-1] in (1, 3)
    floor = im.min()
    im = np.subtract(im, floor, dtype=np.float32)   # beyond the border: 0
    if interp_order == 1:
        for axis, dim in enumerate(new_dims):
            im = _interpolate(im, axis, dim, centred)
    elif centred:
        from skimage.transform import resize
        im = resize(im, new_dims, order=interp_order, mode='constant',
                    anti_aliasing=False, preserve_range=True)
    else:
        from scipy.ndimage import zoom
        scale = [new / float(old) for new, old in zip(new_dims, im.shape)]
        im = zoom(im, scale + [1], order=interp_order)
    return (im + floor).astype(np.float32)


def _interpolate(im, axis, size, centred):
    """Linear interpolation along an axis, zero beyond the border."""
    old = im.shape[axis]
    if centred:
        at = (np.arange(size) + .5) * old / size - .5
    else:
        at = np.linspace(0, old - 1, size)
    below = np.floor(at).astype(int)
    result = 0
    for index, weight in ((below, below + 1 - at), (below + 1, at - below)):
        weight = np.where((index >= 0) & (index < old), weight, 0)
        shape = [1] * im.ndim
        shape[axis] = size
        result = result + (im.take(index, axis, mode='clip')
                           * weight.reshape(shape).astype(np.float32))
    return result
