#!/usr/bin/env bash
# Writes a blind sheet of two models into FOLDER: each row has a held-out photograph in the middle
# and one model's reconstruction on either side, in an order drawn from SEED; key.txt says which is
# which. PHOTOS is a folder that train/held-out.sh wrote. Needs Node.js, npm and the program; the
# npm package goes into a temporary folder.
#   train/blind.sh OLD.safetensors NEW.safetensors PHOTOS FOLDER [SEED]
set -euo pipefail
[ $# -ge 4 ] || { echo "usage: train/blind.sh OLD.safetensors NEW.safetensors PHOTOS FOLDER [SEED]" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
program=${TESSERAE:-$here/../target/release/tesserae}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
npm install --prefix "$work" --ignore-scripts --no-audit --no-fund sharp@0.34.5
mkdir -p "$work/old" "$work/new"
while IFS=$'\t' read -r photo _; do
  "$program" reconstruct "$3/$photo" "$work/old/${photo%.*}.png" --size 256 --square --model "$1"
  "$program" reconstruct "$3/$photo" "$work/new/${photo%.*}.png" --size 256 --square --model "$2"
done <"$here/sheet.txt"
node "$here/blind.mjs" "$work" "$here/sheet.txt" "$3" "$4" "${5:-1}"
