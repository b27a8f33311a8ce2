# System packages: what is missing, and how it gets here.

CHROMIUM="${CHROMIUM:-/usr/bin/chromium}"
CHROMEDRIVER="${CHROMEDRIVER:-/usr/bin/chromedriver}"
FIREFOX="${FIREFOX:-/usr/bin/firefox-esr}"
WEBKIT_DRIVER="${WEBKIT_DRIVER:-/usr/bin/WebKitWebDriver}"
XVFB="${XVFB:-/usr/bin/Xvfb}"
NODE_OLDEST=18
export CHROMIUM CHROMEDRIVER FIREFOX WEBKIT_DRIVER XVFB

# debian, ubuntu or other, by the system's name and the names of what it derives from.
distribution() {
    # shellcheck source=/dev/null
    case " $(. /etc/os-release 2>/dev/null && printf '%s' "${ID-} ${ID_LIKE-}") " in
        *" ubuntu "*) printf ubuntu ;;
        *" debian "*) printf debian ;;
        *) printf other ;;
    esac
}

can_apt() { have apt-get && [ "$(id -u)" -eq 0 ] && [ "$(distribution)" != other ]; }

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

# What the tests need as well.
test_packages() {
    # Lavapipe, the software Vulkan that gives Firefox a WebGPU adapter.
    [ "$(uname)" != Linux ] || compgen -G '/usr/share/vulkan/icd.d/lvp_icd*.json' >/dev/null || printf '%s\n' mesa-vulkan-drivers
    # Ubuntu has the browsers only as snaps, which the tests can't drive.
    [ "$(distribution)" = debian ] || return 0
    [ -x "$CHROMIUM" ] || printf '%s\n' chromium
    [ -x "$CHROMEDRIVER" ] || printf '%s\n' chromium-driver
    [ -x "$FIREFOX" ] || printf '%s\n' firefox-esr
}

# What some tests need, which are skipped without it: WebKitGTK, as a stand-in for Safari.
extra_packages() {
    [ -x "$WEBKIT_DRIVER" ] || printf '%s\n' webkit2gtk-driver
    [ -x "$XVFB" ] || printf '%s\n' xvfb
}

# Installs what is available; tests that need anything else are skipped.
install_extras() {
    local missing=()
    mapfile -t missing < <(extra_packages)
    [ "${#missing[@]}" -gt 0 ] || return 0
    if can_apt; then
        say "installing with apt-get: ${missing[*]}"
        quietly apt-get update &&
            DEBIAN_FRONTEND=noninteractive quietly apt-get install -y --no-install-recommends "${missing[@]}" && return 0
    fi
    say "the tests in WebKit are skipped without these packages, which Debian and Ubuntu install with: sudo apt-get install --no-install-recommends ${missing[*]}"
}

# Reports the browsers that no package provided, in one sentence.
need_browsers() {
    local name missing=()
    for name in CHROMIUM CHROMEDRIVER FIREFOX; do
        [ -x "${!name}" ] || missing+=("$name=${!name}")
    done
    [ "${#missing[@]}" -eq 0 ] ||
        die "nothing runs at ${missing[*]}; install Chromium or Chrome with its chromedriver, and Firefox, not as snaps (for instance with: npx @puppeteer/browsers install chrome@stable, then chromedriver@stable and firefox@stable), and set CHROMIUM, CHROMEDRIVER and FIREFOX to where they are"
}

# The packages that KIND needs and that are missing.
wanted_packages() {
    page_packages
    if needs "$1" tests; then test_packages; fi
    if needs "$1" release; then have brotli || printf '%s\n' brotli; fi
}

# system_packages page|release|check|tests|all
system_packages() {
    local missing=()
    mapfile -t missing < <(wanted_packages "$1")
    if [ "${#missing[@]}" -gt 0 ]; then
        apt_install "${missing[@]}"
    else
        say "system packages: nothing missing"
    fi
    if needs "$1" tests; then
        install_extras
        need_browsers
    fi
    local node
    node=$(node --version)
    node=${node#v}
    [ "${node%%.*}" -ge "$NODE_OLDEST" ] ||
        die "Node.js $node is too old; install version $NODE_OLDEST or newer from https://nodejs.org"
}
