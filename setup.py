"""pip install . → packages caffe (compiled by CMake) and sknet, their commands.

SKNET_BUILD_DIR names a CMake build folder to use again; CMAKE_ARGS is passed
to cmake (CMAKE_ARGS="-DCPU_ONLY=OFF -DCAFFE_SOURCE_DIR=...").
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
TOOLS = ("caffe", "compute_image_mean", "convert_imageset",
         "extract_features", "upgrade_net_proto_binary",
         "upgrade_net_proto_text", "upgrade_solver_proto_text")


class WithPrototxt(build_py):
    """Packs prototxt/, the generated files and the shipped model, with sknet."""

    def run(self):
        super().run()
        target = Path(self.build_lib) / "sknet" / "prototxt"
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(ROOT / "prototxt", target)


class CMakeBuild(build_ext):
    """Builds libcaffe, pycaffe and the tools; installs the component `wheel`
    as the package caffe."""

    def build_extension(self, ext):
        build = Path(os.environ.get("SKNET_BUILD_DIR") or self.build_temp)
        package = Path(self.build_lib).resolve() / "caffe"
        shutil.rmtree(package, ignore_errors=True)
        run = lambda *command: subprocess.run(command, check=True)
        run("cmake", "-S", str(ROOT), "-B", str(build),
            *([] if (build / "CMakeCache.txt").exists() else ["-GNinja"]),
            f"-DPython_EXECUTABLE={sys.executable}", "-DBUILD_python=ON",
            *shlex.split(os.environ.get("CMAKE_ARGS", "")))
        run("cmake", "--build", str(build))
        run("cmake", "--install", str(build), "--component", "wheel",
            "--strip", "--prefix", str(package))


setup(
    name="sknet",
    version="1.0.0",
    description="Selective Kernel Networks on a Caffe that builds today",
    python_requires=">=3.9",
    package_dir={"": "python"},
    packages=find_packages("python"),
    py_modules=["caffe_launcher"],
    ext_modules=[Extension("caffe._caffe", sources=[])],
    cmdclass={"build_py": WithPrototxt, "build_ext": CMakeBuild},
    install_requires=["numpy>=1.26", "protobuf>=4.21", "pillow>=9.1",
                      "matplotlib", "scipy", "six", "tqdm"],
    extras_require={
        "test": ["pytest", "mlxtend", "opencv-python-headless", "pydot",
                 "scikit-image"],
        "torch": ["torch==2.13.0"],
        "cuda": ["nvidia-cublas", "nvidia-curand", "nvidia-cudnn-cu13",
                 "nvidia-nccl-cu13"],
    },
    entry_points={"console_scripts": [
        "sknet = sknet.cli:main",
        *(f"{tool} = caffe_launcher:main" for tool in TOOLS)]},
)
