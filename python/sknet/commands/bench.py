"""Time a model in this Caffe, compiled, and in other engines, on this CPU.

Installs nothing: engines whose packages are missing are named and left out, as are
such as fail. Each is a process of its own, and waits while another works. All get the
same weights and images; first their outputs are compared. Then they take turns, in
another order each round: a pass that does not count, and as many as fit 0.3 seconds,
two at least. Told are the median and the least of all, the speed against the fastest
other engine, the share of the peak that NumPy's matrix product reaches here, the most
memory that the process had, Python's with it, and the seconds from the engine's import
to its first output.

Engines: caffe (the plain net), compiled (caffe.compile), openvino, onnxruntime,
torch (through onnx2torch), opencv (its dnn module); and in bf16 compiled-bf16 and
openvino-bf16, whose speed is set against each other. tools/bench_requirements.txt has
the packages.
"""
import json
import os
import tempfile

from sknet.commands.arguments import add_weights, positive
from sknet.commands.tables import aligned
from sknet.errors import InputError

EXAMPLE = "sknet bench sknet50 --batch 1,8 --plot bench.png"
OWN = ("caffe", "compiled", "compiled-bf16")


def batches(text):
    return [positive(part) for part in text.split(",")]


def add_arguments(parser):
    parser.add_argument("model", metavar="MODEL|DEPLOY",
                        help="a model's name (see `sknet models`) or a deploy "
                        "net's prototxt")
    add_weights(parser)
    parser.add_argument("--size", type=positive, metavar="PIXELS",
                        help="height and width of the images (default: the net's)")
    parser.add_argument("--batch", type=batches, default=[1, 8], metavar="N,N",
                        help="images a pass (default: 1,8)")
    parser.add_argument("--engines", type=lambda text: text.split(","),
                        metavar="NAME,NAME", help="default: all; in bf16 where the "
                        "processor has instructions for it")
    parser.add_argument("--threads", type=positive, metavar="N",
                        default=len(os.sched_getaffinity(0)),
                        help="of each engine (default: the processors, %(default)s)")
    parser.add_argument("--seconds", type=positive, default=20, metavar="N",
                        help="for each batch, about (default: %(default)s)")
    parser.add_argument("--neighbours", type=positive, default=0, metavar="N",
                        help="run N processes beside, each of which keeps a processor "
                        "busy: a machine that is shared")
    parser.add_argument("--explain", action="store_true",
                        help="the compiled net's steps, too, each with its time")
    parser.add_argument("--json", action="store_true",
                        help="one JSON object instead of tables")
    parser.add_argument("--plot", metavar="FILE",
                        help="draw the throughputs (png, pdf, svg)")


def run(args):
    # What the processes that are measured read.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(args.threads)
    from sknet.bench.engines import ENGINES
    from sknet.bench.report import has_bf16
    from sknet.bench.source import Source
    from sknet.deploy import to_deploy
    from sknet.figures import check_name
    from sknet.source import read_source
    names = args.engines or [name for name, engine in ENGINES.items()
                             if engine.precision == "f32" or has_bf16()]
    for name in names:
        if name not in ENGINES:
            raise InputError(f"--engines: no {name}; there are {', '.join(ENGINES)}")
    if args.plot:
        check_name(args.plot)
    param = to_deploy(read_source(args.model, args.size, 1), args.model)
    with tempfile.TemporaryDirectory() as folder:
        source = Source(param, args.weights, folder)
        result = _bench(args, source, names)
    if args.plot:
        from sknet.bench.chart import draw
        draw(args.plot, result)
    print(json.dumps(result, indent=2) if args.json
          else "\n\n".join("\n".join(part) for part in _tables(result)))
    return 0


def _bench(args, source, names):
    from sknet.bench.measure import matmul_peak, measure
    from sknet.bench.report import machine, versions
    from sknet.bench.worker import alone, neighbours
    from sknet.profile import profile
    from sknet.progress import progress
    result = dict(model=args.model, threads=args.threads,
                  neighbours=args.neighbours, machine=machine(),
                  gflop=2e-9 * profile(source.param, source=args.model).total("macs"),
                  versions=versions(names), peak_gflops=alone(matmul_peak), batches=[])
    if args.explain:
        result["steps"] = _steps(args, source, names)
    for batch in args.batch:
        with progress(args.seconds, "s") as bar, neighbours(args.neighbours):
            result["batches"].append(measure(
                source, names, batch, args.threads, args.seconds,
                lambda seconds: bar.update(round(seconds, 1))))
    result["peak_gflops"] = max(result["peak_gflops"], alone(matmul_peak))
    return result


def _steps(args, source, names):
    from sknet.bench.engines import explain
    from sknet.bench.measure import random_images
    from sknet.bench.worker import alone
    float_too = "compiled" in names or "compiled-bf16" not in names
    try:
        return alone(explain, source.deploy, random_images(source, args.batch[0]),
                     args.threads, "f32" if float_too else "bf16")
    except ImportError as error:
        raise InputError(f"--explain: {error}") from error


def _tables(result):
    yield [f"{result['model']}: {result['gflop']:.2f} GFLOP an image, "
           f"{result['threads']} threads, {result['machine']}"
           + (f", beside {result['neighbours']} busy processes"
              if result["neighbours"] else ""),
           f"peak of NumPy's matrix product: {result['peak_gflops']:.0f} GFLOP/s"]
    for part in result["batches"]:
        yield list(_table(result, part))
    if "steps" in result:
        yield aligned([("step", "by", "ms", "GFLOP/s", "layers"), *(
            (step["kind"], step["implementation"], f"{step['ms']:.3f}",
             f"{step['gflops']:.0f}" if step["gflops"] else "-",
             ", ".join(step["layers"][:2]) + (
                 f" and {len(step['layers']) - 2} more"
                 if len(step["layers"]) > 2 else ""))
            for step in result["steps"])], "<<>><")


def _table(result, part):
    from sknet.bench.engines import ENGINES
    best = {}  # of each precision
    for name, ms in part["ms"].items():
        if name not in OWN:
            precision = ENGINES[name].precision
            best[precision] = min(ms, best.get(precision, ms))
    rows = [(f"batch {part['batch']}", "median ms", "least", "speed", "of peak",
             "peak MiB", "start s")]
    for name, ms in sorted(part["ms"].items(), key=lambda item: item[1]):
        speed = part["batch"] * result["gflop"] / (ms * 1e-3)
        least = best.get(ENGINES[name].precision)
        rows.append((f"{name} {result['versions'].get(name, '')}".strip(),
                     f"{ms:.1f}", f"{part['least_ms'][name]:.1f}",
                     f"{least / ms:.2f}x" if least else "-",
                     f"{speed / result['peak_gflops']:.0%}",
                     f"{part['peak_mib'][name]:.0f}", f"{part['start_s'][name]:.1f}"))
    yield from aligned(rows, "<>>>>>>")
    passes = part["passes"].values()
    yield (f"medians of {min(passes)} to {max(passes)} passes in {part['rounds']} "
           "rounds" + ("; speed against the fastest other engine" if best else ""))
    for name, why in part["missing"].items():
        yield f"not here: {name} ({why})"
