"""Tell what is in a file of weights, and which model it is of.

Of each blob: shape, type of number, and mean, standard deviation, smallest and
largest of the finite values. A layer that cannot be right is marked with !, one
that is only odd with ?.
"""
import json
from pathlib import Path

from sknet.commands.tables import aligned

EXAMPLE = "sknet inspect sknet50.caffemodel"
_SHOWN = 10  # of a model's differences, in text


def add_arguments(parser):
    parser.add_argument("file", metavar="FILE",
                        help="caffemodel, HDF5, npz or safetensors")
    parser.add_argument("--diff", metavar="FILE2",
                        help="show only what differs between FILE and this one")
    parser.add_argument("--json", action="store_true",
                        help="one JSON object instead of tables")


def run(args):
    from sknet.weights import files
    weights = files.read(args.file)
    if args.diff:
        result = _difference(args, weights, files.read(args.diff))
        text = _difference_text
    else:
        result = _content(args.file, weights)
        text = _content_text
    print(json.dumps(result, indent=2) if args.json else "\n".join(text(result)))
    return 0


def _content(path, weights):
    """What JSON tells of a file."""
    from sknet.files import digest
    from sknet.weights import files
    from sknet.weights.identify import identify
    from sknet.weights.statistics import flaws, statistics
    match = identify(weights)
    layers = []
    for name, layer in weights.layers.items():
        # Not every format tells the types.
        kind = layer.type or (match.wanted[name].type if match
                              and name in match.wanted else "")
        wrong, odd = flaws(kind, layer.blobs)
        layers.append(dict(
            name=name, type=kind, wrong=wrong, odd=odd,
            blobs=[dict(shape=blob.shape, dtype=blob.data.dtype.name,
                        legacy=blob.legacy, **vars(statistics(blob.data)))
                   for blob in layer.blobs]))
    return dict(file=path, format=files.format_name(path),
                bytes=Path(path).stat().st_size, sha256=digest(path),
                name=weights.name,
                values=sum(blob.data.size for layer in weights.layers.values()
                           for blob in layer.blobs),
                model=match and dict(
                    name=match.model, bn=match.bn, net=match.net(),
                    exact=match.exact,
                    share=match.share, missing=match.fit.missing,
                    clashes=match.fit.problems()[len(match.fit.missing):],
                    unused=match.fit.unused),
                layers=layers)


def _content_text(content):
    yield f"file    {content['file']}"
    yield f"format  {content['format']}, {content['bytes']:,} bytes"
    yield f"sha256  {content['sha256']}"
    yield f"net     {content['name'] or '(no name)'}: {len(content['layers'])} " \
        f"layers, {content['values']:,} values"
    yield from _model_text(content["model"])
    yield ""
    rows = [("layer", "type", "blob", "number", "mean", "std", "min", "max")]
    for layer in content["layers"]:
        for index, blob in enumerate(layer["blobs"]):
            numbers = [blob[key] for key in ("mean", "std", "min", "max")]
            rows.append(("" if index else layer["name"],
                         "" if index else layer["type"],
                         "x".join(map(str, blob["shape"])) or "1", blob["dtype"],
                         *("-" if number is None else f"{number:.4g}"
                           for number in numbers)))
        rows += [(f"  ! {line}",) for line in layer["wrong"]]
        rows += [(f"  ? {line}",) for line in layer["odd"]]
    yield from aligned(rows, "<<<<>>>>")


def _model_text(model):
    if model is None:
        yield "model   none that is known here"
        return
    if model["exact"]:
        yield f"model   {model['net']}"
        return
    yield f"model   none that is known here; {model['net']} is nearest, with " \
        f"{model['share']:.0%} of the blobs:"
    lines = [*model["clashes"],
             *(f"layer {name}: not in the file" for name in model["missing"]),
             *(f"layer {name}: not in the model" for name in model["unused"])]
    for line in lines[:_SHOWN]:
        yield f"        {line}"
    if len(lines) > _SHOWN:
        yield f"        and {len(lines) - _SHOWN} more (--json has all)"


def _difference(args, first, second):
    """What JSON tells of two files."""
    from sknet.weights.difference import differences
    blobs, only_first, only_second = differences(first, second)
    return dict(first=args.file, second=args.diff, only_first=only_first,
                only_second=only_second, blobs=list(map(vars, blobs)))


def _difference_text(difference):
    for side in ("first", "second"):
        for name in difference[f"only_{side}"]:
            yield f"only in {difference[side]}: {name}"
    blobs = difference["blobs"]
    if blobs:
        yield from aligned(
            [("blob", "values", "max abs", "relative"),
             *((f"{blob['layer']}/{blob['index']}", *_apart(blob))
               for blob in blobs)], "<>>>")
    elif not difference["only_first"] and not difference["only_second"]:
        yield "the same weights"


def _apart(blob):
    if blob["shapes"]:
        return " and ".join(blob["shapes"]),
    if blob["max_abs"] is None:
        return f"{blob['values']:,}", "NaN or infinite"
    return (f"{blob['values']:,}", f"{blob['max_abs']:.3g}",
            "-" if blob["relative"] is None else f"{blob['relative']:.3g}")
