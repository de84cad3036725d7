"""cmake/Harden.cmake: what it does, and that what is installed was built so."""
import re
import signal
import subprocess
from pathlib import Path

import caffe
import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = Path(caffe.__file__).parent
BUILT = sorted(path for path in PACKAGE.rglob("*")
               if path.is_file() and path.open("rb").read(4) == b"\x7fELF")

PROJECT = f"""
cmake_minimum_required(VERSION 3.22)
project(Faulty CXX)
set(CMAKE_BUILD_TYPE Release)
include({ROOT}/cmake/Harden.cmake)
add_executable(faulty faulty.cpp)
"""
# What a compiler cannot see to be wrong.
PROGRAM = r"""
#include <cstdlib>
#include <cstring>
#include <vector>
int main(int argc, char** argv) {
  volatile std::size_t size = std::strtoul(argv[2], NULL, 10);
  const char kind = argv[1][0];
  if (kind == 'c') {  // glibc's functions
    char buffer[8];
    std::memset(buffer, 1, size);
    return buffer[0] != 1;
  }
  if (kind == 's') {  // the stack
    volatile char buffer[16];
    for (volatile std::size_t i = 0; i < size; i = i + 1) { buffer[i] = 1; }
    return buffer[0] != 1;
  }
  std::vector<int> values(8);  // the C++ library's containers
  return values[size - 1];
}
"""


def readelf(what, path):
    return subprocess.run(["readelf", "-W", what, path], check=True,
                          capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    """build(CMake's options) → the faulty program."""
    def build(*options):
        folder = tmp_path_factory.mktemp("faulty")
        (folder / "CMakeLists.txt").write_text(PROJECT)
        (folder / "faulty.cpp").write_text(PROGRAM)
        for command in (["cmake", "-S", folder, "-B", folder, *options],
                        ["cmake", "--build", folder, "--verbose"]):
            done = subprocess.run(command, check=True, capture_output=True, text=True)
        return folder / "faulty", done.stdout
    return build


@pytest.fixture(scope="module")
def hardened(build):
    return build()[0]


@pytest.mark.parametrize("kind", ["c functions", "stack", "vector"])
def test_memory_errors_end_the_program(hardened, kind):
    def run(size):
        return subprocess.run([hardened, kind, str(size)], capture_output=True).returncode
    assert run(8) == 0
    assert run(200) == -signal.SIGABRT


def test_without(build):
    """The test above can fail."""
    program, _ = build("-DHARDEN=OFF")
    done = subprocess.run([program, "vector", "9"], capture_output=True)
    assert done.returncode != -signal.SIGABRT


def test_sanitizers_stand_alone(build):
    _, commands = build("-DSANITIZE=address")
    assert "FORTIFY" not in commands and "stack-protector" not in commands
    _, commands = build()
    assert "-D_FORTIFY_SOURCE=3" in commands


def test_what_is_built():
    names = {path.name.partition(".")[0] for path in BUILT}
    assert names >= {"libcaffe", "_caffe", "_tool", "caffe", "convert_imageset"}


@pytest.mark.parametrize("path", BUILT, ids=lambda path: path.name)
def test_installed_files(path):
    segments, dynamic = readelf("-l", path), readelf("-d", path)
    assert re.search(r"GNU_STACK .* RW +0x", segments)
    assert "GNU_RELRO" in segments
    assert "BIND_NOW" in dynamic
    assert re.search(r"\(FLAGS_1\).* NOW", dynamic)
    # Of programs and libraries: they lie anywhere in memory.
    assert "DYN (" in readelf("-h", path)
    assert "TEXTREL" not in dynamic


@pytest.mark.parametrize("function", ["__stack_chk_fail", "glibcxx_assert_fail"])
@pytest.mark.parametrize("library", ["libcaffe.so", "_caffe."])
def test_compiled_with(library, function):
    path, = (path for path in BUILT if path.name.startswith(library))
    assert function in readelf("--dyn-syms", path)
