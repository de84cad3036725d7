"""PyTorch's layers with a Caffe net's weights."""
import torch
from torch.nn.functional import batch_norm, conv2d, linear


def double(values):
    """So that the rounding errors of a comparison are Caffe's alone."""
    return torch.tensor(values, dtype=torch.float64)


class TorchLayers:
    """Layers by the names that they have in a caffe.Net.

    Each call says what shapes it expects; `unused` is the names of the layers
    with weights that no call has asked for.
    """

    def __init__(self, net):
        self.params = net.params
        self.unused = set(net.params)

    def conv(self, x, name, outputs, kernel=1, stride=1, dilation=1, groups=1,
             bias=False):
        """Padded so that at stride 1 the size stays."""
        weight, *bias = self._weights(
            name, (outputs, x.shape[1] // groups, kernel, kernel),
            *[(outputs,)] * bias)
        return conv2d(x, weight, *bias or [None], stride,
                      dilation * (kernel // 2), dilation, groups)

    def norm(self, x, name):
        scale, bias, mean, var = self._weights(name, *[(x.shape[1],)] * 4)
        return batch_norm(x, mean, var, scale, bias, eps=1e-5)

    def conv_norm(self, x, name, outputs, *args, **kwargs):
        return self.norm(self.conv(x, name, outputs, *args, **kwargs), f"{name}/bn")

    def linear(self, x, name, outputs):
        return linear(x, *self._weights(name, (outputs, x.shape[1]), (outputs,)))

    def _weights(self, name, *shapes):
        self.unused.remove(name)
        blobs = [double(blob.data) for blob in self.params[name]]
        assert len(blobs) == len(shapes), name
        for blob, shape in zip(blobs, shapes):
            # Caffe's vectors may have axes of 1 before them.
            assert blob.numel() == torch.Size(shape).numel() and (
                len(shape) == 1 or blob.shape == shape), (name, blob.shape, shape)
        return [blob.reshape(shape) for blob, shape in zip(blobs, shapes)]
