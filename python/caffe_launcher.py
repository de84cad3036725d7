"""The commands that pip installs: each runs Caffe's tool of its own name.

Beside the package caffe and not in it: importing that takes half a second.
"""
import os
import runpy
import sys


def main():
    tool = os.path.basename(sys.argv[0])
    # Where the tool finds Python when a net has Python layers.
    os.environ['CAFFE_PYTHON'] = sys.executable
    package = os.path.join(os.path.dirname(__file__), 'caffe')
    runpy.run_path(os.path.join(package, 'environment.py'))
    os.execv(os.path.join(package, 'bin', tool), [tool] + sys.argv[1:])
