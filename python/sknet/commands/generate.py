"""Write a model's prototxt."""
import shlex
import sys
from pathlib import Path

from sknet.commands.arguments import positive
from sknet.files import replacing

EXAMPLE = "sknet generate sknet50 --kind deploy --size 320 -o deploy.prototxt"


def add_arguments(parser):
    parser.add_argument("model", metavar="MODEL", help="see `sknet models`")
    parser.add_argument("--kind", default="deploy",
                        choices=("train_val", "deploy", "solver", "released"),
                        help="the file; released: what the authors published "
                        "(default: %(default)s)")
    parser.add_argument("--num-classes", type=positive, metavar="N",
                        help="outputs of the classifier (default: the model's)")
    parser.add_argument("--size", type=positive, metavar="PIXELS",
                        help="height and width of the input (default: the model's)")
    parser.add_argument("--batch", type=positive, metavar="N",
                        help="images a pass (default: 1 in deploy; in train_val "
                        "the model's, for training)")
    parser.add_argument("-o", "--output", metavar="FILE", type=Path,
                        help="default: standard output")


def run(args):
    text = generate(args.model, args.kind, num_classes=args.num_classes,
                    size=args.size, batch=args.batch)
    if args.output is None:
        sys.stdout.write(text)
    else:
        with replacing(args.output) as name:
            Path(name).write_text(text, encoding="utf-8")
    return 0


def generate(model, kind, num_classes=None, size=None, batch=None):
    """Return the file's text; arguments and errors are models.create's."""
    from sknet.models import create
    from sknet.text import to_text
    options = dict(num_classes=num_classes, size=size, batch=batch)
    command = ["sknet", "generate", model, "--kind", kind]
    for option, value in options.items():
        if value is not None:
            command += [f"--{option.replace('_', '-')}", str(value)]
    return to_text(create(model, kind, **options), shlex.join(command))
