#!/usr/bin/env bash
# Tests the console's page in a real Chromium: by itself, against a stand-in for the program, and
# with the localnet of SN1_TEST_BINARY.
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: scripts/browser-check.sh [--help]

Opens the console's page in a headless Chromium and does what a person would: reads, opens, sorts,
loses the program and finds it again. Installs Debian's chromium with apt-get where none is found,
and what tests/browser/package.json names with npm, into the target folder. The last line is
"skipped: ..." where one of them cannot be had, which is no failure.

  SN1_TEST_BINARY   the sn1 whose localnet is watched; without it, only the page by itself
  SN1_CONSOLE_URL   the console of a program that runs, to look at as well
  SN1_SCREENSHOTS   a folder for screenshots; without it, none are made
  SN1_CHROMIUM      the browser, if it is not chromium on the path
  CARGO_TARGET_DIR  the target folder (default: target)

  SN1_TEST_BINARY=target/debug/sn1 SN1_SCREENSHOTS=/tmp/shots scripts/browser-check.sh
TEXT
}
case ${1-} in
"") ;;
-h | --help)
    usage
    exit 0
    ;;
*)
    usage >&2
    exit 2
    ;;
esac

# Paths are meant from where this was called.
for name in SN1_TEST_BINARY SN1_SCREENSHOTS; do
    [[ -z ${!name-} ]] || export "$name=$(realpath -ms "${!name}")"
done
target=$(realpath -ms "${CARGO_TARGET_DIR:-$(dirname "$0")/../target}")
cd "$(dirname "$0")/.."

skip() {
    echo "skipped: $1"
    exit 0
}
has() { command -v "$1" >/dev/null 2>&1; }
as_root() {
    if ((EUID == 0)); then
        "$@"
    else
        sudo -n "$@"
    fi
}
# A fresh machine's list of packages may be older than the packages.
install() {
    has apt-get || return 1
    echo "installing $* with apt-get"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

has node && has npm || install nodejs npm || skip "the console's page: no Node.js with npm, and it cannot be installed"
major=$(node -p 'process.versions.node.split(".")[0]')
((major >= 20)) || skip "the console's page: Node.js 20 or later is needed, this is $(node --version)"
SN1_CHROMIUM=${SN1_CHROMIUM:-$(command -v chromium || true)}
if [[ -z $SN1_CHROMIUM ]]; then
    install chromium || skip "the console's page: Chromium cannot be installed, see above"
    SN1_CHROMIUM=$(command -v chromium)
fi
export SN1_CHROMIUM
"$SN1_CHROMIUM" --version 2>/dev/null

# The tests run from a copy beside the packages: Node looks for packages upwards from a file.
place=$target/browser
mkdir -p "$place/tests/browser" "$place/src/console"
rm -rf "$place/src/console/page" "$place/tests/browser/"*.mjs
cp -r src/console/page "$place/src/console/page"
cp tests/browser/*.mjs "$place/tests/browser/"
if ! cmp -s tests/browser/package.json "$place/tests/browser/installed.json"; then
    cp tests/browser/package.json tests/browser/.npmrc "$place/tests/browser/"
    (cd "$place/tests/browser" && npm install --no-audit --no-fund --loglevel=error) ||
        skip "the console's page: npm cannot install what tests/browser/package.json names, see above"
    cp tests/browser/package.json "$place/tests/browser/installed.json"
fi

cd "$place/tests/browser"
node --test --test-reporter=spec --test-timeout=400000 page.test.mjs console.test.mjs
[[ -n ${SN1_TEST_BINARY-} ]] ||
    echo "skipped: the console of a running program: SN1_TEST_BINARY names no sn1"
