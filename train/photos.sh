#!/usr/bin/env bash
# Fetches the photographs that `photos-f8` learns from out of four Debian packages and lays them
# into FOLDER. Nothing is installed; licences are listed in train/README.md.
#   train/photos.sh FOLDER
set -euo pipefail
[ $# -eq 1 ] || { echo "usage: train/photos.sh FOLDER" >&2; exit 2; }
list=$(cd "$(dirname "$0")" && pwd)/photos.txt
mkdir -p "$1" && cd "$1"
command -v apt-get >/dev/null || { echo "train/photos.sh needs Debian or Ubuntu: the photos come in its packages." >&2; exit 1; }
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
(cd "$packages" && apt-get download mate-backgrounds plasma-workspace-wallpapers opencv-doc tuxpaint-stamps-default)
for package in "$packages"/*.deb; do
  dpkg -x "$package" "$packages/files"
done
while read -r path; do
  mkdir -p "$(dirname "$path")"
  cp "$packages/files/$path" "$path"
done <"$list"
echo "$(wc -l <"$list") photographs in $PWD"
