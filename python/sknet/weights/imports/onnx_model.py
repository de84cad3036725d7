"""An ONNX model's weights under the names that PyTorch's modules had, whose
exporters keep them in one of two ways."""
import onnx
from onnx import numpy_helper

# Of the operators that have weights, the names of their inputs from the second on.
_PARTS = {"Conv": ("weight", "bias"), "Gemm": ("weight", "bias"),
          "BatchNormalization": ("weight", "bias", "running_mean", "running_var")}


def read(path):
    """Return {name: array} of an ONNX model's convolutions, fully connected layers
    and batch norms: the module's name, and weight, bias, running_mean or
    running_var."""
    graph = onnx.load(path).graph
    constants = {value.name: value for value in graph.initializer}
    arrays = {}
    for node in graph.node:
        # What is alike is stored once.
        if node.op_type == "Identity" and node.input[0] in constants:
            constants[node.output[0]] = constants[node.input[0]]
        values = node.input[1:]
        if node.op_type in _PARTS and all(name in constants for name in values):
            module = _module(node)
            for part, name in zip(_PARTS[node.op_type], values):
                arrays[f"{module}.{part}"] = numpy_helper.to_array(constants[name])
            if node.op_type == "Gemm" and not _transposed(node):
                arrays[f"{module}.weight"] = arrays[f"{module}.weight"].T
    return arrays


def _module(node):
    """The module's name: as its weight has it or, where batch norm has been folded
    into that, as the node's path through the modules does, in which a Sequential's
    parts are called `layer1.0`: /layer1/layer1.0/conv1/Conv."""
    module, _, part = node.input[1].rpartition(".")
    if part == "weight":
        return module
    names = []
    for name in node.name.split("/")[1:-1]:
        if names and name.startswith(names[-1] + "."):
            names.pop()
        names.append(name)
    return ".".join(names)


def _transposed(node):
    return any(field.name == "transB" and field.i for field in node.attribute)
