"""The command sknet: one verb a module in sknet.commands.

Exit status: 0 success, 1 bad input (one line on standard error; a traceback
with --debug), 2 wrong usage.
"""
import argparse
import os
import sys

from sknet.commands import (attention, bench, classify, convert, evaluate, extract,
                            fetch, fold, generate, inspect, models, summary, train,
                            verify, view)
from sknet.errors import InputError
from sknet.files import FULL

VERBS = {"models": models, "generate": generate, "summary": summary, "view": view,
         "classify": classify, "evaluate": evaluate, "attention": attention,
         "extract": extract, "train": train, "inspect": inspect, "verify": verify,
         "fold": fold, "convert": convert, "fetch": fetch, "bench": bench}


def main(argv=None):
    """Run the command with the arguments `argv`; return the exit status."""
    args = parser().parse_args(argv)
    # Caffe reports every layer that it sets up; only errors are of interest.
    os.environ.setdefault("GLOG_minloglevel", "2")
    if sys.stdout is None:
        print(f"sknet {args.verb}: standard output is closed", file=sys.stderr)
        return 1
    try:
        status = args.run(args)
        sys.stdout.flush()
        return status
    # Packages that few verbs need are imported late, and may be missing.
    except (InputError, ModuleNotFoundError) as error:
        if args.debug:
            raise
        print(f"sknet {args.verb}: {error}", file=sys.stderr)
        return 1
    except RuntimeError as error:
        if args.debug or not _is_caffes(error):
            raise
        print(f"sknet {args.verb}: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader has seen enough.
        _drop_output()
        return 1
    except OSError as error:
        if args.debug:
            raise
        _drop_output()
        if error.errno in FULL and not error.filename:
            # Of a file, it has been told (sknet.files).
            error = f"standard output: {error.strerror}"
        print(f"sknet {args.verb}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _is_caffes(error):
    """Whether Caffe raised it; most verbs run without importing that."""
    return isinstance(error, getattr(sys.modules.get("caffe"), "Error", ()))


def _drop_output():
    """Python would complain at exit that it cannot write what is left."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def parser():
    parser = argparse.ArgumentParser(
        prog="sknet", description="Models, weights and images for Caffe.")
    debug = dict(action="store_true", help="show the traceback of an error")
    parser.add_argument("--debug", **debug)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for name, module in VERBS.items():
        about, _, more = module.__doc__.partition("\n")
        verb = verbs.add_parser(
            name, help=about,
            description=f"{about}\n{more}".rstrip(),
            epilog=f"example:\n  {module.EXAMPLE}",
            formatter_class=argparse.RawDescriptionHelpFormatter)
        module.add_arguments(verb)
        # After the verb too, where its absence must not undo it before.
        verb.add_argument("--debug", default=argparse.SUPPRESS, **debug)
        verb.set_defaults(run=module.run)
    return parser
