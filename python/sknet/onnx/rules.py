"""What ONNX nodes each layer type becomes.

A type is one function with the decorator `rule`. It gets a Layer and the names of
its bottoms' values, and returns that of its top's value, or a list of several.
"""
from sknet.errors import InputError

_RULES = {}


def rule(*types):
    """Decorator: the function is the rule of the layer types."""
    def add(function):
        _RULES.update(dict.fromkeys(types, function))
        return function
    return add


def rule_of(kind):
    """Return the rule of a layer type. Raises InputError if it has none."""
    if kind not in _RULES:
        raise InputError("a type for which ONNX has no equal here")
    return _RULES[kind]
