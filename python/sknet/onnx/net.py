"""From a deploy net and its weights to an ONNX model."""
import json
from dataclasses import dataclass

from onnx import TensorProto, helper

from sknet.errors import InputError
from sknet.onnx.graph import Graph, Layer
from sknet.onnx.rules import rule_of
from sknet.proto import caffe_pb2
from sknet.shapes import shaped_layers, upgrade_inputs
from sknet.weights.attached import attach

# The oldest that says all that is needed, with the file version of its time:
# runtimes read older ones than they know.
OPSET, IR_VERSION = 17, 8


@dataclass(frozen=True)
class _Varied:
    """A LayerParameter with its bottoms' and tops' shapes, in which None is a
    size that varies; `dims` are the tops' with the names of those that do."""
    param: caffe_pb2.LayerParameter
    bottoms: tuple
    tops: tuple
    dims: tuple


def export(net, weights, preprocessing=None, labels=None, dynamic_size=False):
    """Return a deploy NetParameter with its Weights as an onnx.ModelProto.

    Values have the blobs' names. Where layers work in place, the blob's name is
    the last value's (an input's, the first), and others are BLOB@LAYER. The batch
    is dynamic: its size is named `batch`.

    preprocessing: a Preprocessing, kept in the metadata `preprocessing` as JSON:
        channels, mean, scale, size (height and width in pixels), shorter_side.
    labels: the classes' names, kept in the metadata `labels` as JSON.
    dynamic_size: whether images may have another `height` and `width`, too.

    Raises InputError if a layer has no equal in ONNX or is bound to a batch or,
    with dynamic_size, a size; or if the weights do not fit the net.
    """
    net = _copy(net)
    blobs = {layer.param.name: [blob.data for blob in layer.blobs]
             for layer in attach(net, weights)}
    layers = _varied_layers(net, dynamic_size)
    graph = Graph(top for layer in layers for top in layer.param.top)
    inputs, current, dims = [], {}, {}
    for varied, tops in zip(layers, _value_names(layers)):
        param = varied.param
        if param.type == "Input":
            inputs += tops
        else:
            layer = Layer(graph, param, varied.bottoms, varied.tops,
                          blobs[param.name])
            layer.finish(_results(layer, [current[blob] for blob in param.bottom]),
                         tops)
        current.update(zip(param.top, tops))
        dims.update(zip(tops, varied.dims))
    outputs = [current[blob] for blob in _unread(layers)]
    infos = {name: helper.make_tensor_value_info(name, TensorProto.FLOAT, sizes)
             for name, sizes in dims.items()}
    model = helper.make_model(
        helper.make_graph(
            graph.nodes, net.name or "net", [infos.pop(name) for name in inputs],
            [infos.pop(name) for name in outputs], graph.initializers,
            value_info=list(infos.values())),
        opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION,
        producer_name="sknet")
    helper.set_model_props(model, _metadata(preprocessing, labels))
    return model


def _copy(net):
    copy = caffe_pb2.NetParameter()
    copy.CopyFrom(net)
    upgrade_inputs(copy)
    return copy


def _varied_layers(net, dynamic_size):
    """The net's layers, with what stays of their shapes when the batch, or the
    images' height and width too, are doubled."""
    batch = _check_inputs(net, dynamic_size)
    larger = _copy(net)
    for layer in larger.layer:
        for shape in layer.input_param.shape:
            for axis in (0, 2, 3) if dynamic_size else (0,):
                shape.dim[axis] *= 2
    before = shaped_layers(net)
    try:
        after = shaped_layers(larger)
    except InputError as error:
        raise InputError(f"{error}; expected a net for any "
                         + ("size" if dynamic_size else "batch")) from error
    layers = []
    for one, other in zip(before, after):
        if one.blobs != other.blobs:
            raise InputError(
                f"layer {one.param.name} ({one.param.type}): its weights fit "
                + ("images of one size only; expected a global pool before it "
                   "(--global-pool)" if dynamic_size else "one batch only"))
        tops = _varied(one.tops, other.tops)
        names = "batch", None, "height", "width"
        layers.append(_Varied(
            one.param, _varied(one.bottoms, other.bottoms), tops,
            [[names[axis] if size is None and (
                one.param.type == "Input" or axis == 0 and full[0] == batch)
              else size for axis, size in enumerate(shape)]
             for shape, full in zip(tops, one.tops)]))
    return layers


def _varied(shapes, others):
    """Shapes with None where they differ from the others."""
    return tuple(tuple(size if size == other else None
                       for size, other in zip(*pair))
                 for pair in zip(shapes, others))


def _check_inputs(net, dynamic_size):
    """Return the net's batch. Raises InputError if its inputs do not agree on it
    or, with dynamic_size, are not images."""
    shapes = [shape.dim for layer in net.layer for shape in layer.input_param.shape]
    batches = {dims[0] if dims else 0 for dims in shapes}
    if len(batches) != 1 or 0 in batches:
        raise InputError(f"inputs of {len(batches)} batches; expected a deploy "
                         "net, which has one input")
    if dynamic_size and (len(shapes) != 1 or len(shapes[0]) != 4):
        raise InputError("for images of any size, expected one input of N x C x "
                         "H x W")
    return batches.pop()


def _value_names(layers):
    """Of each layer, its tops' names as values, each of which has one writer."""
    inputs = {top for layer in layers if layer.param.type == "Input"
              for top in layer.param.top}
    last = {top: layer for layer in layers for top in layer.param.top}
    return [[top if (layer.param.type == "Input" if top in inputs
                     else layer is last[top]) else f"{top}@{layer.param.name}"
             for top in layer.param.top] for layer in layers]


def _results(layer, values):
    """The names of the values that become the layer's tops."""
    try:
        results = rule_of(layer.param.type)(layer, *values)
    except InputError as error:
        raise InputError(f"layer {layer.param.name} ({layer.param.type}): "
                         f"{error}") from error
    return [results] if isinstance(results, str) else results


def _unread(layers):
    """The net's outputs: blobs that no later layer reads."""
    unread = {}
    for layer in layers:
        for blob in layer.param.bottom:
            unread.pop(blob, None)
        if layer.param.type != "Input":
            unread.update(dict.fromkeys(layer.param.top))
    return list(unread)


def _metadata(preprocessing, labels):
    metadata = {}
    if preprocessing is not None:
        metadata["preprocessing"] = json.dumps(dict(
            channels=preprocessing.channels, mean=list(preprocessing.mean),
            scale=preprocessing.scale, size=preprocessing.crop,
            shorter_side=preprocessing.shorter_side))
    if labels is not None:
        metadata["labels"] = json.dumps(list(labels), ensure_ascii=False)
    return metadata
