"""Write a net's inner values of images to a file.

As Caffe's extract_features, from the same datasets as `sknet evaluate`. FILE gets an
array for each blob, images x its shape in float32, in the order of the dataset; an
array `labels`; and the images' `names`. The rows of images that could not be read
are NaN. An npz is kept in memory until it is written, an HDF5 is not.
"""
import sys

from sknet.commands.arguments import (add_dataset, add_model, add_preprocessing,
                                      add_shards, add_weights, preprocessing)

EXAMPLE = "sknet extract sknet_digits images --blob avepool/7x7 -o features.npz"


def add_arguments(parser):
    add_model(parser)
    add_dataset(parser)
    add_weights(parser)
    parser.add_argument("--blob", required=True, action="append", metavar="NAME",
                        help="of the net; may be given more than once")
    parser.add_argument("-o", "--output", required=True, metavar="FILE",
                        help="whose name ends in .npz or .h5")
    parser.add_argument("--force", action="store_true",
                        help="overwrite a file that is there")
    add_preprocessing(parser)
    add_shards(parser)


def run(args):
    from sknet.classifier import Classifier
    from sknet.data.datasets import open_dataset
    from sknet.features import Extractor, check_name, writing
    from sknet.files import refuse_overwriting
    check_name(args.output)
    refuse_overwriting(args.output, args.force)
    dataset = open_dataset(args.dataset, args.labels, args.root, args.label_order)
    classifier = Classifier(args.model, args.weights, args.trust_prototxt,
                            **preprocessing(args))
    extractor = Extractor(classifier, dataset, tuple(args.blob), args.threads)
    names = [dataset.name(index) for index in range(len(dataset))]
    with writing(args.output, names, extractor.shapes()) as arrays:
        unreadable = _fill(args, extractor, arrays)
    for name, array in extractor.shapes().items():
        print(f"{args.output}: {name}: {'x'.join(map(str, (len(names), *array)))}")
    return 1 if unreadable else 0


def _fill(args, extractor, arrays):
    """Compute the arrays; return the number of images that could not be read."""
    from sknet.data.loading import batches
    from sknet.progress import progress
    from sknet.sharding import run as run_sharded
    unreadable, total = 0, len(extractor.dataset)
    with progress(total, "image") as bar:
        for batch, (blobs, labels, errors) in run_sharded(
                extractor, batches(total, args.batch_size), args.ray, args.processes):
            for name, values in {**blobs, "labels": labels}.items():
                arrays[name][batch.start:batch.stop] = values
            for error in errors:
                bar.write(f"sknet extract: {error}; skipped", file=sys.stderr)
            unreadable += len(errors)
            bar.update(len(batch))
    return unreadable
