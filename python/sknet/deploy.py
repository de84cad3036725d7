"""A net as it is deployed: from images to results, and nothing else."""
from sknet.errors import InputError
from sknet.proto import caffe_pb2
from sknet.shapes import shaped_layers

LOSS = "SoftmaxWithLoss"


def to_deploy(net, source=None):
    """Return the deploy net of a NetParameter: of the layers in the TEST phase
    those that its results need.

    Results are the tops that no layer reads; in a net with SoftmaxWithLoss, the
    probabilities of the last one, in `prob`. Data and AugmentedData give way to
    an Input of one image, old input fields to an Input.

    source: the file that the net was read from, to be named in errors.

    Raises InputError where sknet.shapes does, or if nothing remains.
    """
    layers = []
    for shaped in shaped_layers(net, source=source):
        param = caffe_pb2.LayerParameter()
        param.CopyFrom(shaped.param)
        for field in ("include", "exclude"):
            param.ClearField(field)
        if param.type in ("Data", "AugmentedData"):
            param = _input(param, shaped.tops)
        if param.type != "Accuracy":
            layers.append(param)
    losses = [layer for layer in layers if layer.type == LOSS]
    if losses:
        layers = [layer for layer in layers if layer.type != LOSS]
        layers.append(_probabilities(losses[-1]))
        results = {"prob"}
    else:
        results = _unread(layers)
    deployed = caffe_pb2.NetParameter()
    deployed.CopyFrom(net)
    for field in ("input", "input_dim", "input_shape", "state", "layer"):
        deployed.ClearField(field)
    deployed.layer.extend(_needed(layers, results))
    if not deployed.layer:
        where = f"{source}: " if source else ""
        raise InputError(f"{where}no layer computes anything from an input")
    return deployed


def _input(data, shapes):
    """An Input with the tops of a layer that reads a database."""
    return caffe_pb2.LayerParameter(
        name=data.name, type="Input", top=data.top, input_param=dict(
            shape=[dict(dim=(1, *shape[1:])) for shape in shapes]))


def _probabilities(loss):
    softmax = caffe_pb2.LayerParameter(name="prob", type="Softmax",
                                       bottom=loss.bottom[:1], top=["prob"])
    if loss.HasField("softmax_param"):
        softmax.softmax_param.CopyFrom(loss.softmax_param)
    return softmax


def _unread(layers):
    """The tops that no layer reads, but for inputs."""
    tops = set()
    for layer in layers:
        tops.difference_update(layer.bottom)
        if layer.bottom:
            tops.update(layer.top)
    return tops


def _needed(layers, results):
    """The layers that results come from; of inputs, the tops that they do."""
    wanted, kept = set(results), []
    for layer in reversed(layers):
        if wanted.isdisjoint(layer.top):
            continue
        wanted.update(layer.bottom)
        if layer.type == "Input":
            _keep_tops(layer, wanted)
        kept.append(layer)
    return kept[::-1]


def _keep_tops(layer, wanted):
    shapes = layer.input_param.shape
    for index in reversed(range(len(layer.top))):
        if layer.top[index] not in wanted:
            del layer.top[index]
            if len(shapes) > 1:
                del shapes[index]
