"""What can run a model on a GPU: as sknet.bench.engines, but in place of a number of
threads with the GPU's. Images are there beforehand, in the form that the engine likes
best; each run ends with the outputs, as floats, in page-locked memory of the host."""
from contextlib import nullcontext
from functools import partial

from sknet.bench import engines
from sknet.bench.engines import Engine


def caffe(files, images, gpu):
    from sknet.engine import use_gpu
    use_gpu(gpu)
    return engines.caffe(files, images, None)


def compiled(files, images, gpu, precision="f32"):
    from sknet.engine import use_gpu
    use_gpu(gpu)
    return engines.compiled(files, images, 0, precision)


def torch(path, images, gpu, precision="f32", amp=False, compiled=False):
    """channels_last; cuDNN measures its algorithms (cudnn.benchmark).

    amp: autocast, the weights floats; else model and images are of the precision.
    compiled: by torch.compile, with CUDA graphs (mode reduce-overhead).
    """
    import torch
    torch.cuda.set_device(gpu)
    torch.backends.cudnn.benchmark = True
    tf32 = precision != "f32"
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = tf32
    kind = {"f16": torch.float16, "bf16": torch.bfloat16}.get(precision, torch.float32)
    form = dict(device="cuda", dtype=torch.float32 if amp else kind,
                memory_format=torch.channels_last)
    model = torch.load(path, weights_only=False).to(**form)
    batch = torch.from_numpy(images).to(**form)
    if compiled:
        model = torch.compile(model, mode="reduce-overhead")

    casting = partial(torch.autocast, "cuda", kind) if amp else nullcontext

    def forward():
        with torch.inference_mode(), casting():
            return model(batch)
    outputs = torch.empty(forward().shape, pin_memory=True)

    def run():
        outputs.copy_(forward(), non_blocking=True)
        torch.cuda.synchronize()
        return outputs.numpy()
    return run


def explain(files, images, gpu, precision="f32"):
    """The compiled net's steps, each with its time."""
    from sknet.engine import use_gpu
    use_gpu(gpu)
    return engines.explain(files, images, 0, precision)


ENGINES = dict(caffe=Engine(caffe, "deploy", "sknet", own=True))
for precision in ("f32", "tf32", "f16", "bf16"):
    end = "" if precision == "f32" else f"-{precision}"
    ENGINES[f"compiled{end}"] = Engine(partial(compiled, precision=precision), "deploy",
                                       "sknet", precision, own=True)
    for amp in (False, True) if precision in ("f16", "bf16") else (False,):
        for by_compiler in (False, True):
            name = "torch" + "-compile" * by_compiler + "-amp" * amp + end
            ENGINES[name] = Engine(
                partial(torch, precision=precision, amp=amp, compiled=by_compiler),
                "torch", "torch", precision)
