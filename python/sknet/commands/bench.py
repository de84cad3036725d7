"""Time a model in this Caffe, compiled, and in other engines, on this CPU or a GPU.

Installs nothing: engines whose packages are missing are named and left out, as are
such as fail. Each is a process of its own, and waits while another works. All get the
same weights and images; first their outputs are compared. Then they take turns, in
another order each round: a pass that does not count, and as many as fit 0.3 seconds,
two at least. Told are the median and the least of all, the speed against the fastest
other engine, the share of the peak that a product of large matrices reaches here in
float, the most memory that the process had, Python's with it, and the seconds from the
engine's import to its first output.

Engines: caffe (the plain net), compiled (caffe.compile), openvino, onnxruntime,
torch (its own layers, eager), opencv (its dnn module); and in bf16 compiled-bf16 and
openvino-bf16, whose speed is set against each other. tools/bench_requirements.txt has
the packages.

With --gpu they are caffe, compiled and torch: compiled-tf32, -f16, -bf16; torch-tf32,
-f16, -bf16, -amp-f16 and -amp-bf16 (autocast), channels_last, with cuDNN's benchmark,
and torch-compile with the same ends, which has CUDA graphs (reduce-overhead) and takes
a minute or so to begin. PyTorch's net has batch norm as layers of their own. Images are
in the GPU's memory beforehand, for PyTorch as numbers and in the order that it takes;
outputs are copied to the host. Without --engines all run. GPU MiB is what the GPU gets
back when the process ends. Speeds are set against the fastest torch of the precision.
"""
import json
import os
import tempfile

from sknet.commands.arguments import add_gpu, add_weights, positive
from sknet.commands.tables import aligned
from sknet.errors import InputError

EXAMPLE = "sknet bench sknet50 --batch 1,8 --plot bench.png"


def batches(text):
    return [positive(part) for part in text.split(",")]


def add_arguments(parser):
    parser.add_argument("model", metavar="MODEL|DEPLOY",
                        help="a model's name (see `sknet models`) or a deploy "
                        "net's prototxt")
    add_weights(parser)
    parser.add_argument("--size", type=positive, metavar="PIXELS",
                        help="height and width of the images (default: the net's)")
    add_gpu(parser)
    parser.add_argument("--batch", type=batches, default=[1, 8], metavar="N,N",
                        help="images a pass (default: 1,8)")
    parser.add_argument("--engines", type=lambda text: text.split(","),
                        metavar="NAME,NAME", help="default: all; on the CPU in bf16 "
                        "where it has instructions for it")
    parser.add_argument("--threads", type=positive, metavar="N",
                        help="of each engine (default: as many as processors, or as a "
                        "container's quota allows)")
    parser.add_argument("--seconds", type=positive, default=20, metavar="N",
                        help="for each batch, about (default: %(default)s)")
    parser.add_argument("--neighbours", type=positive, default=0, metavar="N",
                        help="run N processes beside, each of which keeps a processor "
                        "busy: a machine that is shared")
    parser.add_argument("--explain", action="store_true",
                        help="the steps of the compiled nets, too, each with its time")
    parser.add_argument("--json", action="store_true",
                        help="one JSON object instead of tables")
    parser.add_argument("--plot", metavar="FILE",
                        help="draw the throughputs (png, pdf, svg)")


def run(args):
    policy = os.environ.get("OMP_WAIT_POLICY")
    from sknet.pycaffe import caffe
    if policy is None:  # what Caffe set for itself; other engines have their own way
        os.environ.pop("OMP_WAIT_POLICY", None)
    if args.threads is None:
        args.threads = caffe.environment.processors()
    # What the processes that are measured read.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(args.threads)
    from sknet.bench.source import Source
    from sknet.deploy import to_deploy
    from sknet.figures import check_name
    from sknet.source import read_source
    engines = _engines(args)
    if args.plot:
        check_name(args.plot)
    param = to_deploy(read_source(args.model, args.size, 1), args.model)
    with tempfile.TemporaryDirectory() as folder:
        source = Source(param, args.weights, folder)
        result = _bench(args, source, engines)
    if args.json:
        print(json.dumps(result, indent=2))
    if args.plot:
        from sknet.bench.chart import draw
        draw(args.plot, result)
    return 0


def _engines(args):
    """Those to run, {name: Engine}."""
    from sknet.bench import engines, gpu_engines
    from sknet.bench.report import has_bf16
    from sknet.bench.worker import alone
    there = engines.ENGINES
    if args.gpu is not None:
        from sknet.engine import use_gpu
        # As nvidia-smi numbers them.
        os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
        alone(use_gpu, args.gpu)
        there = gpu_engines.ENGINES
    for name in args.engines or ():
        if name not in there:
            raise InputError(f"--engines: no {name}; there are {', '.join(there)}")
    if args.engines:
        return {name: there[name] for name in args.engines}
    return {name: engine for name, engine in there.items() if args.gpu is not None
            or engine.precision == "f32" or has_bf16()}


def _bench(args, source, engines):
    """The results, whose tables are printed, but for --json, as soon as they stand."""
    from sknet.bench import nvidia_smi
    from sknet.bench.measure import product_peak, measure
    from sknet.bench.report import machine, versions
    from sknet.bench.worker import alone, neighbours
    from sknet.profile import profile
    from sknet.progress import progress
    on_gpu = args.gpu is not None
    place = dict(gpu=args.gpu, machine=nvidia_smi.describe(args.gpu)) if on_gpu else \
        dict(threads=args.threads, machine=machine(), peak_gflops=0)
    used_mib = (lambda: nvidia_smi.used_mib(args.gpu)) if on_gpu else None
    result = dict(model=args.model, neighbours=args.neighbours, **place,
                  gflop=2e-9 * profile(source.param, source=args.model).total("macs"),
                  versions=versions(engines), batches=[])

    def tell(*lines):
        if not args.json:
            print(*lines, sep="\n", flush=True)
    tell(_heading(result))
    if args.explain:
        result["steps"] = _steps(args, source, engines)
    for batch in args.batch:
        if not on_gpu:
            result["peak_gflops"] = max(result["peak_gflops"], alone(product_peak))
        with progress(args.seconds, "second") as bar, neighbours(args.neighbours):
            part = measure(
                source, engines, batch, args.gpu if on_gpu else args.threads,
                args.seconds, lambda seconds: bar.update(
                    min(round(seconds), args.seconds) - bar.n), used_mib)
        result["batches"].append(part)
        tell("", *_table(result, part, engines))
    for name, steps in result.get("steps", {}).items():
        tell("", *_steps_table(name, steps))
    return result


def _steps(args, source, engines):
    """{name: steps} of the compiled ones."""
    from sknet.bench import engines as on_cpu, gpu_engines
    from sknet.bench.measure import random_images
    from sknet.bench.worker import alone
    explain, place = (on_cpu.explain, args.threads) if args.gpu is None else \
        (gpu_engines.explain, args.gpu)
    images = random_images(source, args.batch[0])
    try:
        return {name: alone(explain, source.deploy, images, place, engine.precision)
                for name, engine in engines.items() if name.startswith("compiled")}
    except ImportError as error:
        raise InputError(f"--explain: {error}") from error


def _heading(result):
    from sknet.bench.report import place
    return (f"{result['model']}: {result['gflop']:.2f} GFLOP an image, {place(result)}"
            + (f", beside {result['neighbours']} busy processes"
               if result["neighbours"] else ""))


def _table(result, part, engines):
    best = {}  # of each precision
    for name, ms in part["ms"].items():
        if not engines[name].own:
            precision = engines[name].precision
            best[precision] = min(ms, best.get(precision, ms))
    on_gpu = "gpu_mib" in part
    head = "images/s" if on_gpu else "of peak"
    rows = [(f"batch {part['batch']}", "median ms", "least", "speed", head, "peak MiB",
             *(["GPU MiB"] if on_gpu else []), "start s")]
    digits = 3 if on_gpu else 1
    for name, ms in sorted(part["ms"].items(), key=lambda item: item[1]):
        images = part["batch"] * 1e3 / ms
        least = best.get(engines[name].precision)
        rows.append((f"{name} {result['versions'].get(name, '')}".strip(),
                     f"{ms:.{digits}f}", f"{part['least_ms'][name]:.{digits}f}",
                     f"{least / ms:.2f}x" if least else "-",
                     f"{images:.0f}" if on_gpu
                     else f"{images * result['gflop'] / result['peak_gflops']:.0%}",
                     f"{part['peak_mib'][name]:.0f}",
                     *([_known(part["gpu_mib"][name])] if on_gpu else []),
                     f"{part['start_s'][name]:.1f}"))
    yield from aligned(rows, "<" + ">" * (len(rows[0]) - 1))
    passes = part["passes"].values()
    yield (f"medians of {min(passes)} to {max(passes)} passes in {part['rounds']} "
           "rounds" + ("; speed against the fastest other engine" if best else "")
           + ("" if on_gpu else f"; of a peak of {result['peak_gflops']:.0f} GFLOP/s"))
    for name, why in part["missing"].items():
        yield f"not here: {name} ({why})"


def _steps_table(name, steps):
    return aligned([(name, "by", "ms", "GFLOP/s", "layers"), *(
        (step["kind"], step["implementation"], f"{step['ms']:.3f}",
         f"{step['gflops']:.0f}" if step["gflops"] else "-",
         ", ".join(step["layers"][:2]) + (f" and {len(step['layers']) - 2} more"
                                          if len(step["layers"]) > 2 else ""))
        for step in steps)], "<<>><")


def _known(number):
    return "-" if number is None else str(number)
