#!/usr/bin/env bash
# Installs what is missing, builds Caffe in build/, and installs caffe and sknet
# into .venv/. Does again only what has changed. PYTHON picks the interpreter,
# CMAKE_ARGS passes options (e.g. -DCPU_ONLY=OFF) to the first configuration. With
# CI set, Python packages are those of requirements-ci.txt, checked by their hashes.
set -euo pipefail
cd "$(dirname "$0")/.."
say() { printf '\033[1m==> %s\033[0m\n' "$*" >&2; }

# System packages.
missing=()
if command -v dpkg-query >/dev/null; then
  while read -r package _; do
    case $package in ''|'#'*) continue ;; esac
    state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing+=("$package")
  done < tools/apt-packages.txt
fi
if [ ${#missing[@]} -gt 0 ]; then
  sudo=
  [ "$(id -u)" = 0 ] || sudo=$(command -v sudo || true)
  if [ "$(id -u)" != 0 ] && [ -z "$sudo" ]; then
    echo "setup.sh: missing system packages, and no root to install them:" >&2
    echo "  apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
  say "installing ${#missing[@]} system packages"
  $sudo apt-get -qq update
  DEBIAN_FRONTEND=noninteractive $sudo apt-get -qq install -y \
    --no-install-recommends "${missing[@]}" >/dev/null
fi

# The virtual environment and the build's tools.
venv=$PWD/.venv
if [ ! -x "$venv/bin/pip" ]; then
  say "making .venv"
  "${PYTHON:-python3}" -m venv "$venv"
fi
export PATH=$venv/bin:$PATH
packages=build-requirements.txt
[ -z "${CI:-}" ] || packages=requirements-ci.txt
if [ ! "$venv/.$packages" -nt "tools/$packages" ]; then
  say "installing tools/$packages into .venv"
  pip install --quiet --upgrade ${CI:+--require-hashes} -r "tools/$packages"
  touch "$venv/.$packages"
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
