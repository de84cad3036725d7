"""What learns in a net, and how fast."""

CLASSIFIER = "classifier"


def freeze_batch_norm(net):
    """CuDNNBatchNorm layers normalise with the stored statistics, and keep them,
    scale and bias as they are."""
    for layer in net.layer:
        if layer.type == "CuDNNBatchNorm":
            layer.batch_norm_param.frozen = True
            for param in layer.param:
                param.lr_mult = param.decay_mult = 0


def scale_backbone(net, factor):
    """Multiply the learning rates of all layers but the classifier by `factor`,
    and rename the classifier: weights of other classes are not meant for it."""
    for layer in net.layer:
        if layer.name == CLASSIFIER:
            layer.name = f"{CLASSIFIER}_finetune"
        else:
            for param in layer.param:
                param.lr_mult *= factor
