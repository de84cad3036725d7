#!/usr/bin/env bash
# Installs and builds what the tests need, and runs them all, C++ and Python.
# Arguments go to pytest: tools/test.sh -k axpy. With CI set, the tests that need
# large packages run too (PyTorch as a reference, the CUDA compilation), and all
# packages are those of tools/requirements-ci.txt.
set -euo pipefail
cd "$(dirname "$0")/.."
tools/setup.sh
export PATH=$PWD/.venv/bin:$PATH
if [ -z "${CI:-}" ] && [ ! .venv/.test -nt setup.py ]; then
  # From here: a registry has another package sknet.
  SKNET_BUILD_DIR=$PWD/build pip install --quiet --no-build-isolation ".[test]"
  touch .venv/.test
fi
cmake --build build --target caffe_test >&2
# pycaffe's test_draw walks the examples, which the packaged source lacks.
mkdir -p build/caffe/examples
exec python -m pytest tests build/caffe/python/caffe/test "$@"
