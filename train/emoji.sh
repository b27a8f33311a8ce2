#!/usr/bin/env bash
# Draws the emoji of three vendors as 64×64 PNG files over white into FOLDER:
# train/<vendor>/<group>/<code points>.png and held-out/… likewise. Needs Debian or Ubuntu, Node.js
# and npm; packages go into a temporary folder, nothing is installed. Licences are listed in
# train/DATA.md.
#   train/emoji.sh FOLDER
set -euo pipefail
[ $# -eq 1 ] || { echo "usage: train/emoji.sh FOLDER" >&2; exit 2; }
command -v apt-get >/dev/null || { echo "train/emoji.sh needs Debian or Ubuntu: Noto's emoji come in a package." >&2; exit 1; }
here=$(cd "$(dirname "$0")" && pwd)
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
npm install --prefix "$packages" --ignore-scripts --no-audit --no-fund \
  openmoji@17.0.0 @twemoji/svg@15.0.0 unicode-emoji-json@0.9.0 sharp@0.34.5 harfbuzzjs@1.6.4
(cd "$packages" && apt-get download fonts-noto-color-emoji)
dpkg -x "$packages"/fonts-noto-color-emoji_*.deb "$packages/debian"
node "$here/emoji.mjs" "$packages" "$1"
