"""Fetch a model's published weights, and check that they fit it.

A download that broke off goes on where it was. The SHA-256 of a model's first file
is written to a lock file (~/.local/share/sknet/weights.lock.json, or below
XDG_DATA_HOME), and later ones must have it. Prints where the file is.
"""
import sys

EXAMPLE = "sknet fetch sknet50"


def add_arguments(parser):
    parser.add_argument("model", metavar="MODEL", help="see `sknet models`")
    parser.add_argument("--from", dest="source", metavar="FILE|URL",
                        help="default: where the authors published it. Not read "
                        "where a file with the recorded hash is there already, "
                        "unless --force")
    parser.add_argument("-o", "--output", metavar="FILE",
                        help="default: MODEL.caffemodel in ~/.cache/sknet (or below "
                        "XDG_CACHE_HOME)")
    parser.add_argument("--force", action="store_true",
                        help="fetch again, and overwrite what is there")


def run(args):
    from sknet.weights.fetch import fetch
    path, bn = fetch(args.model, args.source, args.output, args.force)
    if bn != "cudnn":
        print(f"sknet fetch: {path}: fits what `sknet generate {args.model} "
              f"--bn {bn}` makes", file=sys.stderr)
    print(path)
    return 0
