"""What can run a model here: each engine a function that takes a Source, a batch's
images and a number of threads, and gives a function without arguments that computes
the outputs of these images. Raises ImportError where the engine is not installed."""


def caffe(source, images, threads):
    net = source.net(len(images))
    net.blobs[source.input].data[...] = images
    output, = net.outputs
    return lambda: net.forward()[output]


def compiled(source, images, threads):
    from sknet.pycaffe import caffe
    program = caffe.compile(source.net(len(images)), threads=threads)
    program.forward(**{source.input: images})
    output, = program.outputs
    return lambda: program.forward()[output]


def openvino(source, images, threads):
    import openvino
    model = openvino.Core().read_model(source.onnx)
    model.reshape(images.shape)
    compiled = openvino.compile_model(model, "CPU", {
        "INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1,
        "INFERENCE_PRECISION_HINT": "f32"})
    request = compiled.create_infer_request()
    return lambda: request.infer({0: images})[0]


def onnxruntime(source, images, threads):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(source.onnx, options,
                                           ["CPUExecutionProvider"])
    return lambda: session.run(None, {source.input: images})[0]


def opencv(source, images, threads):
    import cv2
    if not hasattr(cv2.dnn, "readNetFromCaffe"):
        raise ImportError("this OpenCV imports no Caffe")
    cv2.setNumThreads(threads)
    net = cv2.dnn.readNetFromCaffe(*source.stock)

    def run():
        net.setInput(images)
        return net.forward()
    return run


def torch(source, images, threads):
    import onnx
    import torch
    from onnx2torch import convert
    torch.set_num_threads(threads)
    model, batch = convert(onnx.load(source.onnx)).eval(), torch.from_numpy(images)

    def run():
        with torch.inference_mode():
            return model(batch).numpy()
    return run


ENGINES = dict(caffe=caffe, compiled=compiled, openvino=openvino,
               onnxruntime=onnxruntime, torch=torch, opencv=opencv)
# The packages whose versions are told.
PACKAGES = dict(caffe="sknet", compiled="onednn-cpu-gomp", openvino="openvino",
                onnxruntime="onnxruntime", torch="torch",
                opencv="opencv-python-headless")
