"""ShuffleNetV2 with selective kernels in PyTorch, from the two papers; Caffe's max
pool."""
import torch
from torch.nn.functional import channel_shuffle, max_pool2d, relu
from torch_layers import TorchLayers

# Channels that the stages give (Ma et al. 2018, table 5).
CHANNELS = {"shufflenet_v2_sk_0_5": (48, 96, 192),
            "shufflenet_v2_sk_1_0": (116, 232, 464)}


class Reference(TorchLayers):
    def scores(self, images, name, classes):
        x = relu(self.conv_norm(images, "conv1/3x3_s2", 24, 3, stride=2))
        x = max_pool2d(x, 3, 2, ceil_mode=True)
        for stage, units, channels in zip((2, 3, 4), (4, 8, 4), CHANNELS[name]):
            for number in range(1, units + 1):
                x = self.unit(x, f"stage{stage}_{number}", channels, number == 1)
        x = relu(self.conv_norm(x, "conv5/1x1", 1024))
        return self.linear(x.mean((2, 3)), "classifier", classes)

    def unit(self, x, name, channels, halves_size):
        """Figure 3 of Ma et al.: (d) if it halves the size, else (c)."""
        half, stride = channels // 2, 1 + halves_size
        left, right = (x, x) if halves_size else x.chunk(2, dim=1)
        if halves_size:
            left = self.select(left, f"{name}/branch1", stride)
            left = relu(self.conv_norm(left, f"{name}/branch1/1x1", half))
        right = relu(self.conv_norm(right, f"{name}/branch2/1x1_1", half))
        right = self.select(right, f"{name}/branch2", stride)
        right = relu(self.conv_norm(right, f"{name}/branch2/1x1_2", half))
        return channel_shuffle(torch.cat([left, right], dim=1), 2)

    def select(self, x, name, stride):
        """Section 3.1 of Li et al., M = 2: depthwise 3x3, and 5x5 as 3x3 with
        dilation 2; r = 4, L = 32."""
        channels = x.shape[1]
        u3, u5 = (relu(self.conv_norm(x, f"{name}/{branch}", channels, 3, stride,
                                      dilation, groups=channels))
                  for branch, dilation in (("3x3dw", 1), ("3x3dwd2", 2)))
        z = (u3 + u5).mean((2, 3), keepdim=True)
        z = relu(self.conv_norm(z, f"{name}/B_fc1", max(channels // 4, 32)))
        a, b = self.conv(z, f"{name}/B_fc2", 2 * channels).chunk(2, dim=1)
        total = a.exp() + b.exp()
        return a.exp() / total * u3 + b.exp() / total * u5
