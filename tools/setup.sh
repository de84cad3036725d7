#!/usr/bin/env bash
# Installs what is missing, builds Caffe in build/, and installs caffe and sknet
# into .venv/. Does again only what has changed. PYTHON picks the interpreter,
# CMAKE_ARGS passes options (e.g. -DCPU_ONLY=OFF) to the first configuration. With
# CI set, Python packages are those of requirements-ci.txt, checked by their hashes;
# but NVIDIA's, for a machine without cuDNN, are those of the day.
set -euo pipefail
cd "$(dirname "$0")/.."
say() { printf '\033[1m==> %s\033[0m\n' "$*" >&2; }

tools/packages.sh tools/apt-packages.txt

# The virtual environment and the build's tools.
venv=$PWD/.venv
if [ ! -x "$venv/bin/pip" ]; then
  say "making .venv"
  "${PYTHON:-python3}" -m venv "$venv"
fi
export PATH=$venv/bin:$PATH
install() {
  [ ! "$venv/.$1" -nt "tools/$1" ] || return 0
  say "installing tools/$1 into .venv"
  pip install --quiet --upgrade "${@:2}" -r "tools/$1"
  touch "$venv/.$1"
}
if [ -n "${CI:-}" ]; then
  install requirements-ci.txt --require-hashes
else
  install build-requirements.txt
fi
# NVIDIA's libraries, as they are today, where neither system nor toolkit has cuDNN.
if [[ ${CMAKE_ARGS:-} == *CPU_ONLY=OFF* ]] &&
    [ -z "$(find /usr/include "${CUDA_HOME:-/usr/local/cuda}/include/" \
      -name cudnn.h -print -quit 2>/dev/null)" ]; then
  install cuda-requirements.txt
fi

# Caffe.
if [ ! -f build/build.ninja ]; then
  say "configuring build/"
  # shellcheck disable=SC2086
  cmake -S . -B build -G Ninja -DPython_EXECUTABLE="$venv/bin/python" \
    ${CI:+-DWARNINGS_AS_ERRORS=ON} ${CMAKE_ARGS:-} >&2
fi
say "building (a few minutes the first time)"
cmake --build build >&2

# The packages caffe and sknet.
if [ ! -f build/.installed ] || [ -n "$(find python setup.py pyproject.toml \
    build/caffe/python build/python build/tools build/libcaffe.so \
    -newer build/.installed -type f -not -path '*/__pycache__/*' -print -quit)" ]; then
  say "installing caffe and sknet into .venv"
  SKNET_BUILD_DIR=$PWD/build pip install --quiet --no-build-isolation \
    ${CI:+--no-deps} .
  touch build/.installed
fi
