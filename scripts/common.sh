# Paths and words that every part of build.sh uses.

CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/tesserae"
TOOLS="$CACHE/tools"
SERVER="$ROOT/scripts/server"
E2E="$ROOT/tests/e2e"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$ROOT/target}"
[[ $CARGO_TARGET_DIR == /* ]] || CARGO_TARGET_DIR="$ROOT/$CARGO_TARGET_DIR"
# The browsers are the system's; no package of ours may fetch another.
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 PUPPETEER_SKIP_DOWNLOAD=1
# Flags from the environment would replace those in .cargo/config.toml.
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS

DOING=
say() {
    DOING=$*
    printf '[%4ds] %s\n' "$SECONDS" "$*"
}

die() {
    printf 'build.sh: %s\n' "$*" >&2
    exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# Runs a command that may be silent for long: every 15 s a line says what is still running.
ticking() {
    local status=0
    # The clock ends when its input closes, so it never outlives this script.
    exec 8> >(
        start=$SECONDS
        until read -rt 15 _ || [ $? -le 128 ]; do
            printf '[%4ds] ... %d s so far: %s\n' "$SECONDS" $((SECONDS - start)) "$DOING"
        done
    )
    "$@" 8>&- || status=$?
    exec 8>&-
    return "$status"
}

# Runs a command quietly: its output appears only when it fails.
quietly() {
    local log status=0
    log=$(mktemp)
    ticking logged "$log" "$@" || status=$?
    [ "$status" -eq 0 ] || cat "$log" >&2
    rm -f "$log"
    return "$status"
}

# logged FILE COMMAND…
logged() { "${@:2}" >"$1" 2>&1; }
