"""The model zoo: `create("sknet50", "deploy")` → NetParameter.

A family of models is a file; a model in it is one function with the decorator
`register`.
"""
from sknet.models import sknet  # noqa: F401 (registers its models)
from sknet.models.kinds import KINDS, create
from sknet.models.registry import get, names

__all__ = ["KINDS", "create", "get", "names"]
