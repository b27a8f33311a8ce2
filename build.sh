#!/usr/bin/env bash
# The one script of the project: `./build.sh help` lists its words.
# Older ones lack mapfile, or take an empty array for an unset name.
if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] < 404)); then
    echo "build.sh: bash $BASH_VERSION is older than the 4.4 this needs; install a newer one first in PATH (on macOS: brew install bash)" >&2
    exit 1
fi
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
ROOT=$PWD

for part in common packages wasm setup check test package art; do
    # shellcheck source=/dev/null
    source "$ROOT/scripts/$part.sh"
done

usage() {
    cat <<'USAGE'
usage: ./build.sh WORD

  serve   set up, build, and serve the page on 127.0.0.1:8080 (PORT=… for another port)
  test    set up, then run every test: native, wasm in headless Chromium, the page in
          Chromium, Firefox and WebKit; `./build.sh test native wasm page` picks kinds, `gpu`
          is one more (the command line with the feature `wgpu`, built for it, on lavapipe),
          `./build.sh test slow` adds the tests that take long
  check   format, clippy with warnings denied, the oldest Rust, documentation, scripts, eslint
          and types of the page, licences and known vulnerabilities of what it depends on
  build   the release: dist/, the page with its smallest download, precompressed, and the headers
          for common hosts; and pkg/, the npm package (takes a while)
  art     the pictures of the landing page and of README.md, from the shipped weights
  setup   install whatever any of these needs and is missing: toolchain, tools, browsers
  help    this text

Tools are kept in ${XDG_CACHE_HOME:-~/.cache}/tesserae, compiled crates in target/
(or CARGO_TARGET_DIR).
USAGE
}

word=${1:-help}
[ $# -eq 0 ] || shift
case $word in
    test) ;;
    *) [ $# -eq 0 ] || { usage >&2; exit 2; } ;;
esac

case $word in
    serve) serve ;;
    test) run_tests "$@" ;;
    check) set_up check; check ;;
    build) build_release ;;
    art) art ;;
    setup) set_up all ;;
    help | -h | --help) usage ;;
    *) usage >&2; exit 2 ;;
esac
