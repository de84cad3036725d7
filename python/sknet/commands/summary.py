"""Show what a net is and costs: layers, parameters, multiply-adds, memory.

Of each layer: what it gives, learnable parameters (batch norm's statistics are
not), multiply-adds for one image, and the receptive field, in pixels of the
input. By --macs, counted are:

  conv_fc  multiply-adds of convolutions and fully connected layers
  table2   and one for each value that Scale and Axpy give: SKNet's published table
  all      and one for each value that any other layer computes
"""
import json

from sknet.commands.arguments import positive
from sknet.commands.tables import aligned

EXAMPLE = "sknet summary sknet50 --size 320 --plot sknet50.svg"


def add_arguments(parser):
    parser.add_argument("model", metavar="MODEL|PROTOTXT",
                        help="a model's name (see `sknet models`) or a file")
    parser.add_argument("--size", type=positive, metavar="PIXELS",
                        help="height and width of the input (default: the net's)")
    parser.add_argument("--batch", type=positive, metavar="N",
                        help="images a pass (default: the net's)")
    parser.add_argument("--macs", metavar="RULE", default="conv_fc",
                        choices=("conv_fc", "table2", "all"),
                        help="what is counted, see above (default: %(default)s)")
    parser.add_argument("--plot", metavar="FILE",
                        help="draw the net's units (svg, png, pdf)")
    parser.add_argument("--json", action="store_true",
                        help="one JSON object instead of tables")


def run(args):
    from sknet.profile import profile
    from sknet.source import read_source
    net = read_source(args.model, args.size, args.batch)
    result = profile(net, args.macs, source=args.model)
    if args.plot is not None:
        from sknet.diagram import save
        save(net, args.plot, f"{result.name or args.model}: "
             f"{_rounded(result.total('params'))} parameters, "
             f"{_rounded(result.total('macs'))} multiply-adds", source=args.model)
    if args.json:
        print(json.dumps(_as_json(result, args), indent=2))
    else:
        print("\n\n".join(map("\n".join, _tables(result, args))))
    return 0


def _as_json(result, args):
    return dict(
        model=args.model, name=result.name, batch=result.batch,
        params=result.total("params"),
        params_with_stats=result.total("params_with_stats"),
        macs=result.total("macs"), macs_rule=args.macs,
        activations=result.total("activations"),
        layers=[vars(layer) for layer in result.layers],
        sk_units=[dict(name=unit, branches=[vars(branch) for branch in branches])
                  for unit, branches in result.units.items()])


def _tables(result, args):
    """The parts of what is shown, as lines."""
    yield aligned([
        ("layer", "type", "output", "params", "macs", "field"),
        *((layer.name, layer.type, ", ".join(map(_by, layer.shapes)),
          _number(layer.params), _number(layer.macs),
          _field(layer)) for layer in result.layers)], "<<<>>>")
    params, stats, macs, memory = map(result.total, (
        "params", "params_with_stats", "macs", "activations"))
    yield aligned([
        ("parameters", f"{params:,}", f"{stats:,} with batch norms' statistics"),
        ("multiply-adds", f"{macs:,}", f"for one image, counted as {args.macs}"),
        ("activations", f"{memory:,}", f"bytes, for {result.batch} "
         f"image{'s' if result.batch > 1 else ''}, forward")], "<><")
    if result.units:
        yield aligned([
            ("SK unit", "branch", "kernel", "field"),
            *(("" if index else unit, branch.name.removeprefix(f"{unit}/"),
               _by((branch.kernel,) * 2), _by(branch.receptive_field))
              for unit, branches in result.units.items()
              for index, branch in enumerate(branches))], "<<>>")


def _rounded(value):
    """Three digits: 27.5 M."""
    for size, name in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= size:
            return f"{value / size:.3g}{name}"
    return str(value)


def _number(value):
    return f"{value:,}" if value else "-"


def _field(layer):
    if layer.receptive_field:
        return _by(layer.receptive_field)
    return "all"


def _by(sizes):
    return "x".join(map(str, sizes)) or "1"
