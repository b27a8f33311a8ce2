# `check`: everything that can be judged without running the program.

check() {
    say "check: format"
    cargo fmt --check || die "the format differs; run: cargo fmt"
    say "check: clippy, native"
    cargo clippy --release --features cli --all-targets -- -D warnings || die "clippy has complaints about the native build"
    say "check: clippy, wasm"
    wasm cargo clippy --release --target "$WASM_TARGET" --lib --test web -- -D warnings || die "clippy has complaints about the wasm build"
    say "check: documentation"
    RUSTDOCFLAGS='-D warnings' cargo doc --no-deps --release --features cli || die "the documentation has warnings"
    say "check: scripts"
    local script
    for script in build.sh .ci/run scripts/*.sh train/*.sh; do
        bash -n "$script" || die "$script does not parse"
    done
    say "check: types of the page, its server and its tests"
    npm --prefix "$E2E" run --silent types || die "the types of the page do not agree"
    say "check: passed"
}
