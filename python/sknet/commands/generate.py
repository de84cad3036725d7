"""Write a model's prototxt."""
import shlex
import sys
from dataclasses import fields
from pathlib import Path

from sknet.commands.arguments import positive
from sknet.files import refuse_overwriting, replacing

EXAMPLE = "sknet generate sknet50 --kind deploy --size 320 -o deploy.prototxt"


def add_arguments(parser):
    parser.add_argument("model", metavar="MODEL", help="see `sknet models`")
    parser.add_argument("--kind", default="deploy",
                        choices=("train_val", "deploy", "solver", "released"),
                        help="the file; released: what the authors published "
                        "(default: %(default)s)")
    parser.add_argument("-o", "--output", metavar="FILE", type=Path,
                        help="default: standard output")
    parser.add_argument("--force", action="store_true",
                        help="overwrite a file that is there")
    add_options(parser)


def add_options(parser):
    """Add arguments with the names of Options' fields."""
    net = parser.add_argument_group("nets (deploy, train_val)")
    net.add_argument("--batch", type=positive, metavar="N",
                     help="images a pass (default: 1 in deploy; in train_val the "
                     "model's, for training); in a solver, that of its train_val, "
                     "which sets iter_size")
    net.add_argument("--size", type=positive, metavar="PIXELS",
                     help="height and width of the input (default: the model's)")
    net.add_argument("--channels", type=positive, metavar="N",
                     help="of the input (default: 3)")
    net.add_argument("--num-classes", type=positive, metavar="N",
                     help="outputs of the classifier (default: the model's)")
    net.add_argument("--global-pool", action="store_true",
                     help="pool globally at the end, so that the input may be "
                     "reshaped; sizes other than the published one always do")
    net.add_argument("--bn", default="cudnn", choices=("cudnn", "caffe"),
                     help="CuDNNBatchNorm, or BVLC's BatchNorm and Scale "
                     "(default: %(default)s)")
    net.add_argument("--frozen-bn", action="store_true",
                     help="normalise with the stored statistics, and leave batch "
                     "norm's scale and bias as they are")
    net.add_argument("--layers", default="sknet", choices=("sknet", "stock"),
                     help="stock: none that BVLC's Caffe lacks "
                     "(default: %(default)s)")
    net.add_argument("--lr-mult-backbone", type=float, metavar="X",
                     help="fine-tuning: multiply the learning rates of all layers "
                     "but the classifier, which gets a new name")
    selection = parser.add_argument_group("selective kernels (SKNets)")
    selection.add_argument("--branches", metavar="KERNELS",
                           help="2 or more to select from, such as "
                           "3x3,3x3d2,7x7g128: g: groups, d: dilation, dw: "
                           "depthwise")
    selection.add_argument("--groups", type=positive, metavar="G",
                           help="of branches that name none")
    selection.add_argument("--reduction", type=positive, metavar="R",
                           help="of the fused features, by at most")
    selection.add_argument("--min-width", type=positive, metavar="L",
                           help="of the reduced features, at least")
    training = parser.add_argument_group("training (train_val, solver)")
    training.add_argument("--label-smoothing", type=float, default=0.0, metavar="X",
                          help="share of the target that is spread over all classes "
                          "(train_val; default: %(default)s)")
    training.add_argument("--augment", choices=("senet",),
                          help="AugmentedData in place of Data: senet: as SENet's "
                          "README says, and images that need not be as large as "
                          "the crop (train_val)")
    training.add_argument("--recipe", choices=("sknet", "senet"),
                          help="whose learning rates and epochs (solver; default: "
                          "the model's)")


def run(args):
    from sknet.models.options import Options
    if args.output:
        refuse_overwriting(args.output, args.force)
    options = {field.name: getattr(args, field.name) for field in fields(Options)}
    text = generate(args.model, args.kind, **options)
    if args.output is None:
        sys.stdout.write(text)
    else:
        with replacing(args.output) as name:
            Path(name).write_text(text, encoding="utf-8")
    return 0


def generate(model, kind, **options):
    """Return the file's text; arguments and errors are models.create's."""
    from sknet.models import create
    from sknet.models.options import Options
    from sknet.text import to_text
    command = ["sknet", "generate", model, "--kind", kind]
    for name, value in Options(**options).given().items():
        command.append(f"--{name.replace('_', '-')}")
        if value is not True:
            command.append(str(value))
    return to_text(create(model, kind, **options), shlex.join(command))
