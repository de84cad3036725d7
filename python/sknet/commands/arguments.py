"""Arguments that several verbs take, and their types."""
import argparse
import math

from sknet.data.labels import ORDERS
from sknet.data.preprocessing import CHANNELS


def positive(text):
    """A whole number above 0 that an int of C++ holds."""
    return _int_from(1, text)


def not_negative(text):
    """A whole number from 0 up that an int of C++ holds."""
    return _int_from(0, text)


def _int_from(least, text):
    number = int(text)
    if not least <= number < 2 ** 31:
        raise argparse.ArgumentTypeError(f"{number} is not in {least} to 2^31 - 1")
    return number


def channel_values(text):
    """Comma-separated numbers as a tuple of floats."""
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        values = ()
    if not values or not all(map(math.isfinite, values)):
        raise argparse.ArgumentTypeError(f"{text!r} is not like 104,117,123")
    return values


def add_model(parser):
    """Add what sknet.classifier.Classifier takes first."""
    parser.add_argument("model", metavar="MODEL|DEPLOY",
                        help="a model's name (see `sknet models`) or a deploy "
                        "net's prototxt")
    add_trust(parser)


def add_trust(parser, others="computes"):
    """Add the switch that lets a prototxt's layers do anything; `others` tells what
    they may without it."""
    parser.add_argument("--trust-prototxt", action="store_true",
                        help="allow its layers anything, as Python's to run any "
                        f"code (default: what {others}; docs/threat_model.md)")


def add_weights(parser):
    """Add the file that it takes next."""
    parser.add_argument("--weights", metavar="FILE",
                        help="caffemodel, HDF5, npz or safetensors (default: what "
                        "comes with the named model)")


def add_engine(parser):
    """Add the engine that it takes (sknet.engine), and where that computes."""
    parser.add_argument("--engine", choices=("compiled", "compiled-tf32", "compiled-f16",
                                             "compiled-bf16", "caffe"),
                        help="the net compiled, in float or, on the CPU, in bf16, on "
                        "GPUs in tf32, f16 or bf16; or Caffe's layers one by one "
                        "(default: compiled, if oneDNN is installed and the CPU has "
                        "AVX2)")
    add_gpu(parser)


def add_gpu(parser):
    """Add the GPU that it computes on."""
    parser.add_argument("--gpu", type=not_negative, metavar="N",
                        help="a GPU's number (default: the CPU)")


def add_preprocessing(parser):
    """Add the settings of sknet.data.preprocessing.Preprocessing."""
    settings = parser.add_argument_group("preprocessing")
    settings.add_argument("--mean", type=channel_values, metavar="B,G,R",
                          help="subtracted from the channels, in their order")
    settings.add_argument("--scale", type=float, metavar="X",
                          help="multiplies the pixels, after the mean")
    settings.add_argument("--channels", choices=CHANNELS,
                          help="the order of the input's channels")
    settings.add_argument("--shorter-side", type=int, metavar="PIXELS",
                          help="images are resized to it; 0: not at all (default: "
                          "as much larger than the crop as the model's)")
    settings.add_argument("--crop", "--size", type=positive, metavar="PIXELS",
                          help="the centre that is cut out; a named model is "
                          "generated for it")


def preprocessing(args):
    """Return the settings that were given, as Classifier takes them."""
    given = {name: getattr(args, name) for name in
             ("mean", "scale", "channels", "shorter_side", "crop")}
    return {name: value for name, value in given.items() if value is not None}


def add_dataset(parser, nargs=None, more=""):
    """Add what sknet.data.datasets.open_dataset takes; `more` ends the help."""
    parser.add_argument("dataset", metavar="DATASET", nargs=nargs,
                        help="a folder with a folder of images for each class; a "
                        "list, PATH LABEL a line; an LMDB; or a folder of images, "
                        "such as ImageNet's for validation, whose labels --labels has" + more)
    parser.add_argument("--labels", metavar="FILE",
                        help="the classes' names in the net's order, or an ImageNet "
                        "devkit (its folder or meta.mat); of a folder of images "
                        "without classes: a list (Caffe's val.txt), a devkit, or "
                        "ILSVRC2012_validation_ground_truth.txt")
    parser.add_argument("--label-order", choices=ORDERS,
                        help="the net's order of ImageNet's classes (default: "
                        "devkit with a devkit, else the labels' own, which is "
                        "wordnet but for the devkit's)")
    parser.add_argument("--root", metavar="FOLDER",
                        help="that a list's paths are relative to (default: the "
                        "current one, or the list's)")


def add_shards(parser):
    """Add how the images are spread over threads and processes."""
    work = parser.add_argument_group("work")
    work.add_argument("--batch-size", type=positive, default=8, metavar="N",
                      help="images a pass (default: %(default)s)")
    work.add_argument("--threads", type=not_negative, default=2, metavar="N",
                      help="that load images while the net computes; 0: none "
                      "(default: %(default)s)")
    work.add_argument("--ray", metavar="ADDRESS",
                      help="spread the images over a Ray cluster (HOST:PORT, auto), "
                      "or over processes of this machine (local); needs the package "
                      "ray")
    work.add_argument("--processes", type=positive, metavar="N",
                      help="over Ray (default: as many as it has cores)")
