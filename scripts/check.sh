# `check`: everything that can be checked without running the program.

# What Prettier formats; .prettierignore has the exceptions.
JAVASCRIPT=('www/**/*.js' 'scripts/**/*.js' 'tests/e2e/**/*.js' 'tests/bundlers/**/*.js' 'train/*.mjs')

check() {
    say "check: format"
    cargo fmt --check || die "the format differs; run: cargo fmt"
    say "check: clippy, native"
    cargo clippy --locked --release --features cli --all-targets -- -D warnings || die "clippy reports problems in the native build"
    say "check: clippy, wasm"
    wasm cargo clippy --locked --release --target "$WASM_TARGET" --lib --test web -- -D warnings || die "clippy reports problems in the wasm build"
    check_oldest_rust
    say "check: documentation"
    RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps --release --features cli || die "the documentation has warnings"
    # As docs.rs builds it, whose machines have no GPU: Cargo.toml names no features there.
    RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps --release --lib || die "the documentation has warnings without features"
    say "check: scripts"
    local script
    for script in build.sh .ci/run scripts/*.sh train/*.sh; do
        bash -n "$script" || die "$script does not parse"
    done
    say "check: format of the JavaScript"
    "$E2E/node_modules/.bin/prettier" --log-level warn --check "${JAVASCRIPT[@]}" || die "the format differs; run: tests/e2e/node_modules/.bin/prettier --write ${JAVASCRIPT[*]}"
    say "check: faults in the JavaScript"
    "$E2E/node_modules/.bin/eslint" --config "$E2E/eslint.config.js" --max-warnings 0 www scripts tests/e2e tests/bundlers train || die "eslint reports problems"
    # The page is typed against what is generated with the package.
    build_pkg release
    say "check: types of the page, its server and its tests"
    npm --prefix "$E2E" run --silent types || die "the page does not type-check"
    audit_crates
    audit_npm scripts/server
    audit_npm tests/e2e
    audit_npm tests/bundlers
    say "check: passed"
}

# Builds with the oldest Rust that Cargo.toml promises, where it is installed or can be.
check_oldest_rust() {
    local oldest version found limit=()
    oldest=$(oldest_rust)
    version=$(rustc --version | cut -d' ' -f2)
    if [[ $version == "$oldest" || $version == "$oldest".* ]]; then
        say "check: this Rust, $version, is the oldest that is supported"
        return
    fi
    found=$(rustup toolchain list 2>/dev/null | grep -oE "^$oldest(\.[0-9]+)?-[^ ]+" | head -n 1) || true
    if [ -z "$found" ]; then
        say "check: installing Rust $oldest, the oldest that is supported"
        # An unreachable server is not always a prompt failure.
        if have timeout; then limit=(timeout 300); fi
        if ! have rustup || ! "${limit[@]}" rustup toolchain install "$oldest" --profile minimal >/dev/null 2>&1; then
            say "check: Rust $oldest is not installed and cannot be installed here, so nothing was built with it"
            return
        fi
        found=$oldest
    fi
    say "check: building with Rust $oldest, the oldest that is supported"
    # Apart from the other toolchain's crates, which stay as they are.
    CARGO_TARGET_DIR="$CARGO_TARGET_DIR/oldest" RUSTUP_TOOLCHAIN=$found cargo check --locked --features cli --all-targets ||
        die "this does not build with Rust $oldest, which Cargo.toml promises; raise rust-version there or avoid newer features"
}

# Licences and sources of the crates, by deny.toml, and their known vulnerabilities, by a list on
# GitHub. The tool takes minutes to build, so it is used only where it is installed already.
audit_crates() {
    local deny=(cargo deny --locked --log-level error)
    if ! cargo deny --version >/dev/null 2>&1; then
        say "check: cargo-deny is not installed, so the crates' licences and vulnerabilities were not checked; install it with: cargo install cargo-deny"
        return
    fi
    say "check: crates"
    quietly "${deny[@]}" check bans licenses sources || die "deny.toml rejects a dependency; the message is above"
    if ! answering "${deny[@]}" fetch db; then
        say "check: the list of crates' known vulnerabilities cannot be reached from here, so none were checked"
        return
    fi
    quietly "${deny[@]}" --offline check advisories ||
        die "a crate has a known vulnerability; update it, or explain the exception in deny.toml"
}

# audit_npm FOLDER: known vulnerabilities of its packages, by their registry.
audit_npm() {
    local report status=0
    say "check: npm packages of $1"
    report=$(answering npm --prefix "$ROOT/$1" audit --json) || status=1
    if [[ $report != *'"auditReportVersion"'* ]]; then
        say "check: the npm registry does not audit here, so no known vulnerabilities were checked"
    elif [ "$status" -ne 0 ]; then
        printf '%s\n' "$report" >&2
        die "an npm package of $1 has a known vulnerability; update it"
    fi
}

# Runs a command whose server may be unreachable, which can take long to notice.
answering() {
    local limit=()
    if have timeout; then limit=(timeout 60); fi
    "${limit[@]}" "$@" 2>/dev/null
}
