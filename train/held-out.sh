#!/usr/bin/env bash
# Writes the photographs that no model here learns from into FOLDER, for `tesserae eval`: the judging
# half of what the Debian package gcompris-qt-data shows of landscapes, animals, monuments and
# musicians, and three more for what is missing there. Needs Node.js; nothing is installed.
#   train/held-out.sh FOLDER
set -euo pipefail
[ $# -eq 1 ] || { echo "usage: train/held-out.sh FOLDER" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
command -v apt-get >/dev/null || { echo "train/held-out.sh needs Debian or Ubuntu: the photos come in packages of theirs." >&2; exit 1; }
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
(cd "$packages" && apt-get download gcompris-qt-data python-matplotlib-data python3-skimage)
for package in "$packages"/*.deb; do
  dpkg -x "$package" "$packages/files"
done
node "$here/gcompris.mjs" "$packages/files/usr/share/gcompris-qt/rcc" "$1" judge
# A face, the night sky, and writing.
skimage=$packages/files/usr/lib/python3/dist-packages/skimage/data
cp "$packages/files/usr/share/matplotlib/mpl-data/sample_data/grace_hopper.jpg" \
  "$skimage/hubble_deep_field.jpg" "$skimage/page.png" "$1"
echo "$(find "$1" -type f | wc -l) photographs in $1"
