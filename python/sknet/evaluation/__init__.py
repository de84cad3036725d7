"""How often a classifier is wrong."""
