"""Measure which kernels a net's SK units attend to, as objects grow.

Each image is classified at several scales: at 2x the central half of its height and
width is enlarged to all of the net's input, as in the paper (section 4.3 of
arXiv 1903.06586). Images of a labelled dataset are told by class, too. In FOLDER:

  attention.csv  each image's attention to each branch of each unit, at each scale:
                 the softmax over the branches, mean over the channels
  means.csv      its means over all images and over each class; of the difference,
                 the attention of the largest kernel minus that of the smallest; and
                 of the change, each image's difference minus its at the first scale
  by_scale.png   the difference of --units, over all images
  by_class.png   the difference of --units, for each class
  panels.png     with --panels: single images, their attention and channels
  measured.jsonl what a run that was cut off goes on from

Of more than two kernels the difference is the mean kernel's size, counted from -1, the
smallest, to 1, the largest. Standard errors are those of the mean over the images.
"""
import argparse
import json
import sys
from pathlib import Path

from sknet.commands.arguments import (add_dataset, add_model, add_preprocessing,
                                      add_shards, add_weights, positive,
                                      preprocessing)
from sknet.commands.journaled import complete
from sknet.commands.tables import aligned
from sknet.errors import InputError

EXAMPLE = ("sknet attention sknet50 val/ --weights sknet50.caffemodel --panels 4 "
           "-o attention")


def add_arguments(parser):
    add_model(parser)
    add_dataset(parser, nargs="+", more="; or images, of no class")
    parser.add_argument("-o", "--output", type=Path, metavar="FOLDER", required=True,
                        help="where the files go; a run that was cut off goes on there")
    add_weights(parser)
    parser.add_argument("--scales", type=_scales, default="1,1.5,2", metavar="X,Y",
                        help="how large objects are shown (default: %(default)s)")
    parser.add_argument("--units", type=lambda text: text.split(","), metavar="X,Y",
                        help="drawn units (default: the last of each stage; for each "
                        "class, of the first, middle and last stage)")
    parser.add_argument("--panels", type=positive, default=0, metavar="N",
                        help="images shown in panels.png, evenly spaced in the data")
    parser.add_argument("--format", choices=("png", "pdf", "svg"), default="png",
                        help="of the figures (default: %(default)s)")
    parser.add_argument("--json", action="store_true",
                        help="one JSON object, of all means, instead of a table")
    parser.add_argument("--force", action="store_true",
                        help="overwrite another run's files")
    add_shards(parser)
    add_preprocessing(parser)


def run(args):
    from sknet.attention import units
    from sknet.attention.means import means
    from sknet.attention.measure import Attention, Measurer
    from sknet.classifier import Classifier
    dataset = _dataset(args)
    classifier = Classifier(args.model, args.weights, args.trust_prototxt,
                            **preprocessing(args))
    if classifier.ignored:
        print(f"sknet attention: {classifier.weights}: not in the net, so not used: "
              f"{', '.join(classifier.ignored)}", file=sys.stderr)
    found = units(classifier.param)
    try:
        measurer = Measurer(classifier, dataset, found, args.scales, args.threads)
    except InputError as error:
        raise InputError(f"{args.model}: {error}") from error
    drawn = _chosen(args, found)
    journal = _measured(args, measurer)
    if not journal.results:
        raise InputError(f"{args.dataset[0]}: none of its {len(dataset)} images can be "
                         "read")
    indices = sorted(journal.results)
    attention = Attention(found, args.scales,
                          [journal.results[index] for index in indices])
    results = means(attention)
    classes = dataset.classes or classifier.labels
    _write(args, attention, results, classes)
    _draw(args, measurer, results, classes, drawn, indices)
    if args.json:
        print(json.dumps(_as_json(args, measurer, results, classes, journal), indent=2))
    else:
        print("\n".join(_table(found, args.scales, results)))
    return 1 if journal.errors else 0


def _scales(text):
    try:
        scales = tuple(float(part) for part in text.split(","))
    except ValueError:
        scales = ()
    if not scales or len(set(scales)) < len(scales) or not all(
            0 < scale <= 100 for scale in scales):
        raise argparse.ArgumentTypeError(f"{text!r} is not like 1,1.5,2")
    return scales


def _dataset(args):
    from sknet.data.datasets import SUFFIXES, ImageFiles, open_dataset
    first = Path(args.dataset[0])
    if len(args.dataset) == 1 and first.suffix.lower() not in SUFFIXES:
        return open_dataset(first, args.labels, args.root, args.label_order)
    return ImageFiles("", args.dataset, [None] * len(args.dataset))


def _chosen(args, units):
    """Return the units of by_scale and those of by_class."""
    from sknet.attention.charts import default_class_units, default_units
    if args.units is None:
        return default_units(units), default_class_units(units)
    known = {unit.name: unit for unit in units}
    for name in args.units:
        if name not in known:
            raise InputError(f"--units: {args.model} has no SK unit {name}; it has "
                             f"{', '.join(known)}")
    chosen = [known[name] for name in args.units]
    return chosen, chosen


def _measured(args, measurer):
    """Return the Journal of all images, measured now or before."""
    from sknet.attention.measure import kept
    from sknet.data.loading import batches
    from sknet.files import refuse_overwriting
    from sknet.journal import Journal
    path = args.output / "measured.jsonl"
    if not path.exists():
        for name in ("attention.csv", "means.csv", *_figures(args).values()):
            refuse_overwriting(args.output / name, args.force)
    args.output.mkdir(parents=True, exist_ok=True)
    todo = batches(len(measurer.dataset), args.batch_size)
    with Journal.opened(path, "measured by `sknet attention`", measurer.identity(),
                        todo, kept, args.force) as journal:
        complete(args, measurer, journal)
    return journal


def _figures(args):
    """{kind: file's name}"""
    kinds = ["by_scale", "by_class", *["panels"] * bool(args.panels)]
    return {kind: f"{kind}.{args.format}" for kind in kinds}


def _write(args, attention, results, classes):
    from sknet.attention.tables import write_attention, write_means
    from sknet.files import replacing
    with replacing(args.output / "attention.csv") as name:
        write_attention(name, attention, classes)
    with replacing(args.output / "means.csv") as name:
        write_means(name, results, classes)


def _draw(args, measurer, results, classes, drawn, indices):
    from sknet.attention import charts, panels
    from sknet.attention.tables import class_name
    from sknet.figures import save
    dataset, scales = measurer.dataset, measurer.scales
    for_all, for_classes = drawn
    files = {kind: args.output / name for kind, name in _figures(args).items()}
    save(charts.by_scale(results, for_all, scales), files["by_scale"])
    names = {row.label: class_name(classes, row.label) or str(row.label)
             for row in results if row.label is not None}
    if names:
        save(charts.by_class(results, for_classes, scales, names), files["by_class"])
    if args.panels:
        count = min(args.panels, len(indices))
        shown = [panels.panel(measurer.classifier, dataset.image(index),
                              "\n".join(Path(dataset.name(index)).parts[-2:]),
                              measurer.units, scales)
                 for index in indices[::len(indices) // count][:count]]
        save(panels.draw(shown, for_all, for_classes, scales), files["panels"])


def _as_json(args, measurer, results, classes, journal):
    from sknet.attention.tables import class_name
    return dict(
        model=args.model, weights=measurer.classifier.weights, dataset=args.dataset,
        images=len(journal.results), scales=measurer.scales,
        units=[dict(name=unit.name, branches=unit.short_names, kernels=unit.kernels)
               for unit in measurer.units],
        means=[{"unit": row.unit, "class": row.label,
                "label": class_name(classes, row.label), "scale": row.scale,
                "value": row.value, "n": row.n, "mean": row.mean,
                "standard_error": row.standard_error} for row in results],
        unreadable=[dict(name=name, error=error)
                    for _, (name, error) in sorted(journal.errors.items())])


def _table(units, scales, results):
    """The means over all images, as lines."""
    found = {(row.unit, row.scale, row.value): row for row in results
             if row.label is None}
    yield from aligned([
        ("unit", "scale", "difference", "", "change", ""),
        *((unit.name, f"{scale:g}x",
           *_with_error(found[unit.name, scale, "difference"]),
           *_with_error(found.get((unit.name, scale, "change"))))
          for unit in units for scale in scales)], "<>><><")
    yield f"{results[0].n} images; ± the standard error"


def _with_error(row):
    if row is None:
        return "", ""
    error = row.standard_error
    return f"{row.mean:+.4f}", "" if error is None else f"± {error:.4f}"
