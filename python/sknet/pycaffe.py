"""The one door to the package caffe: `from sknet.pycaffe import caffe`.

Raises InputError where there is none, or a Caffe without this project's fields.
"""
from sknet.errors import InputError

# One of each message that caffe_ext/proto adds fields to.
FIELDS = {"LayerParameter": "cudnn_batch_norm_param",
          "BatchNormParameter": "scale_filler"}

try:
    import caffe
    from caffe.proto import caffe_pb2
# Another Caffe, or half a one, may raise anything.
except Exception as error:
    if isinstance(error, ModuleNotFoundError) and error.name == "caffe":
        raise InputError("the package caffe is not installed: run tools/setup.sh,"
                         " or pip install . without SKNET_NO_CAFFE") from error
    reason = str(error).partition("\n")[0]
    raise InputError(f"the package caffe cannot be imported: {reason}") from error

for message, field in FIELDS.items():
    if field not in getattr(caffe_pb2, message).DESCRIPTOR.fields_by_name:
        raise InputError(
            f"{caffe_pb2.__file__}: another Caffe's ({message} has no {field}); "
            "expected the package caffe that is built with sknet")
