#!/usr/bin/env bash
# Builds Caffe with sanitizers in build/WHICH, and runs under them
#   address   gcc's ASan and UBSan: the C++ tests of our files and of Caffe's nets
#             and solvers, pycaffe's tests and compiled inference's
#   thread    clang's TSan: the C++ tests of what has threads, by OpenMP too (it
#             installs tools/apt-packages-thread.txt)
# Any report ends the tests with a stack, and this with an error. Arguments after
# WHICH go to the C++ tests.
set -euo pipefail
cd "$(dirname "$0")/.."
which=${1:?address or thread}
shift
compiler=()
case $which in
  address)
    sanitizers=address,undefined
    # gcc 12's ASan does not free its allocator's locks at a fork, as malloc does:
    # the child that reads HDF5 files first waits for a thread that is not there.
    filter='-*GPU*:ThreadsTest.TestFiles:ThreadsTest.TestHDF5BesideTheClock'
    tests="net solver gradient_based_solver $(
      cd caffe_ext/src/caffe/test && ls test_*.cpp | sed 's/^test_//; s/\.cpp$//')" ;;
  thread)
    sanitizers=thread
    filter='-*GPU*'
    tests="threads program onednn_conv_layer parallel_for augmented_data_layer error
      internal_thread data_layer image_data_layer"
    tools/packages.sh tools/apt-packages-thread.txt
    compiler=(-DCMAKE_C_COMPILER=clang-19 -DCMAKE_CXX_COMPILER=clang++-19) ;;
  *)
    echo "sanitize.sh: $which: expected address or thread" >&2
    exit 2 ;;
esac

tools/setup.sh
export PATH=$PWD/.venv/bin:$PATH
SKNET_BUILD_DIR=$PWD/build pip install --quiet --no-build-isolation ".[test]"
build=$PWD/build/$which
mkdir -p "$build"
[ ! -d build/download ] || cp -R build/download "$build"
# Many of libcaffe's files in one, which takes a fifth of the time.
cmake -S . -B "$build" -G Ninja -DPython_EXECUTABLE="$PWD/.venv/bin/python" \
  -DSANITIZE="$sanitizers" -DTESTS="$(echo $tests | tr ' ' ';')" \
  -DCMAKE_BUILD_TYPE=None -DCMAKE_CXX_FLAGS="-O1 -D_GLIBCXX_ASSERTIONS" \
  -DCMAKE_UNITY_BUILD=ON "${compiler[@]}" >&2
cmake --build "$build" --target caffe_test >&2

# The suite runs in a folder like Caffe's root. Its matrices are tiny.
export OPENBLAS_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE GLOG_minloglevel=2
export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1
export UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:suppressions=$PWD/tools/tsan.supp
if [ "$which" = thread ]; then
  # oneDNN asks for GNU's OpenMP, of whose barriers TSan would not know. LLVM's has
  # GNU's functions, and loads Archer, which tells it of them.
  mkdir -p "$build/openmp"
  ln -sfn "$(clang-19 -print-file-name=libomp.so.5)" "$build/openmp/libgomp.so.1"
  export LD_LIBRARY_PATH=$build/openmp
fi
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
python tests/caffe_folder.py "$folder" "$build"
(cd "$folder" && "$build/test/test.testbin" --gtest_filter="$filter" "$@") |
  grep -v '^\[ RUN \|^\[       OK\|^\[---'

[ "$which" = address ] || exit 0
# In a Python that knows of neither. It does not clean up at its end: no
# leaks are looked for. One test limits the address space: ASan needs terabytes;
# one looks at the process's memory, of which ASan gives nothing back. Two read HDF5
# in threads, as above.
cmake --build "$build" >&2
cmake --install "$build" --component wheel --prefix "$build/package/caffe" >/dev/null
export LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libstdc++.so)"
export ASAN_OPTIONS+=:detect_leaks=0 PYTHONPATH=$build/package
python -m pytest -q tests/pycaffe tests/engine \
  --deselect tests/pycaffe/test_errors.py::test_out_of_memory \
  --deselect tests/pycaffe/test_errors.py::test_failures_leave_nothing \
  --deselect tests/pycaffe/test_threads.py::test_files \
  --deselect tests/pycaffe/test_threads.py::test_hdf5_data
