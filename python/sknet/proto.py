"""The one door to Caffe's messages: `from sknet.proto import caffe_pb2`.

protobuf refuses two files named caffe.proto in one process, so the package
caffe owns the messages, and everything here takes them from it.
"""
from sknet.errors import InputError

try:
    from caffe.proto import caffe_pb2  # noqa: F401
except ImportError as error:
    raise InputError(f"the package caffe cannot be imported ({error}): run "
                     "tools/setup.sh, or pip install .") from error
