"""Every net of the registry, compiled."""
import caffe
import pytest
from random_nets import assert_same, random_net
from sknet import models

# Without shortcuts, random nets of this depth multiply the last digit's rounding:
# the plain net's own distance from one in double precision was 8e-5 and 1e-3.
WITHIN = {"inception_v3": 5e-4, "inception_v4": 5e-3}


@pytest.mark.parametrize("name", models.names())
def test_scores(name, tmp_path):
    size = models.get(name).min_size + 8
    net, images = random_net(tmp_path, models.create(name, size=size, batch=2))
    scores, = net.bottom_names["prob"]
    net.forward()
    program = caffe.compile(net, outputs=[scores])
    assert_same(program.forward(data=images)[scores], net.blobs[scores].data,
                WITHIN.get(name, 1e-4))


# Rounding the weights alone so gives as much.
@pytest.mark.parametrize("name, within", [("sknet26", 3e-2), ("sknet50", 1e-1),
                                          ("senet50", 1e-1)])
def test_bf16(name, within, tmp_path):
    size = models.get(name).min_size + 8
    net, images = random_net(tmp_path, models.create(name, size=size, batch=2))
    scores, = net.bottom_names["prob"]
    net.forward()
    program = caffe.compile(net, "bf16", outputs=[scores])
    assert_same(program.forward(data=images)[scores], net.blobs[scores].data, within)
    steps = [step["kind"] for step in program.explain(0)]
    assert steps.count("Select") == (16 if name == "sknet50" else
                                     8 if name == "sknet26" else 0)
