"""The commands that pip installs: each runs Caffe's tool of its own name."""
import os
import sys


def main():
    tool = os.path.basename(sys.argv[0])
    # Where the tool finds Python when a net has Python layers.
    os.environ['CAFFE_PYTHON'] = sys.executable
    os.execv(os.path.join(os.path.dirname(__file__), 'bin', tool),
             [tool] + sys.argv[1:])
