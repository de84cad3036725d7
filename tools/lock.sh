#!/usr/bin/env bash
# Writes tools/requirements-ci.txt: a release and the hashes of its files for each
# package that CI installs, on any system and Python from 3.11. To be run when
# setup.py or tools/build-requirements.txt ask for others; with --upgrade, to take
# new releases.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PWD/.venv/bin:$PATH
command -v uv >/dev/null || pip install --quiet uv
uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-annotate --no-emit-package sknet --custom-compile-command tools/lock.sh \
  "$@" tools/requirements-ci.in --output-file tools/requirements-ci.txt
