"""Fold batch norm into the convolutions before it.

Writes PREFIX.prototxt, a deploy net, and PREFIX.caffemodel, its weights, of the
same function: no layer for training, batch norm in the weights of convolutions
or, where none feeds it, as Scale.

Both nets are run on the images, or on random ones. Shown is the largest
difference of their results (of a Softmax, of its scores) relative to the largest
value; where it is above 1e-4, nothing is written.
"""
import shlex

EXAMPLE = ("sknet fold sknet50 --weights sknet50.caffemodel -o sknet50_folded "
           "--images *.jpg")
ALLOWED = 1e-4


def add_arguments(parser):
    parser.add_argument("model", metavar="MODEL|PROTOTXT",
                        help="a model's name (see `sknet models`) or a file, of a "
                        "deploy net or one for training")
    parser.add_argument("--weights", metavar="FILE",
                        help="caffemodel, HDF5, npz or safetensors (default: what "
                        "comes with the model)")
    parser.add_argument("-o", "--output", metavar="PREFIX", required=True,
                        help="what both files' names begin with")
    parser.add_argument("--images", nargs="+", metavar="IMAGE",
                        help="classified by both nets, if they take images "
                        "(default: random values)")
    parser.add_argument("--force", action="store_true",
                        help="overwrite files that are there")


def run(args):
    from sknet.deploy import to_deploy
    from sknet.errors import InputError
    from sknet.fold import fold
    from sknet.source import read_source
    from sknet.weights.fit import slots
    from sknet.weights.pair import paths, read_weights, writing
    from sknet.weights.verify import check
    weights, path = read_weights(args.model, args.weights)
    net = to_deploy(read_source(args.model), args.model)
    check(weights, slots(net), path)
    folded, values = fold(net, weights)
    given = ["--weights", args.weights] if args.weights else []
    command = shlex.join(["sknet", "fold", args.model, *given, "-o", args.output])
    with writing(args.output, folded, values, command, args.force) as model:
        deviation = _deviation(args, path, net, folded, model)
        if not deviation <= ALLOWED:
            raise InputError(f"{args.model}: folded, its results differ by "
                             f"{deviation:.1e} of the largest; expected at most "
                             f"{ALLOWED:.0e}")
    print(f"{', '.join(paths(args.output))}: {len(net.layer)} layers are now "
          f"{len(folded.layer)}; largest deviation {deviation:.1e}")
    return 0


def _deviation(args, weights, net, folded, folded_weights):
    """The largest difference of two nets' results, relative to the largest."""
    import numpy as np
    from sknet.classifier import Classifier
    from sknet.data.preprocessing import read_image
    from sknet.net import load
    if args.images:
        classifier = Classifier(args.model, weights)
        original = classifier.net
        inputs = [[classifier.preprocessing(read_image(path))[None]]
                  for path in args.images]
    else:
        original, _ = load(net, weights)
        random = np.random.default_rng(0)
        # As large as pixels minus their mean.
        inputs = [[random.normal(0, 60, original.blobs[name].data.shape)
                   for name in original.inputs]]
    changed, _ = load(folded, folded_weights)
    largest, differences = [], []
    for values in inputs:
        for blob, other in zip(_results(net, original, values),
                               _results(folded, changed, values)):
            # Infinite values have no difference.
            with np.errstate(invalid="ignore"):
                differences.append(abs(blob - other).max())
            largest.append(abs(blob).max())
    # NumPy's maximum, unlike Python's, tells of values that are none.
    return np.max(differences) / np.max(largest)


def _results(param, net, values):
    """What a caffe.Net of a NetParameter computes of its inputs' values: its
    outputs or, where Softmax gives them, the scores."""
    for name, value in zip(net.inputs, values):
        net.blobs[name].reshape(*value.shape)
        net.blobs[name].data[...] = value
    net.forward()
    makers = {top: layer for layer in param.layer for top in layer.top}
    names = [makers[name].bottom[0] if makers[name].type == "Softmax" else name
             for name in net.outputs]
    return [net.blobs[name].data.copy() for name in names]
