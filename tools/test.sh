#!/usr/bin/env bash
# Installs and builds what the tests need, and runs them all, C++ and Python.
# Arguments go to pytest: tools/test.sh -k axpy
set -euo pipefail
cd "$(dirname "$0")/.."
tools/setup.sh
export PATH=$PWD/.venv/bin:$PATH
if [ ! .venv/.test-tools -nt setup.py ]; then
  pip install --quiet -r <(python - <<'PY'
import importlib.metadata
for need in importlib.metadata.requires("sknet"):
    if "extra ==" in need:
        print(need.split(";")[0])
PY
)
  touch .venv/.test-tools
fi
cmake --build build --target caffe_test >&2
# pycaffe's test_draw walks the examples, which the packaged source lacks.
mkdir -p build/caffe/examples
exec python -m pytest tests build/caffe/python/caffe/test "$@"
