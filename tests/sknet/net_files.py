"""Nets as files, for the tests of this folder."""
from sknet.text import to_text


def write_net(path, net):
    """Write a NetParameter to a Path as text; return the path as a string."""
    path.write_text(to_text(net))
    return str(path)
