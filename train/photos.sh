#!/usr/bin/env bash
# Fetches the photographs that the photo models learn from out of Debian packages and lays them into
# FOLDER. Nothing is installed; licences are listed in train/PHOTOS.md. Needs Node.js.
#   train/photos.sh FOLDER
set -euo pipefail
[ $# -eq 1 ] || { echo "usage: train/photos.sh FOLDER" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
list=$here/photos.txt
mkdir -p "$1" && cd "$1"
command -v apt-get >/dev/null || { echo "train/photos.sh needs Debian or Ubuntu: the photos come in its packages." >&2; exit 1; }
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
names=(
  mate-backgrounds plasma-workspace-wallpapers opencv-doc tuxpaint-stamps-default
  extremetuxracer-data forensics-samples-files gcompris-qt-data gnome-control-center-data
  golang-github-disintegration-imaging-dev gtkmorph-example kalzium-data kphotoalbum
  libelementary-data libjs-jquery-colorbox libjxl-testdata lomiri-wallpapers-16.04
  lomiri-wallpapers-20.04 lxqt-themes palapeli-data plasma-workspace-data python-kivy-examples
  qtbase5-examples qtdeclarative5-examples sddm-theme-maldives tuxmath-data tuxpaint-data
  tuxtype-data
)
(cd "$packages" && apt-get download "${names[@]}")
for package in "$packages"/*.deb; do
  dpkg -x "$package" "$packages/files"
  rm "$package"
done
# Qt's examples lie in a folder named after the processor.
mv "$packages"/files/usr/lib/*/qt5/examples "$packages/files/qt5"
node "$here/gcompris.mjs" "$packages/files/usr/share/gcompris-qt/rcc" "$packages/files/gcompris" train
while read -r path; do
  mkdir -p "$(dirname "$path")"
  cp "$packages/files/$path" "$path"
done <"$list"
echo "$(wc -l <"$list") photographs in $PWD"
