"""What Net::Init does around its layers: which of them a phase has, and whose
tops their bottoms are."""
from dataclasses import dataclass

from sknet.errors import InputError
from sknet.proto import caffe_pb2
from sknet.shapes.checks import text
from sknet.shapes.layers import shapes_of

LARGEST = 2 ** 31 - 1  # values of a blob: Caffe counts them in an int


@dataclass(frozen=True)
class ShapedLayer:
    """A LayerParameter with the shapes (tuples) of its bottoms and tops, and of
    its blobs: weights, biases, statistics, in Caffe's order."""
    param: object
    bottoms: tuple
    tops: tuple
    blobs: tuple


def infer(net, phase=caffe_pb2.TEST, source=None):
    """Return {blob: shape} of a NetParameter, a shape being a tuple of ints.

    phase: caffe_pb2.TRAIN or TEST, for the layers' include and exclude rules.
    source: the file that the net was read from, to be named in errors.

    Raises InputError if a layer is of a type that is not known here, lacks a
    bottom, or does not fit it.
    """
    return {top: shape for layer in shaped_layers(net, phase, source)
            for top, shape in zip(layer.param.top, layer.tops)}


def shaped_layers(net, phase=caffe_pb2.TEST, source=None):
    """Return the ShapedLayers of a NetParameter in a phase, in order; arguments
    and errors are infer's."""
    shapes, layers = {}, []
    where = f"{source}: " if source else ""
    if net.layers:
        raise InputError(f"{where}Caffe's old format; upgrade_net_proto_text "
                         "makes today's of it")
    if net.input:
        upgraded = caffe_pb2.NetParameter()
        upgraded.CopyFrom(net)
        upgrade_inputs(upgraded, source)
        net = upgraded
    for param in _included(net, phase, where):
        try:
            layer = _shaped(param, shapes)
        except InputError as error:
            raise InputError(f"{where}layer {param.name} ({param.type}): {error}") \
                from error
        shapes.update(zip(param.top, layer.tops))
        layers.append(layer)
    if not layers:
        raise InputError(f"{where}no layers in the phase "
                         f"{caffe_pb2.Phase.Name(phase)}")
    return layers


def upgrade_inputs(net, source=None):
    """Make an Input layer of a NetParameter's old input fields, if it has any,
    as Caffe does. Raises InputError if inputs and shapes are not as many."""
    if not net.input:
        return
    layer = caffe_pb2.LayerParameter(name="input", type="Input", top=net.input)
    shapes = layer.input_param.shape
    shapes.extend(net.input_shape)
    if not shapes:
        for at in range(0, len(net.input_dim), 4):
            shapes.add(dim=net.input_dim[at:at + 4])
    if len(shapes) != len(net.input):
        where = f"{source}: " if source else ""
        raise InputError(f"{where}{len(net.input)} inputs with {len(shapes)} shapes")
    net.layer.insert(0, layer)
    for field in ("input", "input_dim", "input_shape"):
        net.ClearField(field)


def _included(net, phase, where):
    """The layers that a net has in a phase."""
    state = caffe_pb2.NetState()
    state.CopyFrom(net.state)
    state.phase = phase
    for layer in net.layer:
        if layer.include and layer.exclude:
            raise InputError(f"{where}layer {layer.name}: include and exclude "
                             "rules; expected one of the two")
        rules = layer.include or layer.exclude
        if any(_meets(state, rule) for rule in rules) == bool(layer.include):
            yield layer


def _meets(state, rule):
    return ((not rule.HasField("phase") or rule.phase == state.phase)
            and (not rule.HasField("min_level") or state.level >= rule.min_level)
            and (not rule.HasField("max_level") or state.level <= rule.max_level)
            and set(rule.stage) <= set(state.stage)
            and set(rule.not_stage).isdisjoint(state.stage))


def _shaped(param, shapes):
    """The ShapedLayer of a layer that follows blobs of `shapes`."""
    for bottom in param.bottom:
        if bottom not in shapes:
            raise InputError(f"bottom {bottom}: no layer before it has that top")
    for index, top in enumerate(param.top):
        if top in shapes and list(param.bottom[index:index + 1]) != [top] \
                or top in param.top[:index]:
            raise InputError(f"top {top}: another layer's, too")
    bottoms = tuple(shapes[bottom] for bottom in param.bottom)
    tops, blobs = shapes_of(param, bottoms)
    for top, shape in zip(param.top, tops):
        count = 1
        for dim in shape:
            count *= dim
            if dim < 1 or count > LARGEST:
                raise InputError(
                    f"top {top} would be {text(shape)}; expected dimensions "
                    "above 0, and below 2^31 values")
    return ShapedLayer(param, bottoms, tops, blobs)
