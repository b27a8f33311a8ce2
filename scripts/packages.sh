# System packages: what is missing, and how it gets here.

CHROMIUM="${CHROMIUM:-/usr/bin/chromium}"
CHROMEDRIVER="${CHROMEDRIVER:-/usr/bin/chromedriver}"
FIREFOX="${FIREFOX:-/usr/bin/firefox-esr}"
NODE_OLDEST=18
export CHROMIUM CHROMEDRIVER FIREFOX

can_apt() {
    have apt-get && [ "$(id -u)" -eq 0 ] && grep -qiE '^ID(_LIKE)?=.*(debian|ubuntu)' /etc/os-release
}

# Installs packages, or says in one sentence what to run.
apt_install() {
    if ! can_apt; then
        if have apt-get; then
            die "these packages are missing; install them with: sudo apt-get install --no-install-recommends $*"
        fi
        die "these are missing, under their Debian names; install them with this system's package manager: $*"
    fi
    say "installing with apt-get: $*"
    quietly apt-get update || die "apt-get update failed; its message is above"
    DEBIAN_FRONTEND=noninteractive quietly apt-get install -y --no-install-recommends "$@" ||
        die "apt-get could not install $*; its message is above"
}

# What serving the page needs.
page_packages() {
    have cc || printf '%s\n' gcc libc6-dev
    have node || printf '%s\n' nodejs
    have npm || printf '%s\n' npm
}

# What the tests need besides.
test_packages() {
    [ -x "$CHROMIUM" ] || printf '%s\n' chromium
    [ -x "$CHROMEDRIVER" ] || printf '%s\n' chromium-driver
    [ -x "$FIREFOX" ] || printf '%s\n' firefox-esr
    # Lavapipe, the software Vulkan that gives Firefox a WebGPU adapter.
    compgen -G '/usr/share/vulkan/icd.d/lvp_icd*.json' >/dev/null || printf '%s\n' mesa-vulkan-drivers
}

# system_packages page|tests
system_packages() {
    local missing=()
    mapfile -t missing < <(
        page_packages
        # Where apt can't be used, nobody who only serves the page is held up for a test browser.
        if [ "$1" = tests ] || can_apt; then test_packages; fi
        if [ "$1" = release ]; then have brotli || printf '%s\n' brotli; fi
    )
    if [ "${#missing[@]}" -gt 0 ]; then
        apt_install "${missing[@]}"
    else
        say "system packages: nothing missing"
    fi
    local node
    node=$(node --version)
    node=${node#v}
    [ "${node%%.*}" -ge "$NODE_OLDEST" ] ||
        die "Node.js $node is too old; install version $NODE_OLDEST or newer from https://nodejs.org"
}
