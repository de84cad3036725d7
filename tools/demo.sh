#!/usr/bin/env bash
# Installs, builds, and classifies the shipped images with the shipped model.
set -euo pipefail
cd "$(dirname "$0")/.."
tools/setup.sh
.venv/bin/sknet classify --model sknet_digits --picture build/demo.png "$@" \
  prototxt/sknet_digits/images/*.png
echo "Images, predictions and attention: build/demo.png"
