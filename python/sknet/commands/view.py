"""Show a net layer by layer in netron, in the browser.

Ctrl-C ends it. Needs the package netron.
"""
import logging
import tempfile
from pathlib import Path

from sknet.commands.arguments import positive
from sknet.errors import InputError

EXAMPLE = "sknet view sknet_digits"


def add_arguments(parser):
    parser.add_argument("model", metavar="MODEL|PROTOTXT",
                        help="a model's name (see `sknet models`) or a file")
    parser.add_argument("--port", type=positive, metavar="N",
                        help="of the page's address (default: a free one)")
    parser.add_argument("--no-browser", action="store_true",
                        help="only serve the page, do not open it")


def run(args):
    from sknet.source import read_source
    from sknet.text import to_text
    net = read_source(args.model)
    try:
        import netron
    except ImportError as error:
        raise InputError("viewing needs the package netron: pip install netron") \
            from error
    # It would announce the file, whose name is of no use to the user.
    logging.getLogger("netron").setLevel(logging.WARNING)
    # netron serves all of the file's folder, so this one has nothing else.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"{Path(args.model).stem}.prototxt")
        path.write_text(to_text(net), encoding="utf-8")
        try:
            host, port = netron.start(str(path), ("localhost", args.port),
                                      browse=not args.no_browser)
        except (OSError, OverflowError) as error:
            raise InputError(f"--port {args.port}: {error}") from error
        print(f"{args.model}: http://{host}:{port} (Ctrl-C ends it)", flush=True)
        netron.wait()
    return 0
