# `test`: kinds of tests and one closing line.

PASSED=0
FAILED=0
SKIPPED=0

# run_tests [native|wasm|page|gpu|slow]...
run_tests() {
    local kind kinds=() slow=
    for kind in "$@"; do
        case $kind in
            native | wasm | page | gpu) kinds+=("$kind") ;;
            slow) slow=1 ;;
            *) usage >&2; exit 2 ;;
        esac
    done
    [ "${#kinds[@]}" -gt 0 ] || kinds=(native wasm page)
    set_up tests
    for kind in "${kinds[@]}"; do
        "test_$kind" "$slow"
    done
    say "tests: done"
    printf '%d passed, %d failed%s\n' "$PASSED" "$FAILED" "$(skipped "$SKIPPED")"
    [ "$FAILED" -eq 0 ]
}

# counted NAME COMMAND…: runs cargo's or wasm-bindgen's test runner and adds up its result lines. A
# runner that fails without a failed test (a build error, a crash) is one failure. A test that could
# not run says so in a line with `skipped: `, and the runner counts it as passed.
counted() {
    local name=$1 log status=0 passed failed left_out
    shift
    log=$(mktemp)
    "$@" 2>&1 | tee "$log" || status=1
    read -r passed failed < <(
        sed -nE 's/^test result: .* ([0-9]+) passed; ([0-9]+) failed;.*/\1 \2/p' "$log" |
            awk '{ p += $1; f += $2 } END { print p + 0, f + 0 }'
    )
    left_out=$(grep -cE '(^|\.\.\. )skipped: ' "$log") || true
    rm -f "$log"
    add "$name" $((passed - left_out)) "$failed" "$status" "$left_out"
}

# Words for tests that could not run here, if there are any.
skipped() { [ "$1" -eq 0 ] || printf ', %d skipped' "$1"; }

# add NAME PASSED FAILED STATUS [SKIPPED]
add() {
    local failed=$3 left_out=${5:-0}
    if [ "$failed" -eq 0 ] && { [ "$4" -ne 0 ] || [ $(($2 + left_out)) -eq 0 ]; }; then
        failed=1
        say "tests: $1 did not finish"
    fi
    PASSED=$((PASSED + $2))
    FAILED=$((FAILED + failed))
    SKIPPED=$((SKIPPED + left_out))
    say "tests: $1: $2 passed, $failed failed$(skipped "$left_out")"
}

test_native() {
    local extra=()
    [ -z "$1" ] || extra=(-- --include-ignored)
    say "tests: native"
    counted native cargo test --locked --release --features cli --no-fail-fast "${extra[@]}"
}

# A second native set of features, whose crates take minutes to build: not among those that run unasked.
test_gpu() {
    say "tests: the command line on lavapipe"
    counted gpu cargo test --locked --release --features cli,wgpu --test gpu
}

test_wasm() {
    say "tests: wasm in headless Chromium"
    WASM_BINDGEN_TEST_TIMEOUT=1200 counted wasm \
        wasm wasm-pack test --mode no-install --headless --chrome --chromedriver "$CHROMEDRIVER" --release -- --locked --test web
}

test_page() {
    say "tests: the page in Chromium, Firefox and WebKit"
    local results port status=0 passed=0 failed=0 left_out=0
    results=$(mktemp)
    build_pkg release
    # The page's numbers are compared with the command line's, built as for the native tests.
    cargo test --locked --release --features cli --no-run || die "the command line did not build; the message is above"
    port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')
    (
        cd "$E2E"
        TESSERAE_SLOW=$1 TESSERAE="$CARGO_TARGET_DIR/release/tesserae" E2E_PORT=$port E2E_RESULTS=$results \
            ./node_modules/.bin/playwright test
    ) || status=1
    read -r passed failed left_out < <(node "$E2E/count.js" "$results" 2>/dev/null || echo 0 0 0)
    rm -f "$results"
    add page "$passed" "$failed" "$status" "$left_out"
}
