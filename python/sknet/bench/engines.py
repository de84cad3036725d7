"""What can run a model on a CPU: each engine a function that takes files of the model, a
batch's images and a number of threads, and gives a function without arguments that
computes the outputs of these images. Raises ImportError where the engine is not
installed. Each runs in a process of its own, which imports nothing for the others."""
from dataclasses import dataclass
from functools import partial


@dataclass(frozen=True)
class Engine:
    """start: the function.
    files: the attribute of a Source that it takes.
    package: whose version is told.
    precision: of its products' factors.
    own: whether it is this project's; its speed is set against the others'.
    """
    start: callable
    files: str
    package: str
    precision: str = "f32"
    own: bool = False


def caffe(files, images, threads):
    net = _net(files, images)
    net.blobs[net.inputs[0]].data[...] = images
    output, = net.outputs
    return lambda: net.forward()[output]


def compiled(files, images, threads, precision="f32"):
    program = _program(files, images, threads, precision)
    program.blobs[program.inputs[0]].data[...] = images
    output, = program.outputs
    return lambda: program.forward()[output]


def openvino(onnx, images, threads, precision="f32"):
    import openvino
    model = openvino.Core().read_model(onnx)
    model.reshape(images.shape)
    compiled = openvino.compile_model(model, "CPU", {
        "INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1,
        "INFERENCE_PRECISION_HINT": precision})
    request = compiled.create_infer_request()
    return lambda: request.infer({0: images})[0]


def onnxruntime(onnx, images, threads):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(onnx, options, ["CPUExecutionProvider"])
    data, = session.get_inputs()
    return lambda: session.run(None, {data.name: images})[0]


def torch(path, images, threads):
    import torch
    torch.set_num_threads(threads)
    model = torch.load(path, weights_only=False)
    batch = torch.from_numpy(images)

    def run():
        with torch.inference_mode():
            return model(batch).numpy()
    return run


def opencv(files, images, threads):
    import cv2
    if not hasattr(cv2.dnn, "readNetFromCaffe"):
        raise ImportError("this OpenCV imports no Caffe")
    cv2.setNumThreads(threads)
    net = cv2.dnn.readNetFromCaffe(*files)

    def run():
        net.setInput(images)
        return net.forward()
    return run


ENGINES = dict(
    caffe=Engine(caffe, "deploy", "sknet", own=True),
    compiled=Engine(compiled, "deploy", "onednn-cpu-gomp", own=True),
    openvino=Engine(openvino, "onnx", "openvino"),
    onnxruntime=Engine(onnxruntime, "onnx", "onnxruntime"),
    torch=Engine(torch, "torch", "torch"),
    opencv=Engine(opencv, "stock", "opencv-python-headless"))
for name in ("compiled", "openvino"):
    engine = ENGINES[name]
    ENGINES[f"{name}-bf16"] = Engine(partial(engine.start, precision="bf16"),
                                     engine.files, engine.package, "bf16", engine.own)


def explain(files, images, threads, precision="f32"):
    """The compiled net's steps, each with its time."""
    return _program(files, images, threads, precision).explain(20)


def _net(files, images):
    from sknet.pycaffe import caffe
    prototxt, caffemodel = files
    net = caffe.Net(prototxt, caffe.TEST, weights=caffemodel, allow="compute")
    net.blobs[net.inputs[0]].reshape(*images.shape)
    net.reshape()
    return net


def _program(files, images, threads, precision):
    from sknet.pycaffe import caffe
    return caffe.compile(_net(files, images), precision, threads)
