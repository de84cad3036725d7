"""The residual nets of SKNet's table 2 in PyTorch, written from the papers and
from what their authors released; Caffe's max pool in all."""
import torch
from torch.nn.functional import adaptive_max_pool2d, max_pool2d, relu
from torch_layers import TorchLayers

DEPTHS = {26: (2, 2, 2, 2), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}


class ResNeXt(TorchLayers):
    """32x4d. The others change a step of it."""
    separator = "/"

    def scores(self, images, depth, classes=1000):
        x = relu(self.conv_norm(images, "conv1/7x7_s2", 64, 7, stride=2))
        x = max_pool2d(x, 3, 2, ceil_mode=True)
        for stage, blocks in enumerate(DEPTHS[depth], 2):
            width = 2 ** (stage + 5)
            x = self.block(x, f"conv{stage}_1", width, 1 if stage == 2 else 2)
            for number in range(2, blocks + 1):
                x = self.block(x, f"conv{stage}_{number}", width)
            x = self.after_stage(x, stage)
        return self.linear(x.mean((2, 3)), "classifier", classes)

    def block(self, x, name, width, stride=1):
        prefix = name + self.separator
        y = relu(self.conv_norm(x, f"{prefix}1x1_reduce", width))
        y = self.middle(y, prefix, stride)
        y = self.conv_norm(y, f"{prefix}1x1_increase", 2 * width)
        if name.endswith("_1"):
            x = self.conv_norm(x, f"{prefix}1x1_proj", 2 * width, stride=stride)
        return relu(x + self.refine(y, prefix))

    def middle(self, x, prefix, stride):
        return relu(self.conv_norm(x, f"{prefix}3x3", x.shape[1], 3, stride,
                                   groups=32))

    def refine(self, x, prefix):
        return x

    def after_stage(self, x, stage):
        return x


class SENet(ResNeXt):
    separator = "_"

    def refine(self, x, prefix):
        channels = x.shape[1]
        y = relu(self.conv(x.mean((2, 3), keepdim=True), f"{prefix}1x1_down",
                           channels // 16, bias=True))
        return x * self.conv(y, f"{prefix}1x1_up", channels, bias=True).sigmoid()


class BAM(ResNeXt):
    def after_stage(self, x, stage):
        if stage == 5:
            return x
        name, channels = f"bam{stage - 1}", x.shape[1]
        narrow = channels // 16
        c = x.mean((2, 3), keepdim=True)
        c = relu(self.conv_norm(c, f"{name}/channel/fc1", narrow, bias=True))
        c = self.conv(c, f"{name}/channel/fc2", channels, bias=True)
        s = relu(self.conv_norm(x, f"{name}/spatial/reduce", narrow, bias=True))
        for step in 1, 2:
            s = relu(self.conv_norm(s, f"{name}/spatial/3x3d4_{step}", narrow, 3,
                                    dilation=4, bias=True))
        s = self.conv(s, f"{name}/spatial/final", 1, bias=True)
        return x * (1 + torch.sigmoid(c * s))


class CBAM(ResNeXt):
    def refine(self, x, prefix):
        # One MLP for both kinds of pool: here, a batch twice as large.
        n, channels = x.shape[:2]
        y = torch.cat([x.mean((2, 3), keepdim=True), adaptive_max_pool2d(x, 1)])
        y = relu(self.conv(y, f"{prefix}cbam/fc1", channels // 16, bias=True))
        y = self.conv(y, f"{prefix}cbam/fc2", channels, bias=True)
        x = x * torch.sigmoid(y[:n] + y[n:])
        y = torch.cat([x.amax(1, keepdim=True), x.mean(1, keepdim=True)], 1)
        return x * self.conv_norm(y, f"{prefix}cbam/7x7", 1, 7).sigmoid()


class SKNet(ResNeXt):
    """branches: (kernel, dilation, groups) of each.
    squeezed: channels of the unit → outputs of its B_fc1."""

    def __init__(self, net, branches=((3, 1, 32), (3, 2, 32)),
                 squeezed=lambda channels: max(channels // 16, 32)):
        super().__init__(net)
        self.branches = branches
        self.squeezed = squeezed

    def middle(self, x, prefix, stride):
        n, channels = x.shape[:2]
        features = torch.stack([self.branch(x, prefix, stride, *branch)
                                for branch in self.branches], 1)
        z = features.sum(1).mean((2, 3), keepdim=True)
        z = relu(self.conv_norm(z, f"{prefix}B_fc1", self.squeezed(channels)))
        z = self.conv(z, f"{prefix}B_fc2", len(self.branches) * channels)
        weights = z.reshape(n, -1, channels, 1, 1).softmax(1)
        return (weights * features).sum(1)

    def branch(self, x, prefix, stride, kernel, dilation, groups):
        name = f"{prefix}{kernel}x{kernel}g{groups}"
        if dilation > 1:
            name += f"d{dilation}"
        return relu(self.conv_norm(x, name, x.shape[1], kernel, stride, dilation,
                                   groups))
