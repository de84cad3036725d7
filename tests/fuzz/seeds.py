"""Makes what the harnesses start from: python seeds.py OUT PROTO

OUT/run is the folder that they run in, with the files that inputs may name;
OUT/seeds/TARGET has the inputs. PROTO is the folder of the build's caffe_pb2."""
import io
import shutil
import sys
from pathlib import Path

import h5py
import lmdb
import numpy as np
from google.protobuf import text_format
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent.parent
OUT, PROTO = map(Path, sys.argv[1:])
sys.path.insert(0, str(PROTO))
import caffe_pb2  # noqa: E402

RANDOM = np.random.default_rng(1)

# A layer of each type that the zoo lacks: type, shapes of its bottoms, the rest.
LAYERS = [line.split("|") for line in """\
AbsVal | 2x3 |
Accuracy | 4x5 4 | accuracy_param { top_k: 2 ignore_label: 1 }
ArgMax | 2x5x3 | argmax_param { top_k: 2 axis: 1 out_max_val: true }
BNLL | 2x3 |
BatchNorm | 2x3x4x4 | batch_norm_param { eps: 0.001 }
BatchReindex | 4x3 2 |
Bias | 2x3x4 | bias_param { axis: 1 num_axes: 2 }
Bias | 2x3x4 3 | bias_param { axis: 1 }
BroadcastProduct | 2x3x4x4 2x1x4x4 |
ChannelPooling | 2x3x4x4 | pooling_param { pool: AVE }
Clip | 2x3 | clip_param { min: -1 max: 1 }
ContrastiveLoss | 4x3 4x3 4 | contrastive_loss_param { margin: 2 }
Convolution | 1x2x3x4x5 | convolution_param { num_output: 2 kernel_size: 2 dilation: 1 }
Convolution | 1x4x6x6 | convolution_param { num_output: 2 kernel_h: 2 kernel_w: 3 group: 2 pad: 1 stride_h: 2 stride_w: 1 force_nd_im2col: true }
Crop | 2x3x6x6 2x3x4x4 | crop_param { axis: 2 offset: 1 offset: 2 }
CuDNNBatchNorm | 2x3x4x4 | batch_norm_param { momentum: 0.9 scale_filler { value: 1 } }
Deconvolution | 1x2x3x3 | convolution_param { num_output: 2 kernel_size: 4 stride: 2 pad: 1 group: 2 weight_filler { type: 'bilinear' } }
DepthwiseConvolution | 1x4x6x6 | convolution_param { num_output: 4 group: 4 kernel_size: 3 pad: 1 weight_filler { type: 'msra' } }
Dropout | 2x3 | dropout_param { dropout_ratio: 0.4 }
DummyData | | dummy_data_param { shape { dim: 2 dim: 3 } data_filler { type: 'gaussian' std: 2 sparse: 1 } }
ELU | 2x3 | elu_param { alpha: 0.5 }
Eltwise | 2x3 2x3 | eltwise_param { operation: SUM coeff: 1 coeff: -1 }
Eltwise | 2x3 2x3 | eltwise_param { operation: PROD stable_prod_grad: false }
Embed | 4 | embed_param { num_output: 3 input_dim: 5 }
EuclideanLoss | 4x3 4x3 | loss_weight: 0.5
Exp | 2x3 | exp_param { base: 2 scale: 3 shift: 1 }
Filter | 4x3 4x1 |
Flatten | 2x3x4x5 | flatten_param { axis: 1 end_axis: -2 }
HDF5Data | | hdf5_data_param { source: 'h5.txt' batch_size: 2 shuffle: true }
HDF5Output | 4x3 4 | hdf5_output_param { file_name: 'output.h5' }
HingeLoss | 4x3 4 | hinge_loss_param { norm: L2 }
Im2col | 1x2x5x5 | convolution_param { kernel_size: 3 pad: 1 stride: 2 }
ImageData | | image_data_param { source: 'images.txt' batch_size: 2 new_height: 9 new_width: 8 shuffle: true } transform_param { crop_size: 7 mirror: true mean_value: 3 }
AugmentedData | | image_data_param { source: 'images.txt' batch_size: 2 } augmented_data_param { threads: 2 seed: 3 shuffle: true } transform_param { crop_size: 6 shorter_side: 8 min_area_ratio: 0.1 max_aspect_ratio: 1.3 max_rotation_angle: 10 max_pixel_jitter: 20 mirror: true }
AugmentedData | | data_param { source: 'lmdb' backend: LMDB batch_size: 2 } transform_param { crop_size: 6 force_color: true }
Data | | data_param { source: 'lmdb' backend: LMDB batch_size: 2 prefetch: 1 } transform_param { scale: 0.1 mean_file: 'mean.binaryproto' crop_size: 5 }
WindowData | | window_data_param { source: 'windows.txt' batch_size: 2 crop_size: 6 context_pad: 1 fg_fraction: 0.5 crop_mode: 'square' cache_images: true } transform_param { mirror: true crop_size: 6 }
InfogainLoss | 4x3 4 | infogain_loss_param { source: 'infogain.binaryproto' axis: 1 }
InnerProduct | 2x3x4 | inner_product_param { num_output: 2 axis: 1 transpose: true weight_filler { type: 'positive_unitball' } }
Interp | 1x2x3x4 | interp_param { zoom_factor: 2 }
Interp | 1x2x3x4 1x1x5x5 |
LRN | 1x5x3x3 | lrn_param { local_size: 3 alpha: 0.1 }
LRN | 1x5x3x3 | lrn_param { local_size: 3 norm_region: WITHIN_CHANNEL }
LSTM | 3x2x4 3x2 | recurrent_param { num_output: 2 weight_filler { type: 'uniform' } }
LSTM | 3x2x4 3x2 2x5 1x2x2 1x2x2 | recurrent_param { num_output: 2 expose_hidden: true } top: 'h' top: 'c'
RNN | 3x2x4 3x2 2x3 | recurrent_param { num_output: 2 debug_info: true }
Log | 2x3 | log_param { base: 2 shift: 3 }
MVN | 2x3x4x4 | mvn_param { normalize_variance: true across_channels: true }
MemoryData | | memory_data_param { batch_size: 2 channels: 1 height: 2 width: 2 }
MultinomialLogisticLoss | 4x3 4 |
PReLU | 2x3x4 | prelu_param { channel_shared: true filler { value: 0.1 } }
Parameter | | parameter_param { shape { dim: 2 dim: 3 } }
Pooling | 1x2x6x6 | pooling_param { pool: STOCHASTIC kernel_size: 3 stride: 2 }
Pooling | 1x2x6x6 | pooling_param { pool: AVE kernel_h: 3 kernel_w: 2 pad_h: 1 pad_w: 1 round_mode: FLOOR }
Power | 2x3 | power_param { power: 2 scale: 3 shift: 1 }
Reduction | 2x3x4 | reduction_param { operation: SUMSQ axis: 1 coeff: 2 }
Reduction | 2x3x4 | reduction_param { operation: MEAN axis: -1 }
Reshape | 2x3x4 | reshape_param { shape { dim: 0 dim: -1 dim: 2 } axis: 0 num_axes: 3 }
SPP | 1x2x6x6 | spp_param { pyramid_height: 2 pool: AVE }
Scale | 2x3x4 3 | scale_param { axis: 1 bias_term: true }
Sigmoid | 2x3 |
SigmoidCrossEntropyLoss | 4x3 4x3 | loss_param { ignore_label: 0 normalization: FULL }
Silence | 2x3 |
Slice | 2x6x2 | slice_param { axis: 1 slice_point: 2 } top: 'more'
Softmax | 2x3x2 | softmax_param { axis: 1 }
SoftmaxWithLoss | 4x3 4 | loss_param { ignore_label: 1 normalize: true label_smoothing: 0.1 } loss_weight: 1 loss_weight: 0 top: 'more'
Split | 2x3 | top: 'more'
Swish | 2x3 | swish_param { beta: 0.5 }
TanH | 2x3 |
Threshold | 2x3 | threshold_param { threshold: 0.5 }
Tile | 2x3x2 | tile_param { axis: 1 tiles: 3 }""".splitlines()]

# What weights and states are loaded into; the shapes of its parameters.
WEIGHTS = {
    "conv": [(4, 3, 3, 3), (4,)], "bn": [(4,), (4,), (1,)],
    "scale": [(4,), (4,)], "cudnn": [(1, 4, 1, 1)] * 4, "prelu": [(4,)],
    "depthwise": [(4, 1, 3, 3), (4,)], "ip": [(3, 64), (3,)],
    "twin": [(3, 64), (3,)]}
WEIGHTS_NET = """
layer { name: 'data' type: 'DummyData' top: 'data' top: 'label'
  dummy_data_param { shape { dim: 2 dim: 3 dim: 6 dim: 6 } shape { dim: 2 }
    data_filler { type: 'gaussian' } data_filler { value: 1 } } }
layer { name: 'conv' type: 'Convolution' bottom: 'data' top: 'conv'
  convolution_param { num_output: 4 kernel_size: 3 } }
layer { name: 'bn' type: 'BatchNorm' bottom: 'conv' top: 'conv' }
layer { name: 'scale' type: 'Scale' bottom: 'conv' top: 'conv'
  scale_param { bias_term: true } }
layer { name: 'cudnn' type: 'CuDNNBatchNorm' bottom: 'conv' top: 'cudnn' }
layer { name: 'prelu' type: 'PReLU' bottom: 'cudnn' top: 'cudnn' }
layer { name: 'depthwise' type: 'DepthwiseConvolution' bottom: 'cudnn'
  top: 'depthwise'
  convolution_param { num_output: 4 group: 4 kernel_size: 3 pad: 1 } }
layer { name: 'ip' type: 'InnerProduct' bottom: 'depthwise' top: 'ip'
  param { name: 'shared' } inner_product_param { num_output: 3 } }
layer { name: 'twin' type: 'InnerProduct' bottom: 'cudnn' top: 'twin'
  param { name: 'shared' } inner_product_param { num_output: 3 } }
layer { name: 'sum' type: 'Eltwise' bottom: 'ip' bottom: 'twin' top: 'sum' }
layer { name: 'loss' type: 'SoftmaxWithLoss' bottom: 'sum' bottom: 'label'
  top: 'loss' }"""
RUN = {
    "weights_net.prototxt": WEIGHTS_NET,
    "solver.prototxt": """net: 'weights_net.prototxt' solver_mode: CPU base_lr: 0.1
        momentum: 0.9 weight_decay: 0.1 lr_policy: 'multistep' gamma: 0.1
        stepvalue: 10 stepvalue: 20 display: 3 average_loss: 2""",
    "hdf5_data.prototxt": """layer { name: 'data' type: 'HDF5Data' top: 'data'
        top: 'label' hdf5_data_param { source: 'input.txt' batch_size: 3 } }""",
    "input.txt": "input.h5\n",
    "image_data.prototxt": """layer { name: 'data' type: 'ImageData' top: 'data'
        top: 'label' image_data_param { source: 'input_images.txt' } }""",
    "augmented_data.prototxt": """layer { name: 'data' type: 'AugmentedData'
        top: 'data' top: 'label' augmented_data_param { threads: 1 seed: 1 }
        image_data_param { source: 'input_images.txt' is_color: false }
        transform_param { crop_size: 8 shorter_side: 9 min_area_ratio: 0.1
          max_rotation_angle: 10 } }""",
    "data.prototxt": """layer { name: 'data' type: 'Data' top: 'data' top: 'label'
        data_param { source: 'input_lmdb' backend: LMDB batch_size: 1 prefetch: 1 } }
        layer { name: 'augmented' type: 'AugmentedData' top: 'augmented'
        data_param { source: 'input_lmdb' backend: LMDB batch_size: 1 prefetch: 1 }
        augmented_data_param { threads: 1 seed: 1 } }""",
    "input_images.txt": "input.image 1\n",
    "images.txt": "image.png 0\nimage.jpg 1\n",
    "h5.txt": "data.h5\n",
    "windows.txt": "# 0\nimage.png\n3\n12\n10\n2\n1 0.9 0 0 5 5\n0 0.1 2 2 9 9\n",
}


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, str):
        content = content.encode()
    path.write_bytes(content)


def values(shape):
    return RANDOM.normal(size=shape).astype(np.float32)


def blob(shape, message=None):
    message = message or caffe_pb2.BlobProto()
    message.shape.dim.extend(shape)
    message.data.extend(values(shape).ravel())
    return message


# ---- nets

def input_layer(shapes):
    net = caffe_pb2.NetParameter()
    for i, shape in enumerate(shapes):
        layer = net.layer.add(name=f"data{i}", type="DummyData", top=[f"data{i}"])
        layer.dummy_data_param.shape.add(dim=shape)
        layer.dummy_data_param.data_filler.add(type="uniform")
    net.force_backward = True
    return net


def one_layer_net(layer, shapes):
    net = input_layer(shapes)
    new = net.layer.add()
    new.CopyFrom(layer)
    new.name = "layer"
    new.bottom[:] = [f"data{i}" for i in range(len(shapes))]
    new.top[:] = ["top", *new.top[1:]] if new.top or shapes else []
    return net


def listed_nets():
    for number, (kind, shapes, rest) in enumerate(LAYERS):
        kind = kind.strip()
        shapes = [[int(dim) for dim in shape.split("x")]
                  for shape in shapes.split()]
        layer = caffe_pb2.LayerParameter(type=kind, top=["top"])
        if kind in ("ImageData", "HDF5Data", "MemoryData", "WindowData", "Data"):
            layer.top.append("label")
        if kind in ("Silence", "HDF5Output"):
            del layer.top[:]
        text_format.Merge(rest, layer)
        net = one_layer_net(layer, shapes)
        if kind in ("Silence", "HDF5Output"):
            del net.layer[-1].top[:]
        yield f"{kind.lower()}_{number}", net


def zoo_nets():
    """The zoo's layers, each kind of parameters once, small and alone."""
    seen = set()
    for path in sorted(ROOT.glob("prototxt/*/*.prototxt")):
        if path.stem not in ("deploy", "train_val"):
            continue
        net = text_format.Parse(path.read_text(), caffe_pb2.NetParameter(),
                                allow_unknown_field=True)
        for layer in net.layer:
            if layer.type in ("Input", "Data", "AugmentedData"):
                continue
            for param in (layer.convolution_param, layer.inner_product_param):
                if param.HasField("num_output"):
                    param.num_output = 4
            if layer.convolution_param.group > 1:
                layer.convolution_param.group = (
                    4 if layer.type.startswith("Depth") else 2)
            points = layer.slice_param.slice_point
            points[:] = range(1, len(points) + 1)
            shape = [2, 4, 9, 9]
            shapes = [shape] * len(layer.bottom)
            if layer.type == "Axpy":
                shapes[0] = [2, 4, 1, 1]
            if layer.type in ("Accuracy", "SoftmaxWithLoss"):
                shapes[:] = [[2, 4], [2]]
            small = one_layer_net(layer, shapes)
            text = text_format.MessageToString(small)
            if text not in seen:
                seen.add(text)
                yield f"zoo_{len(seen)}_{layer.type.lower()}", small


def old_net():
    return """name: 'old' input: 'data' input_dim: 1 input_dim: 3 input_dim: 8
input_dim: 8
layers { name: 'conv' type: CONVOLUTION bottom: 'data' top: 'conv' blobs_lr: 1
  weight_decay: 1 convolution_param { num_output: 2 kernel_size: 3 } }
layers { name: 'relu' type: RELU bottom: 'conv' top: 'conv' }
layers { name: 'pool' type: POOLING bottom: 'conv' top: 'pool'
  pooling_param { kernel_size: 2 stride: 2 } }"""


def older_net():
    return """input: 'data' input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8
layers { layer { name: 'pad' type: 'padding' pad: 1 } bottom: 'data' top: 'pad' }
layers { layer { name: 'conv' type: 'conv' num_output: 2 kernelsize: 3
  weight_filler { type: 'xavier' } } bottom: 'pad' top: 'conv' }
layers { layer { name: 'ip' type: 'innerproduct' num_output: 2 } bottom: 'conv'
  top: 'ip' }"""


# ---- weights and states

def caffemodel():
    net = caffe_pb2.NetParameter()
    for name, shapes in WEIGHTS.items():
        layer = net.layer.add(name=name)
        for shape in shapes:
            blob(shape, layer.blobs.add())
    return net


def old_caffemodel():
    net = caffe_pb2.NetParameter()
    for name, kind in (("conv", "CONVOLUTION"), ("ip", "INNER_PRODUCT")):
        layer = net.layers.add(
            name=name, type=caffe_pb2.V1LayerParameter.LayerType.Value(kind))
        for shape in WEIGHTS[name]:
            new = layer.blobs.add()
            dims = (1, 1, 1, 1, *shape)[-4:]
            new.num, new.channels, new.height, new.width = dims
            new.data.extend(values(shape).ravel())
    return net


def history():
    """The shapes of the learnable parameters; twin's weights are ip's."""
    return [shape for name, shapes in WEIGHTS.items()
            for i, shape in enumerate(shapes) if (name, i) != ("twin", 0)]


def hdf5(fill, **options):
    file = io.BytesIO()
    with h5py.File(file, "w", **options) as h5:
        fill(h5)
    return file.getvalue()


def fill_weights(h5):
    for name, shapes in WEIGHTS.items():
        for i, shape in enumerate(shapes):
            if (name, i) != ("twin", 0):
                h5[f"data/{name}/{i}"] = values(shape)


def fill_state(h5):
    h5["iter"] = np.array([5], np.int32)
    h5["current_step"] = np.array([0], np.int32)
    for i, shape in enumerate(history()):
        h5[f"history/{i}"] = values(shape)


def fill_data(h5):
    h5["data"] = h5["top"] = values((4, 2, 3))
    h5["label"] = np.arange(4)


def fill_chunked(h5):
    h5.create_dataset("data", data=values((4, 2)), chunks=(2, 2),
                      compression="gzip", shuffle=True, fletcher32=True)
    h5.create_dataset("label", data=np.arange(4, dtype="f8"), maxshape=(None,))
    h5["text"] = "text"
    h5.attrs["attribute"] = 3
    h5["alias"] = h5py.SoftLink("/data")


# ---- images

def encoded(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def images():
    pixels = RANDOM.integers(0, 256, (10, 12, 3), np.uint8)
    rgb = Image.fromarray(pixels)
    yield "rgb.png", encoded(rgb, "PNG")
    yield "gray.png", encoded(rgb.convert("L"), "PNG")
    yield "palette.png", encoded(rgb.quantize(4), "PNG", bits=2)
    yield "rgba.png", encoded(rgb.convert("RGBA"), "PNG")
    yield "deep.png", encoded(Image.fromarray(
        pixels[..., 0].astype(np.uint16) * 257), "PNG")
    yield "rgb.jpg", encoded(rgb, "JPEG")
    yield "gray.jpg", encoded(rgb.convert("L"), "JPEG")
    yield "progressive.jpg", encoded(rgb, "JPEG", progressive=True)
    yield "cmyk.jpg", encoded(rgb.convert("CMYK"), "JPEG")
    yield "rgb.bmp", encoded(rgb, "BMP")
    yield "palette.bmp", encoded(rgb.quantize(4), "BMP")
    yield "rgb.ppm", encoded(rgb, "PPM")
    yield "rgb.webp", encoded(rgb, "WEBP", lossless=True)
    yield "lossy.webp", encoded(rgb, "WEBP")
    yield "rgb.tiff", encoded(rgb, "TIFF")
    yield "packed.tiff", encoded(rgb, "TIFF", compression="tiff_lzw")


def datums(pictures):
    raw = caffe_pb2.Datum(channels=3, height=4, width=5, data=bytes(range(60)))
    yield "raw.datum", raw
    yield "floats.datum", caffe_pb2.Datum(channels=1, height=2, width=2, label=1,
                                          float_data=[1, 2, 3, 4])
    for name in ("rgb.png", "gray.jpg"):
        yield f"{name}.datum", caffe_pb2.Datum(data=pictures[name], encoded=True)


def main():
    shutil.rmtree(OUT / "run", ignore_errors=True)
    shutil.rmtree(OUT / "seeds", ignore_errors=True)
    run, seeds = OUT / "run", OUT / "seeds"
    pictures = dict(images())
    for name, content in RUN.items():
        write(run / name, content)
    write(run / "image.png", pictures["rgb.png"])
    write(run / "image.jpg", pictures["rgb.jpg"])
    write(run / "data.h5", hdf5(fill_data))
    write(run / "mean.binaryproto", blob((1, 3, 10, 12)).SerializeToString())
    write(run / "infogain.binaryproto", blob((1, 1, 3, 3)).SerializeToString())
    (run / "input_lmdb").mkdir()
    with lmdb.open(str(run / "lmdb")) as env, env.begin(write=True) as records:
        for i in range(2):
            datum = caffe_pb2.Datum(channels=3, height=10, width=12, label=i,
                                    data=RANDOM.bytes(360))
            records.put(b"%d" % i, datum.SerializeToString())

    for name, net in (*listed_nets(), *zoo_nets()):
        write(seeds / "net_text" / name, text_format.MessageToString(net))
    write(seeds / "net_text/weights", WEIGHTS_NET)
    write(seeds / "net_text/old", old_net())
    write(seeds / "net_text/older", older_net())
    write(seeds / "weights/new", caffemodel().SerializeToString())
    write(seeds / "weights/old", old_caffemodel().SerializeToString())
    write(run / "learned.caffemodel", caffemodel().SerializeToString())
    state = caffe_pb2.SolverState(iter=5, history=map(blob, history()))
    write(seeds / "solver_state/state", state.SerializeToString())
    state.learned_net = "learned.caffemodel"
    write(seeds / "solver_state/with_net", state.SerializeToString())
    for name, fill in (("weights", fill_weights), ("state", fill_state),
                       ("data", fill_data), ("chunked", fill_chunked)):
        write(seeds / "hdf5" / name, hdf5(fill))
        write(seeds / "hdf5" / f"{name}_latest", hdf5(fill, libver="latest"))
    for name, content in pictures.items():
        write(seeds / "image_data" / name, content)
    for name, datum in datums(pictures):
        write(seeds / "image_data" / name, datum.SerializeToString())


if __name__ == "__main__":
    main()
