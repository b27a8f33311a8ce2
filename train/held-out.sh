#!/usr/bin/env bash
# Writes 115 photographs that no model here learned from into FOLDER, for `tesserae eval`: what the
# Debian package gcompris-qt-data shows of landscapes, animals, monuments and musicians. Needs Node.js;
# nothing is installed.
#   train/held-out.sh FOLDER
set -euo pipefail
[ $# -eq 1 ] || { echo "usage: train/held-out.sh FOLDER" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
command -v apt-get >/dev/null || { echo "train/held-out.sh needs Debian or Ubuntu: the photos come in a package of theirs." >&2; exit 1; }
package=$(mktemp -d)
trap 'rm -rf "$package"' EXIT
(cd "$package" && apt-get download gcompris-qt-data && dpkg -x ./*.deb files)
node "$here/held-out.mjs" "$package/files/usr/share/gcompris-qt/rcc" "$1"
