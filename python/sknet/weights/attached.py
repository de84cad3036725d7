"""A net and its weights as one list, where both are rewritten together."""
from dataclasses import dataclass, field

from sknet.errors import InputError
from sknet.proto import caffe_pb2
from sknet.weights.blobs import Blob, Layer, Weights
from sknet.weights.fit import compare, slots


@dataclass
class WeightedLayer:
    """A LayerParameter and its Blobs, in Caffe's order."""
    param: caffe_pb2.LayerParameter
    blobs: list = field(default_factory=list)


def new_layer(name, kind, bottoms, top, like, blobs=(), **fields):
    """Return a WeightedLayer in the same phases as the LayerParameter `like`.

    fields: other ones of its LayerParameter.
    """
    param = caffe_pb2.LayerParameter(name=name, type=kind, bottom=bottoms,
                                     top=[top], **fields)
    param.include.extend(like.include)
    param.exclude.extend(like.exclude)
    return WeightedLayer(param, list(blobs))


def attach(net, weights=None):
    """Return the WeightedLayers of a NetParameter, in order; the parameters are
    copies.

    weights: Weights that fill the net, of which blobs that layers share under a
        name may be there once; None leaves all layers without.

    Raises InputError if a layer in the TEST phase has none, or others than it
    needs.
    """
    layers = []
    for param in net.layer:
        layers.append(WeightedLayer(caffe_pb2.LayerParameter()))
        layers[-1].param.CopyFrom(param)
    if weights is None:
        return layers
    stored, shared = weights.layers, {}
    for layer in layers:
        layer.blobs = stored[layer.param.name].blobs[:] \
            if layer.param.name in stored else []
        # As in Caffe, which reads them into the same memory, the last one wins.
        shared.update((name, blob) for name, blob in zip(
            _shared_names(layer.param), layer.blobs) if name)
    for layer in layers:
        for index, name in enumerate(_shared_names(layer.param)):
            if name in shared:
                layer.blobs[index:index + 1] = [shared[name]]
    wanted = slots(net)
    problems = compare(_weights(net, layers), wanted).problems()
    if problems:
        raise InputError(problems[0])
    for layer in layers:
        if layer.param.name in wanted:
            layer.blobs = [Blob(blob.data.reshape(shape)) for blob, shape in zip(
                layer.blobs, wanted[layer.param.name].shapes)]
    return layers


def detach(net, layers):
    """Return (NetParameter, Weights) of WeightedLayers; the fields around the
    layers are those of `net`."""
    changed = caffe_pb2.NetParameter()
    changed.CopyFrom(net)
    del changed.layer[:]
    changed.layer.extend(layer.param for layer in layers)
    return changed, _weights(net, layers)


def _weights(net, layers):
    return Weights(net.name, {
        layer.param.name: Layer(layer.param.type, layer.blobs)
        for layer in layers if layer.blobs})


def _shared_names(param):
    """Of each blob, the name under which others share it, if it has one."""
    return [spec.name for spec in param.param]
