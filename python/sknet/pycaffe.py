"""The one door to the package caffe: `from sknet.pycaffe import caffe`.

Raises InputError where there is none, or a Caffe without this project's fields.
"""
from sknet.errors import InputError

# Of each addition in caffe_ext/proto, a field or two that tell it.
FIELDS = (("LayerParameter", "cudnn_batch_norm_param"),
          ("BatchNormParameter", "scale_filler"),
          ("LayerParameter", "interp_param"),
          ("LossParameter", "label_smoothing"),
          ("LayerParameter", "augmented_data_param"),
          ("TransformationParameter", "min_area_ratio"))

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

messages = caffe_pb2.DESCRIPTOR.message_types_by_name
for message, field in FIELDS:
    if message not in messages or field not in messages[message].fields_by_name:
        raise InputError(
            f"{caffe_pb2.__file__}: another Caffe's, or an old one's ({message} "
            f"has no {field}); expected the package caffe that is built with sknet")
