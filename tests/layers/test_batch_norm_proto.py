"""The two meanings of batch_norm_param, in text and binary files."""
import caffe
import numpy as np
import pytest
from caffe.proto import caffe_pb2
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf import text_format
from layer_nets import forward, make_net, near

FILLERS = ("scale_filler { type: 'constant' value: 3 } "
           "bias_filler { type: 'constant' value: 5 }")
SKNET = "batch_norm_param { frozen: true momentum: 0.95 %s }" % FILLERS
GENET = "cudnn_" + SKNET


def author_proto(field):
    """NetParameter of an author's caffe.proto: ours without our additions, and
    at tag 200 the author's message under the given name."""
    file = descriptor_pb2.FileDescriptorProto()
    caffe_pb2.DESCRIPTOR.CopyToProto(file)
    file.name, file.package = f"{field}.proto", field
    for message in file.message_type:
        for entry in message.field:
            if entry.type_name:
                entry.type_name = entry.type_name.replace(".caffe.",
                                                          f".{field}.")
            if message.name == "LayerParameter" and entry.number == 200:
                entry.name = field
        if message.name == "LayerParameter" and field == "batch_norm_param":
            bvlc = next(entry for entry in message.field
                        if entry.number == 139)
            message.field.remove(bvlc)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(
        pool.FindMessageTypeByName(f"{field}.NetParameter"))


@pytest.mark.parametrize("param", [SKNET, GENET])
def test_authors_text(tmp_path, param):
    net = make_net(tmp_path / "net.prototxt", {"x": (4, 3)},
                   "layer { name: 'bn' type: 'CuDNNBatchNorm' bottom: 'x' "
                   "top: 'y' %s }" % param, caffe.TRAIN)
    scale, bias, mean, var = (blob.data for blob in net.params["bn"])
    assert (scale == 3).all() and (bias == 5).all()
    assert (mean == 0).all() and (var == 1).all()  # frozen is understood
    x = np.random.default_rng(0).normal(size=(4, 3))
    near(forward(net, x=x), 3 * x / np.sqrt(1 + 1e-5) + 5)


@pytest.mark.parametrize("name", ["batch_norm_param", "cudnn_batch_norm_param"])
def test_momentum_and_eps_of_either_name(tmp_path, name):
    net = make_net(tmp_path / "net.prototxt", {"x": (4, 3)},
                   "layer { name: 'bn' type: 'CuDNNBatchNorm' bottom: 'x' "
                   "top: 'y' %s { momentum: 0.75 eps: 2 } }" % name,
                   caffe.TRAIN)
    x = np.random.default_rng(0).normal(size=(4, 3))
    near(forward(net, x=x), (x - x.mean(0)) / np.sqrt(x.var(0) + 2))
    near(net.params["bn"][2].data.ravel(), x.mean(0) / 4)


def test_bvlc_text_keeps_its_meaning(tmp_path):
    """BVLC's BatchNorm: three blobs, and the global statistics if asked for."""
    text = ("layer { name: 'bn' type: 'BatchNorm' bottom: 'x' top: 'y' "
            "batch_norm_param { use_global_stats: %s "
            "moving_average_fraction: 0.5 eps: 1e-3 } }")
    x = np.random.default_rng(0).normal(3, 2, (8, 3)).astype(np.float32)
    net = make_net(tmp_path / "net.prototxt", {"x": x.shape}, text % "false")
    near(forward(net, x=x), (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-3))
    mean, var, factor = (blob.data for blob in net.params["bn"])
    near(mean / factor, x.mean(0))
    fixed = make_net(tmp_path / "fixed.prototxt", {"x": x.shape}, text % "true",
                     caffe.TRAIN)
    for blob, value in zip(fixed.params["bn"], ([2] * 3, [8] * 3, [2])):
        blob.data[...] = value
    near(forward(fixed, x=x), (x - 1) / np.sqrt(4 + 1e-3))


def test_bvlc_binary_keeps_its_tag():
    """Tag 139, fields 1 to 3, byte by byte as BVLC's protoc writes them."""
    layer = caffe_pb2.LayerParameter.FromString(
        b"\xda\x08\x07"         # tag 139, 7 bytes:
        b"\x08\x01"             # use_global_stats
        b"\x15\x00\x00\x00\x3f")  # moving_average_fraction
    assert layer.batch_norm_param.use_global_stats
    assert layer.batch_norm_param.moving_average_fraction == 0.5
    assert not layer.HasField("cudnn_batch_norm_param")


@pytest.mark.parametrize("field", ["batch_norm_param", "cudnn_batch_norm_param"])
def test_authors_binary(tmp_path, field):
    """A caffemodel with tag 200, written with an author's own proto."""
    author = author_proto(field)()
    text_format.Parse(
        "layer { name: 'bn' type: 'CuDNNBatchNorm' bottom: 'x' top: 'y' "
        "%s { frozen: true momentum: 0.95 eps: 0.25 %s } }" % (field, FILLERS),
        author)
    for value in 3, 5, 1, 0.75:
        blob = author.layer[0].blobs.add()
        blob.shape.dim.extend([1, 2, 1, 1])
        blob.data.extend([value] * 2)
    data = author.SerializeToString()
    assert b"\xc2\x0c" in data  # key of tag 200

    read = caffe_pb2.NetParameter.FromString(data).layer[0]
    param = read.cudnn_batch_norm_param
    assert param.frozen and param.scale_filler.value == 3
    near([param.momentum, param.eps], [0.95, 0.25], 1e-7)
    assert not read.HasField("batch_norm_param")

    (tmp_path / "net.caffemodel").write_bytes(data)
    net = make_net(tmp_path / "net.prototxt", {"x": (4, 2)},
                   "layer { name: 'bn' type: 'CuDNNBatchNorm' bottom: 'x' "
                   "top: 'y' batch_norm_param { eps: 0.25 } }")
    net.copy_from(str(tmp_path / "net.caffemodel"))
    x = np.random.default_rng(0).normal(size=(4, 2))
    near(forward(net, x=x), (x - 1) * 3 + 5)


def test_defaults():
    for message in (caffe_pb2.BatchNormParameter(),
                    caffe_pb2.CuDNNBatchNormParameter()):
        near([message.momentum, message.eps], [0.999, 1e-5], 1e-7)
        assert not message.frozen
