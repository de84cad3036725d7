"""Caffe's weight files."""
