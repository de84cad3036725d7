"""Engines side by side: `sknet bench`."""
