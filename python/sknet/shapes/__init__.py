"""The shapes of a net's blobs, from its NetParameter alone, without Caffe."""
from sknet.shapes.net import ShapedLayer, infer, shaped_layers, upgrade_inputs

__all__ = ["ShapedLayer", "infer", "shaped_layers", "upgrade_inputs"]
