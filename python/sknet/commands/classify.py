"""Classify images.

The preprocessing is the named model's, else that of SENet's released models,
which is likely SKNet's too (its authors do not state it): blue, green, red in
0-255, minus 104, 117, 123, not scaled; shorter side 256, the centre 224.

Labels: a list has a line a class, in the order of the net's outputs. SENet's
released models, and likely SKNet's, number ImageNet's classes as the devkit
does: give its meta.mat, not Caffe's synset_words.txt, which has another order.
"""
import json
import sys

from sknet.commands.arguments import (add_engine, add_preprocessing, add_trust,
                                      add_weights, positive, preprocessing)
from sknet.data.labels import ORDERS, read_labels
from sknet.data.preprocessing import read_image
from sknet.errors import InputError

EXAMPLE = ("sknet classify --model sknet50 --weights sknet50.caffemodel "
           "--labels meta.mat cat.jpg dog.jpg")


def add_arguments(parser):
    parser.add_argument("images", nargs="+", metavar="IMAGE")
    parser.add_argument("--model", required=True, metavar="NAME|DEPLOY",
                        help="a model's name (see `sknet models`) or a deploy "
                        "net's prototxt")
    add_trust(parser)
    add_weights(parser)
    add_engine(parser)
    parser.add_argument("--labels", metavar="FILE",
                        help="a list, or an ImageNet devkit's meta.mat")
    parser.add_argument("--label-order", choices=ORDERS,
                        help="of meta.mat: by ILSVRC2012_ID (default) or by "
                        "WordNet id")
    parser.add_argument("--top", type=positive, default=5, metavar="K",
                        help="classes shown of each image (default: %(default)s)")
    parser.add_argument("--batch-size", type=positive, default=8, metavar="N",
                        help="images a pass (default: %(default)s)")
    parser.add_argument("--json", action="store_true",
                        help="one JSON object instead of tables")
    parser.add_argument("--picture", metavar="FILE",
                        help="draw images, predictions and the attention of SK "
                        "units' branches (png, pdf, svg; the first "
                        "24 images), which the engine caffe has")
    add_preprocessing(parser)


def run(args):
    from sknet.classifier import Classifier
    from sknet.figures import check_name
    from sknet.picture import Picture
    if args.picture:
        check_name(args.picture)
        if args.engine not in (None, "caffe"):
            raise InputError("--picture: needs --engine caffe, which has the values of "
                             "inner layers")
    labels = args.labels and read_labels(args.labels, args.label_order)
    if args.label_order and not args.labels:
        raise InputError("--label-order: needs --labels meta.mat")
    classifier = Classifier(args.model, args.weights, args.trust_prototxt,
                            "caffe" if args.picture else args.engine,
                            min(args.batch_size, len(args.images)), args.gpu,
                            **preprocessing(args))
    if labels is None:
        labels = classifier.labels
    elif len(labels) != classifier.num_classes:
        raise InputError(f"{args.labels}: {len(labels)} labels; {args.model} has "
                         f"{classifier.num_classes} classes")
    if classifier.ignored:
        print(f"sknet classify: {classifier.weights}: not in the net, so not "
              f"used: {', '.join(classifier.ignored)}", file=sys.stderr)
    sketch = Picture(classifier.param) if args.picture else None
    results, unreadable = _classify(args, classifier, labels, sketch)
    if args.json:
        print(json.dumps(dict(model=args.model, weights=classifier.weights,
                              engine=classifier.engine, images=results,
                              unreadable=unreadable), indent=2))
    if sketch and results:
        sketch.save(args.picture)
    return 1 if unreadable else 0


def _classify(args, classifier, labels, sketch):
    """Return (results, unreadable), JSON's lists, and print what they say."""
    from tqdm import tqdm
    results, unreadable, batch = [], [], []

    def flush():
        """Classify the images gathered in `batch`."""
        if not batch:
            return
        probabilities = classifier(
            [classifier.preprocessing(image) for _, image in batch])
        for number, (path, image) in enumerate(batch):
            ranked = probabilities[number].argsort(kind="stable")[::-1][:args.top]
            result = dict(file=path, predictions=[
                {"class": int(index),
                 "label": labels[index] if labels else None,
                 "probability": float(probabilities[number, index])}
                for index in ranked])
            results.append(result)
            if not args.json:
                bar.write(_table(result), end="")
            if sketch:
                sketch.add(classifier.preprocessing.frame(image), result,
                           classifier.net, number)
        batch.clear()

    # Without a terminal there is no bar to draw.
    with tqdm(args.images, unit="image", disable=None) as bar:
        for path in bar:
            try:
                image = read_image(path)
                classifier.preprocessing.frame(image)
            except InputError as error:
                reason = str(error)
                unreadable.append(dict(file=path, error=reason))
                bar.write(f"sknet classify: {reason}; skipped", file=sys.stderr)
                continue
            batch.append((path, image))
            if len(batch) == args.batch_size:
                flush()
        flush()
    return results, unreadable


def _table(result):
    rows = [f"  {rank:>4}  {row['probability']:11.4f}  {row['class']:>5}  "
            f"{row['label'] or ''}".rstrip()
            for rank, row in enumerate(result["predictions"], 1)]
    head = "  rank  probability  class  label"
    return "\n".join([result["file"], head, *rows]) + "\n"
