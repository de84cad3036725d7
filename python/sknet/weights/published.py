"""Published caffemodels of nets that the registry does not generate: their layers'
names and blobs, so that a file can be told.

Read off the authors' prototxts: KaimingHe/deep-residual-networks (He et al. 2016),
hujie-frank/SENet (Hu et al. 2018) and hujie-frank/GENet (Hu et al. 2018b).
"""
from sknet.weights.fit import Slot

# Units of a ResNet's stages.
_DEPTHS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}


def nets():
    """Return {name: {layer: Slot}}, names being what the authors call the nets."""
    found = {f"ResNet-{depth}": _resnet(depth) for depth in _DEPTHS}
    found.update((f"SE-ResNet-{depth}", _se_resnet(depth)) for depth in _DEPTHS)
    found.update({"SENet-154": _senet154(), "SE-BN-Inception": _se_bn_inception()})
    for name in ("RN50-GEPF", "RN50-GEP", "RN50-GEPP"):
        found[name] = _gather_excite(name)
    return found


def _convolution(outputs, inputs, kernel=1, bias=False):
    weights = outputs, inputs, kernel, kernel
    return Slot("Convolution", (weights, (outputs,)) if bias else (weights,))


def _classifier(inputs):
    return Slot("InnerProduct", ((1000, inputs), (1000,)))


def _batch_norm_and_scale(norm, scale, channels):
    return {norm: Slot("BatchNorm", ((channels,), (channels,), (1,))),
            scale: Slot("Scale", ((channels,), (channels,)))}


# --- He et al.: res2a_branch2a, bn2a_branch2a, scale2a_branch2a --------------

def _resnet(depth):
    # Of all of their convolutions, only this one's first has a bias.
    slots = {"conv1": _convolution(64, 3, 7, bias=depth == 50),
             **_batch_norm_and_scale("bn_conv1", "scale_conv1", 64)}
    inputs = 64
    for stage, units in enumerate(_DEPTHS[depth], 2):
        width = 16 << stage
        for unit in range(units):
            name = f"{stage}{_letters(unit, units, depth)}_branch"
            branches = {"2a": (width, inputs, 1), "2b": (width, width, 3),
                        "2c": (4 * width, width, 1)}
            if unit == 0:
                branches["1"] = 4 * width, inputs, 1
            for branch, (outputs, bottom, kernel) in branches.items():
                slots[f"res{name}{branch}"] = _convolution(outputs, bottom, kernel)
                slots.update(_batch_norm_and_scale(
                    f"bn{name}{branch}", f"scale{name}{branch}", outputs))
            inputs = 4 * width
    slots["fc1000"] = _classifier(inputs)
    return slots


def _letters(unit, units, depth):
    """a, b, c ...; in the deeper nets' long stages a, b1, b2 ..."""
    if depth > 50 and units > 3 and unit:
        return f"b{unit}"
    return "abcdef"[unit]


# --- Hu et al.: X, X/bn, X/bn/scale; X_1x1_down, X_1x1_up -------------------

def _conv_bn(name, outputs, inputs, kernel=1):
    return {name: _convolution(outputs, inputs, kernel), **_batch_norm_and_scale(
        f"{name}/bn", f"{name}/bn/scale", outputs)}


def _excitation(name, channels, down="_1x1_down", up="_1x1_up"):
    hidden = channels // 16
    return {f"{name}{down}": _convolution(hidden, channels, bias=True),
            f"{name}{up}": _convolution(channels, hidden, bias=True)}


def _se_resnet(depth):
    slots, inputs = _conv_bn("conv1/7x7_s2", 64, 3, 7), 64
    for name, first, width in _units(depth):
        slots.update({**_conv_bn(f"{name}_1x1_reduce", width, inputs),
                      **_conv_bn(f"{name}_3x3", width, width, 3),
                      **_conv_bn(f"{name}_1x1_increase", 4 * width, width),
                      **_excitation(name, 4 * width)})
        if first:
            slots.update(_conv_bn(f"{name}_1x1_proj", 4 * width, inputs))
        inputs = 4 * width
    slots["classifier"] = _classifier(inputs)
    return slots


def _units(depth):
    """Name, whether it is its stage's first, and width, of each unit."""
    for stage, units in enumerate(_DEPTHS[depth], 2):
        for unit in range(1, units + 1):
            yield f"conv{stage}_{unit}", unit == 1, 16 << stage


def _senet154():
    """Three convolutions to begin with; 64 groups, of twice the width; shortcuts
    that are reduced by 3x3."""
    slots = {**_conv_bn("conv1_1/3x3_s2", 64, 3, 3),
             **_conv_bn("conv1_2/3x3", 64, 64, 3),
             **_conv_bn("conv1_3/3x3", 128, 64, 3)}
    inputs = 128
    for name, first, width in _units(152):
        slots.update({**_conv_bn(f"{name}_1x1_reduce", 2 * width, inputs),
                      **_conv_bn(f"{name}_3x3", 4 * width, 2 * width // 64, 3),
                      **_conv_bn(f"{name}_1x1_increase", 4 * width, 4 * width),
                      **_excitation(name, 4 * width)})
        if first:
            slots.update(_conv_bn(f"{name}_1x1_proj", 4 * width, inputs,
                                  1 if name == "conv2_1" else 3))
        inputs = 4 * width
    slots["classifier"] = _classifier(inputs)
    return slots


# Outputs of 1x1, 3x3_reduce, 3x3, double3x3_reduce, double3x3a and b, pool_proj;
# None where a unit lacks the branch, and its pool passes all channels on.
_INCEPTIONS = {
    "3a": (64, 64, 64, 64, 96, 32), "3b": (64, 64, 96, 64, 96, 64),
    "3c": (None, 128, 160, 64, 96, None),
    "4a": (224, 64, 96, 96, 128, 128), "4b": (192, 96, 128, 96, 128, 128),
    "4c": (160, 128, 160, 128, 160, 128), "4d": (96, 128, 192, 160, 192, 128),
    "4e": (None, 128, 192, 192, 256, None),
    "5a": (352, 192, 320, 160, 224, 128), "5b": (352, 192, 320, 192, 224, 128)}


def _se_bn_inception():
    slots = {**_conv_bn("conv1/7x7_s2", 64, 3, 7),
             **_conv_bn("conv2/3x3_reduce", 64, 64),
             **_conv_bn("conv2/3x3", 192, 64, 3)}
    inputs = 192
    for letter, (one, reduce, three, double_reduce, double, pool) \
            in _INCEPTIONS.items():
        name = f"inception_{letter}"
        if one:
            slots.update(_conv_bn(f"{name}/1x1", one, inputs))
        slots.update({
            **_conv_bn(f"{name}/3x3_reduce", reduce, inputs),
            **_conv_bn(f"{name}/3x3", three, reduce, 3),
            **_conv_bn(f"{name}/double3x3_reduce", double_reduce, inputs),
            **_conv_bn(f"{name}/double3x3a", double, double_reduce, 3),
            **_conv_bn(f"{name}/double3x3b", double, double, 3)})
        if pool:
            slots.update(_conv_bn(f"{name}/pool_proj", pool, inputs))
        inputs = three + double + (one + pool if one else inputs)
        slots.update(_excitation(name, inputs))
    slots["classifier"] = _classifier(inputs)
    return slots


# --- Hu et al. 2018b: X, X/bn of the type CuDNNBatchNorm ---------------------

def _gather_excite(net):
    """GEPF: GE-θ⁻, without parameters; GEP: GE-θ, depthwise convolutions of the
    whole features; GEPP: GE-θ⁺, and excitations like SENet's."""
    def conv_bn(name, outputs, inputs, kernel=1):
        return {name: _convolution(outputs, inputs, kernel),
                f"{name}/bn": Slot("CuDNNBatchNorm", ((1, outputs, 1, 1),) * 4)}

    slots, inputs = conv_bn("conv1/7x7_s2", 64, 3, 7), 64
    for name, first, width in _units(50):
        slots.update({**conv_bn(f"{name}/1x1_reduce", width, inputs),
                      **conv_bn(f"{name}/3x3", width, width, 3),
                      **conv_bn(f"{name}/1x1_increase", 4 * width, width)})
        if net != "RN50-GEPF":
            slots.update(conv_bn(f"{name}/gather", 4 * width, 1,
                                 56 * 64 // width))
        if net == "RN50-GEPP":
            slots.update(_excitation(name, 4 * width, "/excite/1x1_down",
                                     "/excite/1x1_up"))
        if first:
            slots.update(conv_bn(f"{name}/1x1_proj", 4 * width, inputs))
        inputs = 4 * width
    slots["classifier"] = _classifier(inputs)
    return slots
