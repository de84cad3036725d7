"""Data layers open any file, and so do fields of layers that else compute; their
values come out as the net's results, or their text in errors."""
import caffe
import pytest
from caffe.proto import caffe_pb2

SOURCES = {
    "Data": 'data_param { source: "SECRET" batch_size: 1 backend: LMDB }',
    "AugmentedData": 'image_data_param { source: "SECRET" batch_size: 1 }',
    "ImageData": 'image_data_param { source: "SECRET" batch_size: 1 }',
    "HDF5Data": 'hdf5_data_param { source: "SECRET" batch_size: 1 }',
    "WindowData": 'window_data_param { source: "SECRET" batch_size: 1 }',
}
LAYER = 'layer { name: "reader" type: "%s" top: "x" top: "y" %s }'
MEMORY = LAYER % ("MemoryData", """
  memory_data_param { batch_size: 1 channels: 1 height: 1 width: 1 }
  transform_param { %s: "SECRET" }""")
INFOGAIN = """
layer { name: "data" type: "DummyData" top: "data" top: "label"
  dummy_data_param { shape { dim: 2 dim: 3 } shape { dim: 2 } } }
layer { name: "reader" type: "InfogainLoss" bottom: "data" bottom: "label" top: "x"
  infogain_loss_param { source: "SECRET" } }"""

# All text in a LayerParameter, and why "compute" may have it.
NAMES = "names, of blobs, parameters and such"
UNUSED = "belongs to a type of layer that is not allowed"
CHECKED = "is refused"
WORD = "a word of a list"
TEXT = {
    "name": NAMES, "type": WORD, "bottom": NAMES, "top": NAMES, "param.name": NAMES,
    "include.stage": NAMES, "include.not_stage": NAMES,
    "exclude.stage": NAMES, "exclude.not_stage": NAMES,
    "transform_param.mean_file": CHECKED, "infogain_loss_param.source": CHECKED,
    "data_param.source": UNUSED, "data_param.mean_file": UNUSED,
    "image_data_param.source": UNUSED, "image_data_param.mean_file": UNUSED,
    "image_data_param.root_folder": UNUSED, "hdf5_data_param.source": UNUSED,
    "hdf5_output_param.file_name": UNUSED, "window_data_param.source": UNUSED,
    "window_data_param.mean_file": UNUSED, "window_data_param.crop_mode": UNUSED,
    "window_data_param.root_folder": UNUSED,
    "memory_data_param": UNUSED, "python_param.module": UNUSED,
    "python_param.layer": UNUSED, "python_param.param_str": UNUSED,
}


@pytest.fixture
def secret(write):
    return write("a secret\n", "secret")


def test_every_reading_layer_is_tried():
    assert SOURCES.keys() == set(caffe.allowed_layer_types("read"))


@pytest.mark.parametrize("kind", SOURCES)
def test_data_layers(write, secret, kind):
    net = write((LAYER % (kind, SOURCES[kind])).replace("SECRET", secret))
    with pytest.raises(caffe.Error, match=f"{kind} may do more than compute: ") as caught:
        caffe.Net(net, caffe.TEST, allow="compute")
    assert secret not in str(caught.value)
    # Not the data that the layer wants, but opened.
    with pytest.raises(caffe.Error) as caught:
        caffe.Net(net, caffe.TEST, allow="read")
    assert "may do more" not in str(caught.value)


@pytest.mark.parametrize("text", [MEMORY % "mean_file", INFOGAIN],
                         ids=["mean_file", "infogain"])
def test_fields(write, secret, text):
    net = write(text.replace("SECRET", secret))
    with pytest.raises(caffe.Error, match="the layer reads a file: only a prototxt") \
            as caught:
        caffe.Net(net, caffe.TEST, allow="compute")
    assert caught.value.layer == "reader"
    # A file that holds no values.
    with pytest.raises(caffe.Error, match="values of a blob of the shape"):
        caffe.Net(net, caffe.TEST, allow="read")


@pytest.mark.parametrize("text", [
    """layers { name: "reader" type: IMAGE_DATA top: "x" top: "y"
         image_data_param { source: "SECRET" batch_size: 1 } }""",
    """layers { layer { name: "reader" type: "data" source: "SECRET" batchsize: 1 }
         top: "x" top: "y" }""",
    """layers { name: "reader" type: MEMORY_DATA top: "x" top: "y"
         memory_data_param { batch_size: 1 channels: 1 height: 1 width: 1 }
         transform_param { mean_file: "SECRET" } }"""], ids=["V1", "V0", "V1 mean"])
def test_files_of_older_formats(write, secret, text):
    with pytest.raises(caffe.Error, match="only a prototxt that is trusted"):
        caffe.Net(write(text.replace("SECRET", secret)), caffe.TEST, allow="compute")


def test_all_text_is_decided():
    """A new field that could name a file is noticed here."""
    def texts(message, path=""):
        for field in message.fields:
            name = path + field.name
            if field.type == field.TYPE_STRING:
                yield name
            elif field.message_type and "Filler" not in field.message_type.name:
                yield from texts(field.message_type, f"{name}.")
    found = set(texts(caffe_pb2.LayerParameter.DESCRIPTOR))
    assert found <= TEXT.keys(), found - TEXT.keys()
