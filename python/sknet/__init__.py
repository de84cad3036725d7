"""Selective Kernel Networks for Caffe: models, weights, tools."""
__version__ = "1.0.0"
