"""A picture of a net that a person can read: a box a unit, not a layer."""
from sknet.diagram.drawing import FORMATS, save

__all__ = ["FORMATS", "save"]
