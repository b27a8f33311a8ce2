# Set-up: everything the other words need. It looks first, so a second run does nothing.

WASM_PACK_VERSION=0.15.1

# set_up page|release|check|tests|all: what serving, releasing, checking or testing needs, or all of it.
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
    announce "$1"
    if needs "$1" check; then rust_components; fi
    system_packages "$1"
    wasm_target
    cargo_tool wasm-bindgen wasm-bindgen-cli "$(locked_version wasm-bindgen)"
    if needs "$1" tests; then cargo_tool wasm-pack wasm-pack "$WASM_PACK_VERSION"; fi
    node_packages scripts/server
    if needs "$1" release check tests; then node_packages tests/e2e; fi
    if needs "$1" tests; then
        if runs_bundlers; then
            node_packages tests/bundlers
        else
            say "the tests of the npm package in Vite and webpack are skipped: Vite needs Node.js 20.19, 22.12 or newer, not $(node --version)"
        fi
        node "$E2E/webdriver.js" >"$ROOT/webdriver.json"
    fi
    if have flock; then exec 9>&-; fi
    say "set-up: complete"
}

# needs KIND KIND…: whether the first is among the others, or is all of them.
needs() {
    [ "$1" = all ] || [[ " ${*:2} " == *" $1 "* ]]
}

# Says in one line what is missing, before anything is installed.
announce() {
    local found
    found=$(missing "$1" | paste -sd , - | sed 's/,/, /g')
    if [ -n "$found" ]; then say "set-up: missing, and installed now: $found"; else say "set-up: nothing is missing"; fi
}

# What is missing, one item per line.
missing() {
    if needs "$1" check; then missing_components; fi
    wanted_packages "$1"
    wasm_std_works rustc || debian_route_ready || printf '%s\n' "the $WASM_TARGET target of Rust"
    cargo_tool_ready wasm-bindgen "$(locked_version wasm-bindgen)" || echo wasm-bindgen-cli
    if needs "$1" tests; then cargo_tool_ready wasm-pack "$WASM_PACK_VERSION" || echo wasm-pack; fi
    # Checking them needs Node.js.
    have node || return 0
    node_packages_ready scripts/server || echo "npm packages of scripts/server"
    if needs "$1" release check tests; then node_packages_ready tests/e2e || echo "npm packages of tests/e2e"; fi
    if needs "$1" tests && runs_bundlers; then node_packages_ready tests/bundlers || echo "npm packages of tests/bundlers"; fi
}

rust_toolchain() {
    # A login shell may not have read rustup's profile yet.
    [ ! -d "${CARGO_HOME:-$HOME/.cargo}/bin" ] || PATH="$PATH:${CARGO_HOME:-$HOME/.cargo}/bin"
    have cargo && have rustc || die "Rust is missing; install it from https://rustup.rs"
    local version needed
    version=$(rustc --version | cut -d' ' -f2) || die "rustc does not run; repair it with: rustup default stable"
    needed=$(oldest_rust)
    [ "$(printf '%s\n' "$needed" "${version%%-*}" | sort -V | head -n 1)" = "$needed" ] ||
        die "Rust $version is older than the $needed this project needs; update it with: rustup update stable"
    say "Rust: $version"
}

# The oldest Rust that Cargo.toml promises.
oldest_rust() { sed -n 's/^rust-version = "\(.*\)"/\1/p' "$ROOT/Cargo.toml"; }

missing_components() {
    cargo fmt --version >/dev/null 2>&1 || echo rustfmt
    cargo clippy --version >/dev/null 2>&1 || echo clippy
}

rust_components() {
    local component
    for component in $(missing_components); do
        quietly rustup component add "$component" || die "$component is missing; add it with: rustup component add $component"
    done
}

# The version of a crate in Cargo.lock.
locked_version() {
    sed -n "/^name = \"$1\"\$/{n;s/^version = \"\(.*\)\"\$/\1/p;q;}" "$ROOT/Cargo.lock"
}

# cargo_tool_ready COMMAND VERSION: wasm-bindgen's command line must be exactly the version the crate
# was compiled with.
cargo_tool_ready() {
    [ "$("$TOOLS/bin/$1" --version 2>/dev/null | cut -d' ' -f2)" = "$2" ]
}

# cargo_tool COMMAND CRATE VERSION
cargo_tool() {
    if cargo_tool_ready "$1" "$3"; then
        say "$2: $3"
        return
    fi
    say "$2: installing $3 (a few minutes)"
    # Not --locked: a mirror may lack versions in the tool's own lock file.
    (cd "$CACHE" && CARGO_TARGET_DIR="$CACHE/tools-target" ticking cargo install --root "$TOOLS" --force --version "$3" "$2") ||
        die "$2 $3 could not be installed; cargo's message is above"
    rm -rf "$CACHE/tools-target"
}

# Whether this Node.js is one that Vite runs on.
runs_bundlers() {
    node -e 'const [major, minor] = process.versions.node.split(".").map(Number);
        process.exit(Number(major === 20 ? minor < 19 : major === 22 ? minor < 12 : major < 22))'
}

# What an installed folder of packages is stamped with.
node_stamp() { printf '%s' "$(node --version) $(cat "$ROOT/$1/package-lock.json" "$ROOT/$1/package.json" | cksum)"; }

node_packages_ready() { [ "$(cat "$ROOT/$1/node_modules/.installed" 2>/dev/null)" = "$(node_stamp "$1")" ]; }

# node_packages FOLDER
node_packages() {
    if node_packages_ready "$1"; then
        say "npm packages of $1: up to date"
        return
    fi
    say "npm packages of $1: installing"
    quietly npm --prefix "$ROOT/$1" ci --loglevel=error || die "npm could not install the packages of $1; its message is above"
    node_stamp "$1" >"$ROOT/$1/node_modules/.installed"
}
