"""The models of table 2 that timm has, too, beside its own."""
import re

import pytest
from random_nets import assert_same, forward, random_net
from sknet import models

# Of a block: its layer, and the module of timm's.
BLOCK = {
    "1x1_reduce": "conv1", "1x1_reduce/bn": "bn1",
    "3x3": "conv2", "3x3/bn": "bn2",
    "1x1_increase": "conv3", "1x1_increase/bn": "bn3",
    "1x1_proj": "downsample.0", "1x1_proj/bn": "downsample.1",
    "1x1_down": "se.fc1", "1x1_up": "se.fc2"}
SK_BLOCK = {
    **BLOCK,
    "1x1_reduce": "conv1.conv", "1x1_reduce/bn": "conv1.bn",
    "3x3g32": "conv2.paths.0.conv", "3x3g32/bn": "conv2.paths.0.bn",
    "3x3g32d2": "conv2.paths.1.conv", "3x3g32d2/bn": "conv2.paths.1.bn",
    "B_fc1": "conv2.attn.fc_reduce", "B_fc1/bn": "conv2.attn.bn",
    "B_fc2": "conv2.attn.fc_select",
    "1x1_increase": "conv3.conv", "1x1_increase/bn": "conv3.bn"}


def table(name, parts):
    """{layer's name: timm's module} of all layers with weights."""
    modules = {"conv1/7x7_s2": "conv1", "conv1/7x7_s2/bn": "bn1",
               "classifier": "fc"}
    for layer in models.create(name).layer:
        block = re.fullmatch(r"conv([2-5])_(\d+)[/_](.*)", layer.name)
        if block and layer.param:
            stage, number, part = block.groups()
            modules[layer.name] = (f"layer{int(stage) - 1}.{int(number) - 1}."
                                   f"{parts[part]}")
    return modules


@pytest.mark.parametrize("name, timms, parts", [
    ("resnext50", "resnext50_32x4d", BLOCK),
    ("senet50", "seresnext50_32x4d", BLOCK),
    ("sknet50", "skresnext50_32x4d", SK_BLOCK)])
def test_scores(name, timms, parts, tmp_path):
    timm = pytest.importorskip("timm")
    torch = pytest.importorskip("torch")
    from torch_layers import double

    model = timm.create_model(timms).double().eval()
    # timm's pads by a pixel, Caffe's rounds up.
    model.maxpool = torch.nn.MaxPool2d(3, 2, ceil_mode=True)
    net, images = random_net(tmp_path, models.create(name, size=72, batch=2))
    modules = table(name, parts)
    unset = dict(model.named_parameters(), **dict(model.named_buffers()))
    for layer, blobs in net.params.items():
        for blob, part in zip(blobs, ("weight", "bias", "running_mean",
                                      "running_var")):
            value = unset.pop(f"{modules[layer]}.{part}")
            value.data[...] = double(blob.data).reshape(value.shape)
    assert all(key.endswith("num_batches_tracked") for key in unset)
    with torch.no_grad():
        assert_same(forward(net, images)[0], model(double(images)))
