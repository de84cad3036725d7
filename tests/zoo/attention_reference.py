"""Residual Attention Networks in PyTorch, as the authors' prototxts wire them."""
from torch.nn.functional import interpolate, max_pool2d, relu

# What the prototxts of Attention say of the blobs of an attention module, whose
# bottom is `.`, up to its mask's last convolutions: name = what, of which blobs.
MODULES = {"A": """
trunk/res1 = unit .
trunk/res2 = unit trunk/res1
trunk/res3 = unit trunk/res2
mask/down_sample/pool1_3x3_s2 = pool trunk/res1
mask/down_sample/res1_1 = unit mask/down_sample/pool1_3x3_s2
mask/down_sample/pool2_3x3_s2 = pool mask/down_sample/res1_1
mask/down_sample/res2_1 = unit mask/down_sample/pool2_3x3_s2
mask/down_sample/pool3_3x3_s2 = pool mask/down_sample/res2_1
mask/down_sample/res3_1 = unit mask/down_sample/pool3_3x3_s2
mask/down_sample/res3_2 = unit mask/down_sample/res3_1
mask/up_sample/interp_3 = resize mask/down_sample/res3_2 mask/down_sample/res2_1
mask/skip/res2 = unit mask/down_sample/res2_1
mask/up_sample2 = sum mask/skip/res2 mask/up_sample/interp_3
mask/up_sample/res2_1 = unit mask/up_sample2
mask/up_sample/interp_2 = resize mask/up_sample/res2_1 mask/down_sample/res1_1
mask/skip/res1 = unit mask/down_sample/res1_1
mask/up_sample1 = sum mask/skip/res1 mask/up_sample/interp_2
mask/up_sample/res1_1 = unit mask/up_sample1
mask/up_sample/interp_1 = resize mask/up_sample/res1_1 trunk/res3
""", "B": """
trunk/res1 = unit .
trunk/res2 = unit trunk/res1
trunk/res3 = unit trunk/res2
mask/down_sample/pool1_3x3_s2 = pool trunk/res1
mask/down_sample/res1_1 = unit mask/down_sample/pool1_3x3_s2
mask/down_sample/pool2_3x3_s2 = pool mask/down_sample/res1_1
mask/down_sample/res2_1 = unit mask/down_sample/pool2_3x3_s2
mask/down_sample/res2_2 = unit mask/down_sample/res2_1
mask/up_sample/interp_2 = resize mask/down_sample/res2_2 mask/down_sample/res1_1
mask/skip/res1 = unit mask/down_sample/res1_1
mask/up_sample1 = sum mask/skip/res1 mask/up_sample/interp_2
mask/up_sample/res1_1 = unit mask/up_sample1
mask/up_sample/interp_1 = resize mask/up_sample/res1_1 trunk/res3
""", "C": """
trunk/res1 = unit .
trunk/res2 = unit trunk/res1
trunk/res3 = unit trunk/res2
mask/down_sample/pool1_3x3_s2 = pool trunk/res1
mask/down_sample/res1_1 = unit mask/down_sample/pool1_3x3_s2
mask/down_sample/res1_2 = unit mask/down_sample/res1_1
mask/up_sample/interp_1 = resize mask/down_sample/res1_2 trunk/res3
"""}
OPERATIONS = {
    "pool": lambda x: max_pool2d(x, 3, 2, ceil_mode=True),
    "resize": lambda x, like: interpolate(x, like.shape[2:], mode="bilinear",
                                          align_corners=True),
    "sum": lambda x, y: x + y}

# The blocks of the nets, in order.
BLOCKS = {"attention56": """
pre_res_1 AttentionA_1 pre_res_2 AttentionB_1 pre_res_3 AttentionC_1
post_res_4_1 post_res_4_2 post_res_4_3
""", "attention92": """
pre_res_1 AttentionA_1 pre_res_2 AttentionB_1 AttentionB_2
pre_res_3 AttentionC_1 AttentionC_2 AttentionC_3
post_res_4_1 post_res_4_2 post_res_4_3
"""}
BLOCKS["attentionnext56"] = BLOCKS["attention56"]
# Units that project their shortcuts: the strides.
PROJECTIONS = {"pre_res_1": 1, "pre_res_2": 2, "pre_res_3": 2, "post_res_4_1": 2}


class Reference:
    """A net of the authors' by its blobs' names. Attention has pre-activated
    units; AttentionNeXt has ResNeXt's, and shorter names."""

    def __init__(self, name, layers):
        self.blocks, self.layers = BLOCKS[name].split(), layers
        self.next = name.startswith("attentionnext")
        self.blobs = {}

    def scores(self, images, classes):
        x = relu(self.layers.conv_norm(images, "conv1", 64, 7, stride=2))
        last = "pool1_3x3_s2"
        self.blobs[last] = OPERATIONS["pool"](x)
        for block in self.blocks:
            if block.startswith("Attention"):
                self.attention(block, last)
            else:
                stage = int(block.split("_")[2])
                self.unit(block, last, 128 << stage, PROJECTIONS.get(block))
            last = block
        return self.layers.linear(self.activated(last).mean((2, 3)), "classifier",
                                  classes)

    def attention(self, name, bottom):
        """(1 + mask) * trunk, and a unit."""
        channels = self.blobs[bottom].shape[1]
        table = MODULES[name[len("Attention")]]
        if self.next:
            table = table.replace("_sample", "")
        for line in table.strip().splitlines():
            top, what, *bottoms = line.replace(" =", "").split()
            bottoms = [bottom if part == "." else f"{name}/{part}"
                       for part in bottoms]
            if what == "unit":
                self.unit(f"{name}/{top}", *bottoms, channels)
            else:
                self.blobs[f"{name}/{top}"] = OPERATIONS[what](
                    *(self.blobs[part] for part in bottoms))
        mask = self.activated(f"{name}/{top}")
        mask = relu(self.layers.conv_norm(mask, f"{name}/mask/linear_1", channels))
        mask = self.layers.conv(mask, f"{name}/mask/linear_2", channels).sigmoid()
        self.blobs[f"{name}/fusion"] = (1 + mask) * self.blobs[f"{name}/trunk/res3"]
        self.unit(name, f"{name}/fusion", channels)

    def activated(self, name):
        x = self.blobs[name]
        return x if self.next else relu(self.layers.norm(x, f"{name}/bn"))

    def unit(self, name, bottom, channels, projection=None):
        """projection: its stride, if the shortcut has one."""
        layers, stride = self.layers, projection or 1
        conv = layers.conv_norm if self.next else layers.conv
        width = channels // (2 if self.next else 4)
        branch = f"{name}/branch1"
        x = self.activated(bottom)
        y = relu(layers.conv_norm(x, f"{branch}/conv1_1x1", width))
        y = relu(layers.conv_norm(y, f"{branch}/conv2_3x3", width, 3, stride=stride,
                                  groups=32 if self.next else 1))
        y = conv(y, f"{branch}/conv3_1x1", channels)
        y = y + (conv(x, f"{name}/branch2/conv1_1x1", channels, stride=stride)
                 if projection else self.blobs[bottom])
        self.blobs[name] = relu(y) if self.next else y
