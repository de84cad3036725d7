"""Images in files → an LMDB, as convert_imageset makes it."""
import io
import json
import mmap
import os
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from sknet.data.preprocessing import read_image, resize
from sknet.errors import InputError
from sknet.files import read_bytes, refusals, replacing
from sknet.proto import caffe_pb2

CHUNK = 1000  # images in a transaction, as in convert_imageset
# What any OpenCV decodes, and as Pillow does. Else images are stored as PNG.
KEPT = ("JPEG", "PNG", "BMP")
LONGEST_KEY = 511  # bytes, LMDB's limit
LOCK = 8192  # bytes of LMDB's file for locks, of 126 readers
HEADER = 2 * mmap.PAGESIZE  # bytes that its file of data begins with
ABOUT = "made_from.json"


def make_lmdb(dataset, path, size=None, seed=None, force=False):
    """Make the LMDB `path` of a dataset of files: encoded Datums under the keys
    NUMBER_NAME. Return the number of images in it.

    Files are stored as they are where Caffe can decode them. Those that cannot be
    read are reported on standard error, and left out.

    size: width and height in pixels that all images are resized to; by default
        they stay as large as they are.
    seed: of a random order; by default they are in the dataset's.
    force: replace an LMDB that was made of other images, or otherwise.

    A call that was killed is gone on with: until it is complete, the LMDB is named
    PATH.part. Raises InputError if no image can be read, the disk is full, or
    an LMDB of other images is there.
    """
    path, part = Path(path), Path(f"{path}.part")
    about = dict(digest=dataset.digest(), size=size and list(size), seed=seed)
    if path.exists():
        if _about(path) == about:
            return _count(path)
        if not force:
            raise InputError(f"{path}: an LMDB of other images, or made otherwise; "
                             "--force replaces it")
        shutil.rmtree(path)
    if _about(part) != about:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        with replacing(part / ABOUT) as name:
            Path(name).write_text(json.dumps(about))
    order = np.arange(len(dataset))
    if seed is not None:
        np.random.default_rng(seed).shuffle(order)
    _fill(dataset, part, order.tolist(), size)
    count = _count(part)
    if not count:
        raise InputError(f"{path}: none of the images can be read")
    part.rename(path)
    return count


def _about(path):
    """What an LMDB was made of, or None."""
    try:
        return json.loads(Path(path, ABOUT).read_text())
    except (OSError, ValueError):
        return None


def _count(path):
    import lmdb
    with lmdb.open(str(path), readonly=True, lock=False) as environment:
        return environment.stat()["entries"]


def _fill(dataset, path, order, size):
    """Add the images that are still missing."""
    import lmdb
    with refusals(path), open(Path(path, "lock.mdb"), "ab") as file:
        # LMDB would find out that the disk is full as it writes to memory: SIGBUS.
        os.posix_fallocate(file.fileno(), 0, LOCK)
    _remove_stump(path)
    try:
        with lmdb.open(str(path), map_size=1 << 30) as environment:
            _add(dataset, environment, order, size, path.stem)
    except lmdb.Error as error:
        _remove_stump(path)
        # Of a full disk LMDB says no more than that there was an error.
        free = shutil.disk_usage(path).free >> 20
        raise InputError(f"{path}: cannot be written: {error} ({free} MiB are free)") \
            from error


def _remove_stump(path):
    """What a full disk or a kill left of LMDB's header: it holds nothing, but cannot be
    opened."""
    data = Path(path, "data.mdb")
    if data.exists() and data.stat().st_size < HEADER:
        data.unlink()


def _add(dataset, environment, order, size, name):
    from tqdm import tqdm
    pool = ThreadPoolExecutor(len(os.sched_getaffinity(0)))
    try:
        start = _next_number(environment)
        with tqdm(total=len(order), initial=start, unit="image", disable=None,
                  desc=name) as bar:
            for begin in range(start, len(order), CHUNK):
                numbers = range(begin, min(begin + CHUNK, len(order)))
                encoded = pool.map(
                    lambda number: _encode(dataset, order[number], size), numbers)
                items = []
                for number, (value, problem) in zip(numbers, encoded):
                    if problem:
                        bar.write(f"sknet train: {problem}; skipped", file=sys.stderr)
                    else:
                        items.append((_key(number, dataset.name(order[number])), value))
                    bar.update()
                _put(environment, items)
    finally:
        pool.shutdown(cancel_futures=True)


def _next_number(environment):
    with environment.begin() as transaction:
        cursor = transaction.cursor()
        return int(cursor.key().partition(b"_")[0]) + 1 if cursor.last() else 0


def _key(number, name):
    return f"{number:08d}_{name}".encode(errors="surrogateescape")[:LONGEST_KEY]


def _put(environment, items):
    import lmdb
    while True:
        try:
            with environment.begin(write=True) as transaction:
                for key, value in items:
                    transaction.put(key, value, append=True)
            return
        except lmdb.MapFullError:
            environment.set_mapsize(2 * environment.info()["map_size"])


def _encode(dataset, index, size):
    """Return (Datum's bytes, None) of an image or, if it cannot be read, (None,
    reason)."""
    path = dataset.root / dataset.name(index)
    try:
        content = read_bytes(path)
        image = read_image(io.BytesIO(content), path)
    except InputError as error:
        return None, error
    format = _format(content)
    if size is not None and image.size != tuple(size):
        content = _encoded(resize(image, tuple(size)), format)
    elif format not in KEPT:
        content = _encoded(image, "PNG")
    return caffe_pb2.Datum(data=content, label=dataset.label(index),
                           encoded=True).SerializeToString(), None


def _format(content):
    from PIL import Image
    with Image.open(io.BytesIO(content)) as image:
        return image.format


def _encoded(image, format):
    """OpenCV's default quality where pixels are lost anyway."""
    file = io.BytesIO()
    options = dict(quality=95) if format == "JPEG" else {}
    image.save(file, "JPEG" if format == "JPEG" else "PNG", **options)
    return file.getvalue()
