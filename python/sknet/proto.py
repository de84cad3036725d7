"""The one door to Caffe's messages: `from sknet.proto import caffe_pb2`.

Built with Caffe, sknet takes them from the package caffe, so that they are the
same classes. Built without (SKNET_NO_CAFFE), it brings caffe.proto's descriptor,
and keeps the messages in a pool of their own: protobuf refuses two files named
caffe.proto in one pool, and the user may have some other Caffe to import.
"""
from pathlib import Path
from types import ModuleType

DESCRIPTOR_SET = Path(__file__).with_name("caffe.binpb")


def _own_messages():
    """As protoc's own Python files do it, but for the pool."""
    from google.protobuf import descriptor_pb2, descriptor_pool
    from google.protobuf.internal import builder
    file, = descriptor_pb2.FileDescriptorSet.FromString(
        DESCRIPTOR_SET.read_bytes()).file
    descriptor = descriptor_pool.DescriptorPool().AddSerializedFile(
        file.SerializeToString())
    module = ModuleType(f"{__name__}.caffe_pb2")
    module.DESCRIPTOR = descriptor
    builder.BuildMessageAndEnumDescriptors(descriptor, vars(module))
    builder.BuildTopDescriptorsAndMessages(descriptor, module.__name__,
                                           vars(module))
    return module


if DESCRIPTOR_SET.exists():
    caffe_pb2 = _own_messages()
else:
    from sknet.pycaffe import caffe
    caffe_pb2 = caffe.proto.caffe_pb2
