# `art`: the pictures of the landing page and of README.md, made from the shipped weights.

art() {
    set_up tests
    build_pkg release
    say "art: building the command line"
    cargo build --locked --release --features cli || die "the command line did not build; the message is above"
    say "art: the landing page's pictures and the page itself, in headless Chromium"
    ticking node "$E2E/art.js" || die "the page did not make its pictures; the message is above"
    local model
    for model in photos-f8 photos-f8-vqvae; do
        say "art: three photos rebuilt by $model"
        quietly "$CARGO_TARGET_DIR/release/tesserae" eval "$ROOT"/www/samples/{astronaut,chelsea,coffee}.png --size 256 --square \
            --models "$ROOT/www/models" --model "$model" $(sheet_codecs "$model") --sheet "$ROOT/docs/models/$model.jpg" ||
            die "$model could not be evaluated; the message is above"
    done
    say "art: www/art/, docs/page.png and docs/models/ are ready; look at them before committing"
}

# JPEG and WebP are shown for the second stage only.
sheet_codecs() { [ "$1" != photos-f8 ] || printf -- --codecs; }
