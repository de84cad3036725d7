"""What to do with a trained net: commands."""
import shlex

from sknet import models
from sknet.proto import caffe_pb2


def commands(run, net, weights, images):
    """Yield the commands that classify and evaluate with a RunFolder's deploy net.

    net: the NetParameter that was trained; images: what evaluate may be given.
    """
    if not run.deploy.exists():
        return
    flags = ["--weights", str(weights), *_preprocessing(net)]
    if run.labels.exists():
        flags += ["--labels", str(run.labels)]
    yield shlex.join(["sknet", "classify", "--model", str(run.deploy), *flags]) \
        + " IMAGE..."
    yield shlex.join(["sknet", "evaluate", str(run.deploy), *filter(None, [images]),
                      *flags]) + ("" if images else " DATA")


def _preprocessing(net):
    """The options that make images what they were in validation, but for those that
    a model's name implies."""
    transform = next((layer.transform_param for layer in net.layer
                      if layer.HasField("transform_param")
                      and caffe_pb2.TRAIN not in [rule.phase for rule in layer.include]),
                     None)
    if transform is None:
        return []
    gray = transform.force_gray
    values = dict(mean=tuple(transform.mean_value) or (0.0,) * (1 if gray else 3),
                  scale=transform.scale, channels="gray" if gray else "bgr")
    if net.name in models.names():
        model = models.get(net.name).preprocessing
        values = {name: value for name, value in values.items()
                  if value != getattr(model, name)}
    elif transform.shorter_side:
        values["shorter_side"] = transform.shorter_side
    return [text for name, value in values.items() for text in (
        f"--{name.replace('_', '-')}", _text(value))]


def _text(value):
    if isinstance(value, tuple):
        return ",".join(f"{part:g}" for part in value)
    return value if isinstance(value, str) else f"{value:g}"
