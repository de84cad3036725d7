"""The commands that pip installs: each runs Caffe's tool of its own name.

Beside the package caffe and not in it: importing that takes half a second.
"""
import os
import sys


def main():
    tool = os.path.basename(sys.argv[0])
    # Where the tool finds Python when a net has Python layers.
    os.environ['CAFFE_PYTHON'] = sys.executable
    # As in caffe/compiled.py, for -engine compiled.
    os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')
    os.execv(os.path.join(os.path.dirname(__file__), 'caffe', 'bin', tool),
             [tool] + sys.argv[1:])
