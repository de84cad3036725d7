"""pip install . → packages caffe (compiled by CMake) and sknet, their commands.

SKNET_BUILD_DIR names a CMake build folder to use again; CMAKE_ARGS is passed
to cmake (CMAKE_ARGS="-DCPU_ONLY=OFF -DCAFFE_SOURCE_DIR=...").

SKNET_NO_CAFFE=1 leaves caffe out: sknet's generators alone, in seconds, on numpy
and protobuf. What needs caffe says so.
"""
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from setuptools import Extension, find_packages, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
NO_CAFFE = os.environ.get("SKNET_NO_CAFFE", "0") not in ("", "0")
TOOLS = ("caffe", "compute_image_mean", "convert_imageset",
         "extract_features", "upgrade_net_proto_binary",
         "upgrade_net_proto_text", "upgrade_solver_proto_text")


def run(*command):
    subprocess.run(command, check=True)


class WithPrototxt(build_py):
    """Packs prototxt/, the generated files and the shipped model, with sknet."""

    def run(self):
        super().run()
        target = Path(self.build_lib) / "sknet" / "prototxt"
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(ROOT / "prototxt", target)


class WithMessages(WithPrototxt):
    """Packs a description of Caffe's messages, which are else the package
    caffe's.

    As a serialized descriptor: every release of protobuf reads it, whichever
    protoc wrote it, where protoc's Python files demand one as new as protoc. And
    with gRPC's build of protoc: it comes from protobuf's own house, with wheels
    for every Python and system; PyPI's packages of protoc alone are nobody's duty.
    """

    def run(self):
        super().run()
        temp = self.get_finalized_command("build").build_temp
        build = Path(os.environ.get("SKNET_BUILD_DIR") or temp)
        run(sys.executable, ROOT / "caffe_ext/stage.py", build / "caffe")
        run(sys.executable, "-m", "grpc_tools.protoc",
            f"-I{build}/caffe/src/caffe/proto",
            f"--descriptor_set_out={self.build_lib}/sknet/caffe.binpb",
            "caffe.proto")


class CMakeBuild(build_ext):
    """Builds libcaffe, pycaffe and the tools; installs the component `wheel`
    as the package caffe."""

    def build_extension(self, ext):
        build = Path(os.environ.get("SKNET_BUILD_DIR") or self.build_temp)
        package = Path(self.build_lib).resolve() / "caffe"
        shutil.rmtree(package, ignore_errors=True)
        run("cmake", "-S", ROOT, "-B", build,
            *([] if (build / "CMakeCache.txt").exists() else ["-GNinja"]),
            f"-DPython_EXECUTABLE={sys.executable}", "-DBUILD_python=ON",
            *shlex.split(os.environ.get("CMAKE_ARGS", "")))
        run("cmake", "--build", build)
        run("cmake", "--install", build, "--component", "wheel",
            "--strip", "--prefix", package)


IMAGES = ["lmdb", "pillow>=9.1", "scipy", "tqdm"]
WEIGHTS = ["h5py", "safetensors", "filelock", "requests",
           "gdown>=6.5.1; python_version >= '3.10'"]
PICTURES = ["matplotlib", "pydot>=3"]
ONEDNN = ("onednn-cpu-gomp>=2023.2; sys_platform == 'linux'"
          " and platform_machine == 'x86_64'")
if NO_CAFFE:
    # setup_requires rather than pyproject.toml, which knows no conditions.
    build = dict(setup_requires=["grpcio-tools"],
                 cmdclass={"build_py": WithMessages})
    requires, commands = [], []
else:
    build = dict(setup_requires=["pybind11>=2.12", "cmake>=3.22", "ninja", ONEDNN,
                                 ONEDNN.replace("cpu", "devel-cpu", 1)],
                 cmdclass={"build_py": WithPrototxt, "build_ext": CMakeBuild},
                 py_modules=["caffe_launcher"],
                 ext_modules=[Extension("caffe._caffe", sources=[])])
    requires = [*IMAGES, *WEIGHTS, *PICTURES, "six", ONEDNN]
    commands = [f"{tool} = caffe_launcher:main" for tool in TOOLS]

setup(
    name="sknet",
    version="1.0.0",
    description="Selective Kernel Networks on a Caffe that builds today",
    python_requires=">=3.9",
    package_dir={"": "python"},
    packages=find_packages("python"),
    install_requires=["numpy>=1.26", "protobuf>=4.21", *requires],
    extras_require={
        "images": IMAGES,
        "pictures": PICTURES,
        "weights": WEIGHTS,
        "onnx": ["onnx>=1.16"],
        "view": ["netron"],
        "ray": ["ray"],
        "test": ["pytest", "hypothesis", "cyclonedx-python-lib[json-validation]",
                 "mlxtend", "netron", "onnx", "onnxruntime",
                 "opencv-python-headless<5", "pyyaml", "ray", "scikit-image"],
        "torch": ["torch==2.14.1", "torchvision==0.29.1", "timm", "onnxscript", "ncnn",
                  "pnnx", "openvino"],
        "cuda": (ROOT / "tools/cuda-requirements.txt").read_text().split(),
    },
    entry_points={"console_scripts": ["sknet = sknet.cli:main", *commands]},
    **build,
)
