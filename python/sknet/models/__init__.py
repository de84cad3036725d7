"""The model zoo: `create("sknet50", "deploy")` → NetParameter.

A family of models is a file; a model in it is one function with the decorator
`register`.
"""
from sknet.models import (bam, cbam, resnext, senet,  # noqa: F401 (register
                          sknet)                      # their models)
from sknet.models.kinds import KINDS, create
from sknet.models.registry import get, names

__all__ = ["KINDS", "create", "get", "names"]
