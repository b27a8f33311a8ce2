# The wasm32-unknown-unknown target by two routes: rustup adds it, or, where rustup can't reach its
# server, Debian's rustc builds the standard library from Debian's sources.

WASM_TARGET=wasm32-unknown-unknown
# Prefix of Debian's toolchain, and the name under which rustup knows it.
WASM_SYSROOT="${WASM_SYSROOT:-/usr}"
WASM_TOOLCHAIN="${WASM_TOOLCHAIN:-wasm}"
WASM_ROUTE=

# Runs a command with the toolchain that compiles to wasm.
wasm() {
    if [ "$WASM_ROUTE" = debian ]; then
        env RUSTUP_TOOLCHAIN="$WASM_TOOLCHAIN" PATH="$CACHE/lld:$TOOLS/bin:$PATH" "$@"
    else
        env PATH="$TOOLS/bin:$PATH" "$@"
    fi
}

# Asks the compiler itself whether it finds a standard library for wasm that it can read: one built
# by another version counts as missing.
wasm_std_works() {
    local out status=0
    out=$(mktemp -d)
    printf 'pub fn f() -> String { String::new() }\n' |
        "$@" --target "$WASM_TARGET" --crate-type rlib --emit metadata --out-dir "$out" - 2>/dev/null || status=1
    rm -rf "$out"
    return "$status"
}

debian_route_ready() {
    [ -x "$WASM_SYSROOT/bin/rustc" ] && have rustup &&
        rustup toolchain list | grep -q "^$WASM_TOOLCHAIN\b" &&
        [ -x "$CACHE/lld/rust-lld" ] &&
        wasm_std_works "$WASM_SYSROOT/bin/rustc"
}

wasm_target() {
    if wasm_std_works rustc; then
        WASM_ROUTE=rustup
        say "wasm target: present in $(rustc --version | cut -d' ' -f1,2)"
        return
    fi
    link_lld
    if debian_route_ready; then
        WASM_ROUTE=debian
        say "wasm target: Debian's $("$WASM_SYSROOT/bin/rustc" --version | cut -d' ' -f1,2), as toolchain '$WASM_TOOLCHAIN'"
        return
    fi
    local limit=()
    have rustup || die "this Rust has no $WASM_TARGET target; install rustup from https://rustup.rs, which can add it"
    say "wasm target: asking rustup for it"
    # An unreachable server is not always a prompt failure.
    if have timeout; then limit=(timeout 180); fi
    if quietly "${limit[@]}" rustup target add "$WASM_TARGET" 2>/dev/null && wasm_std_works rustc; then
        WASM_ROUTE=rustup
        say "wasm target: added"
        return
    fi
    debian_route
    WASM_ROUTE=debian
}

# Debian's rustc-web leaves out the linker; rustup's toolchain has it.
link_lld() {
    local lld host
    host=$(rustc -vV | sed -n 's/^host: //p')
    lld="$(rustc --print sysroot)/lib/rustlib/$host/bin/rust-lld"
    [ -x "$lld" ] || return 0
    mkdir -p "$CACHE/lld"
    ln -sfn "$lld" "$CACHE/lld/rust-lld"
}

debian_route() {
    local missing=()
    [ -x "$WASM_SYSROOT/bin/rustc" ] || missing+=(rustc-web)
    [ -d "$WASM_SYSROOT/lib/rustlib/src/rust/library/std" ] || missing+=(rust-web-src)
    [ -x "$WASM_SYSROOT/bin/cargo-clippy" ] || missing+=(rust-web-clippy)
    [ "${#missing[@]}" -eq 0 ] || [ "$(distribution)" = debian ] ||
        die "rustup could not add the $WASM_TARGET target; see why, and add it, with: rustup target add $WASM_TARGET"
    say "wasm target: rustup can't add it here, so it comes from Debian's packages"
    [ "${#missing[@]}" -eq 0 ] || apt_install "${missing[@]}"
    [ -x "$CACHE/lld/rust-lld" ] || die "rust-lld is not in rustup's toolchain; reinstall it with: rustup toolchain install stable"
    wasm_std_works "$WASM_SYSROOT/bin/rustc" || build_std
    rustup toolchain link "$WASM_TOOLCHAIN" "$WASM_SYSROOT" || die "rustup could not link the toolchain '$WASM_TOOLCHAIN'"
}

# Builds std from a crate with nothing in it and hands the libraries to Debian's toolchain.
build_std() {
    local lib="$WASM_SYSROOT/lib/rustlib/$WASM_TARGET/lib" crate="$CACHE/std"
    mkdir -p "$lib" 2>/dev/null && [ -w "$lib" ] || die "$lib is not writable; run this once as root: ./build.sh setup"
    say "wasm target: building the standard library (about a minute)"
    rm -rf "$crate"
    mkdir -p "$crate/src"
    printf '[package]\nname = "empty"\nversion = "0.0.0"\nedition = "2021"\n[lib]\ncrate-type = ["rlib"]\n[workspace]\n' >"$crate/Cargo.toml"
    printf '' >"$crate/src/lib.rs"
    (
        cd "$crate"
        RUSTC="$WASM_SYSROOT/bin/rustc" RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR="$crate/target" \
            cargo build --release --target "$WASM_TARGET" -Zbuild-std=std,panic_abort,proc_macro,test
    ) || die "the standard library did not build for $WASM_TARGET; the compiler's message is above"
    # An older compiler's library next to the new one would only cause confusion.
    rm -f "$lib"/*.rlib
    find "$crate/target/$WASM_TARGET/release/deps" -name '*.rlib' ! -name 'libempty-*' -exec cp -t "$lib" {} +
    rm -rf "$crate"
    wasm_std_works "$WASM_SYSROOT/bin/rustc" || die "the standard library that was built for $WASM_TARGET can't be read"
}
