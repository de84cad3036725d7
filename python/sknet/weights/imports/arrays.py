"""The named arrays in files of other libraries."""
from sknet.errors import InputError

# Around a state dict in a training's checkpoint; and before each name, what
# DataParallel puts there.
_WRAPPERS = ("state_dict", "model", "model_state_dict")
_PREFIX = "module."


def read_arrays(path):
    """Return {name: array} of a PyTorch state dict (.pt, .pth: of tensors alone,
    nothing in it is run), of safetensors, or of an ONNX model that was exported
    from PyTorch.

    Raises InputError if the file cannot be read or is none of these.
    """
    try:
        with open(path, "rb") as file:
            start = file.read(16)
        read = _reader(start)
        arrays = read(str(path))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error
    except (ModuleNotFoundError, InputError):
        raise
    # Each library raises whatever a damaged file makes it stumble over.
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        raise InputError(f"{path}: not a state dict of PyTorch, safetensors, or an "
                         f"ONNX model ({reason})") from error
    if not arrays:
        raise InputError(f"{path}: no named arrays in it; expected a state dict of "
                         "PyTorch, safetensors, or an ONNX model")
    return arrays


def _reader(start):
    if start.startswith((b"PK\x03\x04", b"\x80")):
        return _torch
    # A header's length in 8 bytes, then its JSON.
    if start[8:9] == b"{":
        return _safetensors
    return _onnx


def _torch(path):
    import torch
    found = torch.load(path, map_location="cpu", weights_only=True)
    for wrapper in _WRAPPERS:
        if isinstance(found, dict) and isinstance(found.get(wrapper), dict):
            found = found[wrapper]
    return {str(name).removeprefix(_PREFIX): _array(value)
            for name, value in found.items() if torch.is_tensor(value)}


def _safetensors(path):
    # PyTorch's, since NumPy has no bfloat16.
    from safetensors.torch import load_file
    return {name: _array(value) for name, value in load_file(path).items()}


def _array(tensor):
    tensor = tensor.detach()
    return (tensor.float() if tensor.is_floating_point() else tensor).numpy()


def _onnx(path):
    from sknet.weights.imports import onnx_model
    return onnx_model.read(path)
