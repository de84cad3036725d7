"""Measure a classifier's top-1 and top-5 error.

The centre of each image is classified or, with --crops 10, the corners and the
centre of the resized image and their mirror images (Caffe's oversampling);
probabilities are averaged. Preprocessing is as in `sknet classify`: --size 320 makes
a named model for 320 pixels, whose images' shorter sides are 320 * 256 / 224 = 366
unless --shorter-side says otherwise.

ImageNet's classes have two orders, the devkit's and WordNet's: a net's error is
near 100% with labels of the other. SENet's models have the devkit's, and likely
SKNet's. Labels in lists, LMDBs and sorted folders usually have WordNet's; --labels
DEVKIT puts them in the devkit's.

While it works, the predictions of each image stand in a file, a JSON object a line.
The same command after a kill or Ctrl-C goes on from there. Without --predictions
its name is the model's and a number, in the current folder, and it is removed at the
end, unless images could not be read. The result does not depend on --batch-size,
--threads, --ray or --processes (probabilities may, in their last digits, on
--batch-size, on the machine, and on OMP_NUM_THREADS, which is 1 in Ray's workers).
The last digits depend on --engine and --gpu, too: a file is gone on with by the one
it is of, on a CPU or a GPU as it began.
"""
import json
import os
import sys
from pathlib import Path

from sknet.commands.arguments import (add_dataset, add_engine, add_model,
                                      add_preprocessing, add_shards, add_weights,
                                      preprocessing)
from sknet.commands.journaled import complete
from sknet.errors import InputError
from sknet.evaluation.views import CROPS, Views

EXAMPLE = ("sknet evaluate sknet50 ILSVRC2012_img_val --labels ILSVRC2012_devkit_t12 "
           "--weights sknet50.caffemodel")


def add_arguments(parser):
    add_model(parser)
    add_dataset(parser)
    add_weights(parser)
    add_engine(parser)
    parser.add_argument("--crops", type=int, choices=CROPS, default=1,
                        help="of each image (default: %(default)s)")
    parser.add_argument("--flip", action="store_true",
                        help="the mirror image of the one crop, too")
    parser.add_argument("--json", action="store_true",
                        help="one JSON object instead of the table")
    parser.add_argument("--csv", metavar="FILE",
                        help="write each class's images and errors")
    parser.add_argument("--confusion", metavar="FILE",
                        help="draw which classes are taken for which (png, pdf, svg)")
    parser.add_argument("--predictions", metavar="FILE",
                        help="keep each image's predictions, and go on from them "
                        "(JSON lines)")
    parser.add_argument("--force", action="store_true",
                        help="overwrite files that are there, and start anew")
    add_preprocessing(parser)
    add_shards(parser)


def run(args):
    from sknet.data.loading import batches
    from sknet.evaluation.confusion import draw
    from sknet.evaluation.report import Report, write_csv
    from sknet.evaluation.scoring import kept
    from sknet.figures import check_name
    from sknet.files import refuse_overwriting
    from sknet.journal import Journal
    if args.confusion:
        check_name(args.confusion)
    scorer = _scorer(args)
    path = args.predictions or _default_name(args, scorer)
    if not os.path.exists(path):
        # Else a run that was cut off may have written them; see below.
        for output in filter(None, (args.csv, args.confusion)):
            refuse_overwriting(output, args.force)
    todo = batches(len(scorer.dataset), args.batch_size)
    with Journal.opened(path, "predictions of `sknet evaluate`", scorer.identity(), todo,
                        kept, args.force) as predictions:
        complete(args, scorer, predictions)
    if not predictions.results:
        raise InputError(f"{args.dataset}: none of its images could be read")
    classifier = scorer.classifier
    report = Report.of(predictions.results.values(), classifier.num_classes)
    names = scorer.dataset.classes or classifier.labels
    if args.csv:
        write_csv(args.csv, report, names, args.force)
    if args.confusion:
        draw(args.confusion, report.confusion(), names, args.force)
    summary = _summary(args, scorer, report, predictions)
    # Before the predictions are gone.
    print(json.dumps(summary, indent=2) if args.json else _table(summary), flush=True)
    if summary["near_chance"]:
        print(f"sknet evaluate: {_CHANCE}", file=sys.stderr)
    if predictions.errors:
        print(f"sknet evaluate: {len(predictions.errors)} of {len(scorer.dataset)} "
              f"images could not be read; {predictions.path} keeps the others' "
              "predictions", file=sys.stderr)
        return 1
    if not args.predictions:
        Path(predictions.path).unlink()
    return 0


_CHANCE = ("this is what guesses would give. The likely cause: the labels are in "
           "another order than the net's classes; for ImageNet try --label-order "
           "devkit or wordnet with --labels DEVKIT")


def _scorer(args):
    from sknet.classifier import Classifier
    from sknet.data.datasets import open_dataset
    from sknet.evaluation.scoring import Scorer, check_label
    if args.flip and args.crops == 10:
        raise InputError("--flip: the ten crops have the mirror images already")
    if args.gpu is not None and args.ray:
        raise InputError("--gpu: not with --ray, whose workers compute on CPUs")
    dataset = open_dataset(args.dataset, args.labels, args.root, args.label_order)
    classifier = Classifier(args.model, args.weights, args.trust_prototxt, args.engine,
                            min(args.batch_size, len(dataset)), args.gpu,
                            **preprocessing(args))
    for index, label in enumerate(dataset.labels or ()):
        check_label(label, dataset.name(index), classifier.num_classes)
    views = Views(classifier.preprocessing, args.crops, args.flip)
    return Scorer(classifier, dataset, views, args.threads)


def _default_name(args, scorer):
    """Of a file in the current folder, another for each evaluation."""
    import hashlib
    text = json.dumps(scorer.identity())
    return f"{Path(args.model).stem}-{hashlib.sha256(text.encode()).hexdigest()[:8]}" \
        ".jsonl"


def _summary(args, scorer, report, predictions):
    views = scorer.views
    return dict(
        model=args.model, weights=scorer.classifier.weights,
        engine=scorer.classifier.engine, dataset=args.dataset,
        images=len(report.ranks), classes=report.num_classes,
        shorter_side=views.preprocessing.shorter_side, crop=views.preprocessing.crop,
        crops=views.crops, flip=views.flip,
        top1_error=report.error(1), top5_error=report.error(5),
        near_chance=report.near_chance(),
        unreadable=[dict(name=name, error=error) for _, (name, error)
                    in sorted(predictions.errors.items())])


def _table(summary):
    crops = "10 crops" if summary["crops"] == 10 else "1 crop"
    if summary["flip"]:
        crops += " and its mirror image"
    return "\n".join([
        f"{summary['model']} ({summary['weights']})",
        f"{summary['dataset']}: {crops} of {summary['crop']} pixels, shorter side "
        f"{summary['shorter_side'] or 'as it is'}",
        "  images  classes  top-1 error  top-5 error",
        f"  {summary['images']:>6}  {summary['classes']:>7}  "
        f"{summary['top1_error']:>11.2%}  {summary['top5_error']:>11.2%}"])
