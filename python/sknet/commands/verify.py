"""Tell whether weights fit a net, and what does not.

Every blob of the net's layers must come from the file, with the right shape,
without NaN, and running variances above 0. The exit status is 1 if not.
"""
import json

EXAMPLE = "sknet verify sknet50 sknet50.caffemodel"


def add_arguments(parser):
    parser.add_argument("model", metavar="MODEL|PROTOTXT",
                        help="a model's name (see `sknet models`) or a file")
    parser.add_argument("weights", metavar="FILE",
                        help="caffemodel, HDF5, npz or safetensors")
    parser.add_argument("--bn", choices=("cudnn", "caffe"), default="cudnn",
                        help="caffe: take the net with BVLC's BatchNorm and Scale "
                        "for CuDNNBatchNorm")
    parser.add_argument("--json", action="store_true",
                        help="one JSON object instead of text")


def run(args):
    from sknet.lowering import to_batch_norm_and_scale
    from sknet.source import read_source
    from sknet.weights import files
    from sknet.weights.fit import slots
    from sknet.weights.verify import verify
    net = read_source(args.model)
    if args.bn == "caffe":
        net, _ = to_batch_norm_and_scale(net)
    wanted = slots(net, source=args.model)
    report = verify(files.read(args.weights), wanted)
    if args.json:
        print(json.dumps(dict(model=args.model, bn=args.bn, weights=args.weights,
                              fits=not report.problems, **vars(report)), indent=2))
    else:
        print("\n".join(_text(args, wanted, report)))
    return 1 if report.problems else 0


def _text(args, wanted, report):
    blobs = sum(len(slot.shapes) for slot in wanted.values())
    counts = f"{len(wanted)} layers, {blobs} blobs"
    if report.problems:
        yield f"{args.weights}: does not fit {args.model} ({counts})"
    else:
        yield f"{args.weights}: fits {args.model} ({counts})"
    for problem in report.problems:
        yield f"  {problem}"
    for odd in report.odd:
        yield f"  odd, but harmless: {odd}"
    if report.unused:
        yield f"  left over in the file: {', '.join(report.unused)}"
    for cause in report.causes:
        yield f"likely cause: {cause}"
