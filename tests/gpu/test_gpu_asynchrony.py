"""Our layers hand their work to the GPU and return: none waits for it to be done."""
import caffe
import numpy as np
import pytest
from devices import draw, inputs

X = (4, 8, 14, 14)
FROZEN = "cudnn_batch_norm_param { frozen: true }"
CASES = {
    "Axpy": (dict(a=X[:2], x=X, y=X), ""),
    "CuDNNBatchNorm": (dict(x=X), ""),
    "CuDNNBatchNorm, frozen": (dict(x=X), FROZEN),
    "Interp": (dict(x=X), "interp_param { height: 28 width: 28 }"),
    "ChannelPooling": (dict(x=X), "pooling_param { pool: AVE }"),
    "ChannelPooling, max": (dict(x=X), "pooling_param { pool: MAX }"),
    "BroadcastProduct": (dict(a=X, b=(4, 1, 14, 14)), ""),
    "DepthwiseConvolution": (dict(x=X), """convolution_param {
        num_output: 8 group: 8 kernel_size: 3 pad: 1 }"""),
    "Convolution": (dict(x=X), """convolution_param {
        num_output: 8 group: 4 kernel_size: 3 pad: 2 dilation: 2 }"""),
    "Pooling": (dict(x=X), "pooling_param { pool: AVE global_pooling: true }"),
    "Pooling, max": (dict(x=X), "pooling_param { pool: MAX global_pooling: true }"),
}


@pytest.fixture
def torch():
    """Its kernel that only takes time, on the stream that Caffe uses."""
    return pytest.importorskip("torch")


def busy(torch):
    """Keep the GPU busy for about a second; the event after that."""
    torch.cuda._sleep(2_000_000_000)
    event = torch.cuda.Event()
    event.record()
    return event


@pytest.mark.parametrize("case", CASES)
def test_returns_while_the_gpu_is_busy(tmp_path, torch, case):
    shapes, param = CASES[case]
    path = tmp_path / "net.prototxt"
    path.write_text(
        inputs(shapes) + f"layer {{ type: '{case.partition(',')[0]}' name: 'layer' "
        + " ".join(f"bottom: '{name}'" for name in shapes)
        + f" top: 'top' {param} }}")
    net = caffe.Net(path, caffe.TRAIN)
    draw(net)
    for name in shapes:
        net.blobs[name].data[...] = np.random.default_rng(0).normal(size=shapes[name])
    net.blobs["top"].diff[...] = 1
    layer = len(net.layers) - 1

    def run():
        net._forward(layer, layer)
        net._backward(layer, layer)
    for _ in range(2):  # what is allocated, loaded and moved once
        run()
    torch.cuda.synchronize()
    idle = busy(torch)
    run()
    assert not idle.query()
    # Whoever wants the result waits.
    assert np.isfinite(net.blobs["top"].data).all()
    assert idle.query()
