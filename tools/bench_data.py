#!/usr/bin/env python3
"""How many images a second the data layers give, how that compares to Data, and how
many a training step of SKNet-50 takes.

    tools/bench_data.py [--lmdb LMDB] [--batch 32] [--batches 30] [--rounds 3]

Without an LMDB of your own (of encoded images of one size, of 256 pixels or more,
for Data's sake), makes one of 512 JPEG photographs of 340x256. The best of so many
rounds counts. `busy` are the processors in use: fewer than `threads`, and others
had them.
"""
import argparse
import os
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

os.environ.setdefault("GLOG_minloglevel", "2")
import caffe  # noqa: E402  (it reads the variable)

CROP = "crop_size: 224 mirror: true mean_value: 104 mean_value: 117 mean_value: 123"
SENET = (CROP + " min_area_ratio: 0.08 min_aspect_ratio: 0.75 max_aspect_ratio: "
         "1.3333333 max_rotation_angle: 10 max_pixel_jitter: 20")
SETTINGS = [("Data", "crop, mirror", "Data", CROP, 1, "TRAIN")] + [
    ("AugmentedData", name, "AugmentedData", transform, threads, phase)
    for name, transform, phase in (
        ("crop, mirror", CROP, "TRAIN"), ("SENet's", SENET, "TRAIN"),
        ("TEST", CROP + " shorter_side: 256", "TEST"))
    for threads in (1, 2)]


def make_lmdb(folder):
    """An LMDB in `folder` of parts of matplotlib's photograph."""
    import matplotlib
    photo = Image.open(Path(matplotlib.get_data_path())
                       / "sample_data/grace_hopper.jpg").convert("RGB")
    rng = np.random.default_rng(1)
    names = [f"{number}.jpg" for number in range(512)]
    for name in names:
        width = int(rng.integers(250, photo.width))
        height = width * 256 // 340
        left, top = (int(rng.integers(0, side + 1)) for side in (
            photo.width - width, photo.height - height))
        photo.resize((340, 256), box=(left, top, left + width, top + height)).save(
            folder / name, quality=90)
    (folder / "list").write_text("".join(f"{name} 0\n" for name in names))
    tool = Path(caffe.__file__).with_name("bin") / "convert_imageset"
    subprocess.run([tool, "-encoded", f"{folder}/", folder / "list",
                    folder / "lmdb"], check=True)
    return folder / "lmdb"


def measure(prototxt, phase, args):
    """Images a second, and the processors that they kept busy, in the best round."""
    net = caffe.Net(str(prototxt), getattr(caffe, phase))
    # What was read ahead, before the clock was started.
    for _ in range(6):
        net.forward()
    best = 0, 0
    for _ in range(args.rounds):
        start, busy = time.perf_counter(), time.process_time()
        for _ in range(args.batches):
            net.forward()
        wall, busy = time.perf_counter() - start, time.process_time() - busy
        best = max(best, (args.batches * args.batch / wall, busy / wall))
    return best


def training_step(folder, batch=4):
    """Images a second, forward and backward, of a net whose images are there."""
    from sknet import models
    from sknet.text import to_text
    param = models.create("sknet50", "train_val")
    images, *_ = (layer for layer in param.layer if layer.type == "Data")
    images.type = "DummyData"
    for field in ("data_param", "transform_param"):
        images.ClearField(field)
    images.dummy_data_param.shape.add(dim=[batch, 3, 224, 224])
    images.dummy_data_param.shape.add(dim=[batch])
    prototxt = folder / "step.prototxt"
    prototxt.write_text(to_text(param))
    net = caffe.Net(str(prototxt), caffe.TRAIN)
    rates = []
    for _ in range(3):
        start = time.perf_counter()
        net.forward()
        net.backward()
        rates.append(batch / (time.perf_counter() - start))
    return max(rates)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lmdb", type=Path)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--batches", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lmdb = args.lmdb or make_lmdb(folder)
        data_rate = train_rate = None
        print("layer          augmentation  threads  busy  images/s  times Data")
        for layer, what, kind, transform, threads, phase in SETTINGS:
            prototxt = folder / "net.prototxt"
            prototxt.write_text(f"""
layer {{ name: 'data' type: '{kind}' top: 'data' top: 'label'
  transform_param {{ {transform} }}
  data_param {{ source: '{lmdb}' backend: LMDB batch_size: {args.batch} }}
  augmented_data_param {{ threads: {threads} shuffle: true }} }}""")
            rate, busy = measure(prototxt, phase, args)
            data_rate = data_rate or rate
            train_rate = rate if phase == "TRAIN" else train_rate
            print(f"{layer:<14} {what:<13} {threads:>7} {busy:>5.2f} "
                  f"{rate:>9.0f} {rate / data_rate:>11.2f}", flush=True)
        step = training_step(folder)
        print(f"A training step of SKNet-50 on the CPU takes {step:.1f} images/s: SENet's "
              f"augmentation on 2 threads gives {train_rate / step:.0f} times as many.")


if __name__ == "__main__":
    main()
