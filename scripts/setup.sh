# Set-up: everything the other words need. It looks first, so a second run does nothing.

WASM_PACK_VERSION=0.15.1

# set_up page|check|tests|release
set_up() {
    mkdir -p "$CACHE"
    # Two clones that start together wait for each other.
    if have flock; then
        exec 9>"$CACHE/lock"
        flock -n 9 || {
            say "waiting for another set-up to end"
            quietly flock 9
        }
    fi
    rust_toolchain
    system_packages "$1"
    wasm_target
    wasm_tools
    node_packages scripts/server
    if [ "$1" != page ]; then node_packages tests/e2e; fi
    if [ "$1" = tests ]; then node "$E2E/webdriver.js" >"$ROOT/webdriver.json"; fi
    if have flock; then exec 9>&-; fi
    say "set-up: complete"
}

rust_toolchain() {
    # A login shell may not have read rustup's profile yet.
    [ ! -d "${CARGO_HOME:-$HOME/.cargo}/bin" ] || PATH="$PATH:${CARGO_HOME:-$HOME/.cargo}/bin"
    have cargo && have rustc || die "Rust is missing; install it from https://rustup.rs"
    local version needed component
    version=$(rustc --version | cut -d' ' -f2) || die "rustc does not run; repair it with: rustup default stable"
    needed=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$ROOT/Cargo.toml")
    [ "$(printf '%s\n' "$needed" "${version%%-*}" | sort -V | head -n 1)" = "$needed" ] ||
        die "Rust $version is older than the $needed this project needs; update it with: rustup update stable"
    for component in fmt clippy; do
        cargo "$component" --version >/dev/null 2>&1 ||
            quietly rustup component add "${component/fmt/rustfmt}" ||
            die "cargo $component is missing; add it with: rustup component add ${component/fmt/rustfmt}"
    done
    say "Rust: $version"
}

# The version of a crate in Cargo.lock.
locked_version() {
    sed -n "/^name = \"$1\"\$/{n;s/^version = \"\(.*\)\"\$/\1/p;q;}" "$ROOT/Cargo.lock"
}

wasm_tools() {
    # wasm-bindgen's command line must be exactly the version the crate was compiled with.
    cargo_tool wasm-bindgen wasm-bindgen-cli "$(locked_version wasm-bindgen)"
    cargo_tool wasm-pack wasm-pack "$WASM_PACK_VERSION"
}

# cargo_tool COMMAND CRATE VERSION
cargo_tool() {
    local found=
    found=$("$TOOLS/bin/$1" --version 2>/dev/null | cut -d' ' -f2) || true
    if [ "$found" = "$3" ]; then
        say "$2: $3"
        return
    fi
    say "$2: installing $3 (a few minutes)"
    # Not --locked: a mirror may lack versions in the tool's own lock file.
    (cd "$CACHE" && CARGO_TARGET_DIR="$CACHE/tools-target" ticking cargo install --root "$TOOLS" --force --version "$3" "$2") ||
        die "$2 $3 could not be installed; cargo's message is above"
    rm -rf "$CACHE/tools-target"
}

# node_packages FOLDER
node_packages() {
    local folder="$ROOT/$1" stamp="$ROOT/$1/node_modules/.installed" want
    want="$(node --version) $(cat "$folder/package-lock.json" "$folder/package.json" | cksum)"
    if [ "$(cat "$stamp" 2>/dev/null)" = "$want" ]; then
        say "npm packages of $1: up to date"
        return
    fi
    say "npm packages of $1: installing"
    quietly npm --prefix "$folder" ci --loglevel=error || die "npm could not install the packages of $1; its message is above"
    printf '%s' "$want" >"$stamp"
}
