"""Deploy nets for the runtimes of ONNX."""
from sknet.onnx import layers, windows  # noqa: F401, whose rules they are
from sknet.onnx.net import export

__all__ = ["export"]
