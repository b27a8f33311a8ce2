# `serve` and `build`: pkg/ from the library, the page made of it, and the server for it.

# build_pkg PROFILE: the package into pkg/.
build_pkg() {
    [ -d "$ROOT/www" ] || die "www/ is missing from this clone"
    say "page: compiling to wasm (13 minutes the first time on two cores)"
    ticking wasm cargo build --locked --lib --target "$WASM_TARGET" --profile "$1" ||
        die "the library did not build for the browser; the message is above"
    # An earlier build's files would be packed, and its compressed ones served, alongside the new ones.
    rm -rf "$ROOT/pkg"
    quietly "$TOOLS/bin/wasm-bindgen" --target web --out-dir "$ROOT/pkg" "$CARGO_TARGET_DIR/$WASM_TARGET/$1/tesserae.wasm" ||
        die "wasm-bindgen could not make its JavaScript; its message is above"
    node "$ROOT/scripts/npm/write.js" || die "pkg/ could not be turned into a package; the message is above"
}

serve() {
    local port=${PORT:-8080}
    [[ $port =~ ^[0-9]{1,5}$ ]] && [ "$port" -ge 1 ] && [ "$port" -le 65535 ] ||
        die "PORT must be a number from 1 to 65535, not '$port'"
    # Checked before the build rather than after it.
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
        die "port $port of 127.0.0.1 is taken; choose another with PORT=8081 ./build.sh serve"
    fi
    set_up page
    build_pkg release
    say "page: ready"
    PORT=$port exec node "$SERVER/serve.js"
}

build_release() {
    set_up release
    build_pkg dist
    smallest_module "$ROOT/pkg/tesserae_bg.wasm"
    say "release: compressing"
    local file
    for file in "$ROOT"/pkg/*.wasm "$ROOT"/pkg/*.js; do
        quietly brotli --force --quality=11 --keep "$file"
        quietly gzip --force --best --keep "$file"
        printf '%10d bytes, %9d brotli, %9d gzip  %s\n' \
            "$(wc -c <"$file")" "$(wc -c <"$file.br")" "$(wc -c <"$file.gz")" "${file#"$ROOT"/}"
    done
    node "$SERVER/write.js" || die "dist/ could not be written; the message is above"
    quietly "$E2E/node_modules/.bin/tsc" -p "$ROOT/scripts/npm" || die "the types of the package's client could not be made; the message is above"
    say "release: pkg/ is the npm package; publish it with: npm publish ./pkg"
    say "release: dist/ is ready; upload it whole (see docs/hosting.md)"
}

# Drops the names from the module, and keeps wasm-opt's version of it only if that downloads faster.
smallest_module() {
    local work plain small
    local optimizer=("$E2E/node_modules/.bin/wasm-opt" --enable-simd --enable-bulk-memory --enable-sign-ext
        --enable-mutable-globals --enable-nontrapping-float-to-int --enable-reference-types --enable-multivalue
        --strip-debug --strip-producers)
    work=$(mktemp -d)
    say "release: stripping names, and trying wasm-opt -Oz (minutes)"
    ticking "${optimizer[@]}" "$1" -o "$work/plain.wasm" || die "wasm-opt could not read the module"
    ticking "${optimizer[@]}" -Oz "$work/plain.wasm" -o "$work/small.wasm" || die "wasm-opt could not optimize the module"
    plain=$(brotli --quality=11 --stdout "$work/plain.wasm" | wc -c)
    small=$(brotli --quality=11 --stdout "$work/small.wasm" | wc -c)
    if [ "$small" -lt "$plain" ]; then
        say "release: keeping wasm-opt's module, $small bytes of brotli against $plain"
        cp "$work/small.wasm" "$1"
    else
        say "release: discarding wasm-opt's module, $small bytes of brotli against $plain"
        cp "$work/plain.wasm" "$1"
    fi
    rm -rf "$work"
}
