#!/usr/bin/env bash
# Writes two networks that compare pictures by their features into FOLDER: inception.safetensors,
# to train with, and mobilenet.safetensors, to judge with. They come from the npm package nsfwjs
# (MIT). Needs Node.js and npm; the package goes into a temporary folder, nothing is installed. Its
# weights are JavaScript files, which are run to read them.
#   train/perceptual.sh FOLDER
set -euo pipefail
[ $# -eq 1 ] || { echo "usage: train/perceptual.sh FOLDER" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
npm install --prefix "$packages" --ignore-scripts --no-audit --no-fund --legacy-peer-deps nsfwjs@4.3.0
node "$here/perceptual.mjs" "$packages/node_modules/nsfwjs" "$1"
