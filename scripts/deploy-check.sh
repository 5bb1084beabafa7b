#!/usr/bin/env bash
# Uses each file of config/deploy once, with the tools that are here, and says what was not done and
# why. Takes the program's path; $CARGO_TARGET_DIR/debug/sn1 when left out. SN1_PM2 names pm2;
# DEPLOY_CHECK_BUILD=1 builds the container too, where an engine is there (it compiles a release).
set -euo pipefail

# Paths are meant from where this was called.
program=$(realpath -ms "${1:-${CARGO_TARGET_DIR:-$(dirname "$0")/../target}/debug/sn1}")
[[ ${SN1_PM2-} != */* ]] || SN1_PM2=$(realpath -ms "$SN1_PM2")
cd "$(dirname "$0")/.."

deploy=$PWD/config/deploy
place=$(mktemp -d)
running=
used=() skipped=()
has() { command -v "$1" >/dev/null 2>&1; }
done_with() {
    used+=("$1")
    printf 'ok       %s\n' "$1"
}
skip() {
    skipped+=("$1")
    printf 'skipped  %s\n' "$1"
}
fail() {
    printf 'FAILED   %s\n' "$1" >&2
    exit 1
}
# Never the user's own.
export PM2_HOME=$place/pm2
pm2() { command "$SN1_PM2" "$@"; }
clean_up() {
    [[ -z $running ]] || kill -KILL "$running" 2>/dev/null || true
    [[ -z ${SN1_PM2-} ]] || pm2 kill >/dev/null 2>&1 || true
    rm -rf "$place"
}
trap clean_up EXIT

# What stands for a machine of its own: a wallet, a folder for state, free ports, and a chain that
# never answers, so that nothing is sent to anybody.
export HOME=$place XDG_STATE_HOME=$place/state XDG_CACHE_HOME=$place/cache
export SN1_WALLET__PATH=$place/wallets SN1_LOGGING__LOGGING_DIR=$place/neurons
export SN1_SUBTENSOR__CHAIN_ENDPOINT=ws://127.0.0.1:1 SN1_AXON__IP=127.0.0.1
"$program" wallet new hotkey >/dev/null 2>&1 || fail "sn1 wallet new"

for file in "$deploy"/*.toml; do
    name=$(basename "$file" .toml)
    "$program" config check --role "${name%%-*}" --config "$file" >/dev/null || fail "$name.toml"
    done_with "$name.toml: sn1 config check"
done

# The units, with the program where it is now.
mkdir -p "$place"/units/sn1-{validator,miner}@.service.d
for role in validator miner; do
    sed "s|/usr/local/bin/sn1|$program|" "$deploy/systemd/sn1-$role@.service" >"$place/units/sn1-$role@.service"
    cp "$deploy/systemd/wallet-password.conf" "$place/units/sn1-$role@.service.d/"
done
if has systemd-analyze; then
    # It ends with 0 over keys that it does not know, and only says so.
    said=$(systemd-analyze verify --man=no "$place"/units/*.service 2>&1) || fail "systemd-analyze verify: $said"
    [[ -z $said ]] || fail "systemd-analyze verify: $said"
    done_with "systemd/*: systemd-analyze verify"
else
    skip "systemd/*: no systemd-analyze (install systemd)"
fi

# ends_with CODE PID WHAT: within the time that supervisors wait.
ends_with() {
    local code=0 tries=100
    while kill -0 "$2" 2>/dev/null && ((tries--)); do sleep 0.1; done
    if ((tries < 0)); then
        fail "$3: it does not end within 10 seconds of SIGTERM"
    fi
    wait "$2" || code=$?
    running=
    ((code == $1)) || fail "$3: exit code $code instead of $1: $(cat "$place/said")"
}
# What a unit would run, by hand: it waits for the chain, and ends in good order when told to.
for unit in validator@validator-finney validator@validator-test miner@miner-test; do
    line=$(sed -n "s/^ExecStart=//p" "$place/units/sn1-${unit%%@*}@.service")
    line=${line//\/etc\/sn1\/%i/$deploy/${unit#*@}}
    env=(SN1_NEURON__MODEL_ID=fake SN1_PUBLIC__ALLOW_SMALL_MODEL=true)
    [[ $unit == miner* ]] && env=(SN1_MINER__KIND=echo)
    # shellcheck disable=SC2086 # the line is to be split
    env "${env[@]}" $line >"$place/said" 2>&1 </dev/null &
    running=$!
    banner="on $([[ $unit == *finney ]] && echo finney || echo test)"
    for ((tries = 100; tries > 0; tries--)); do
        grep -q "$banner" "$place/said" && break
        kill -0 "$running" 2>/dev/null || fail "ExecStart of $unit ends by itself: $(cat "$place/said")"
        sleep 0.1
    done
    ((tries > 0)) || fail "ExecStart of $unit does not say \"$banner\": $(cat "$place/said")"
    kill -TERM "$running"
    ends_with 0 "$running" "ExecStart of $unit"
done
done_with "systemd/*: each ExecStart by hand, ended by SIGTERM with 0"

if docker compose version >/dev/null 2>&1; then
    SN1_WALLETS=$place/wallets SN1_MINER_HOTKEY=miner \
        docker compose -f "$deploy/compose.yaml" config --quiet || fail compose.yaml
    done_with "compose.yaml: docker compose config"
elif has docker-compose; then
    SN1_WALLETS=$place/wallets SN1_MINER_HOTKEY=miner \
        docker-compose -f "$deploy/compose.yaml" config --quiet || fail compose.yaml
    done_with "compose.yaml: docker-compose config"
else
    skip "compose.yaml: neither docker compose nor docker-compose (install docker-compose)"
fi

engine=
for candidate in podman docker buildah; do
    "$candidate" info >/dev/null 2>&1 && engine=$candidate && break
done
if [[ -z $engine ]]; then
    skip "Containerfile: no container engine answers (podman, docker or buildah)"
elif [[ -z ${DEPLOY_CHECK_BUILD-} ]]; then
    skip "Containerfile: it compiles a release; DEPLOY_CHECK_BUILD=1 has $engine do so"
else
    "$engine" build -f "$deploy/Containerfile" -t sn1:deploy-check . || fail Containerfile
    done_with "Containerfile: $engine build"
fi

if has logrotate; then
    # Only read: the user and the folder need not be here.
    sed "s|/var/log/sn1|$place/logs|; /^    su /d" "$deploy/logrotate.conf" >"$place/logrotate.conf"
    chmod 0644 "$place/logrotate.conf"
    mkdir "$place/logs"
    said=$(logrotate --debug --state "$place/logrotate.state" "$place/logrotate.conf" 2>&1) || fail "logrotate: $said"
    grep -qi "^error" <<<"$said" && fail "logrotate: $said"
    done_with "logrotate.conf: logrotate --debug"
else
    skip "logrotate.conf: no logrotate"
fi

if ! has node; then
    skip "ecosystem.config.cjs: no node"
elif [[ -z ${SN1_PM2-} ]]; then
    node -e 'const { apps } = require(process.argv[1]); if (apps.length !== 2) process.exit(1)' \
        "$deploy/ecosystem.config.cjs" || fail ecosystem.config.cjs
    done_with "ecosystem.config.cjs: node reads it"
    skip "ecosystem.config.cjs under pm2: SN1_PM2 names none"
else
    export SN1_BIN=$program SN1_CONFIG=$deploy
    # told FIELD APP: of pm2's list.
    told() {
        pm2 jlist 2>/dev/null | tail -n 1 | node -e '
            const [field, name] = process.argv.slice(1);
            const list = JSON.parse(require("fs").readFileSync(0, "utf8"));
            console.log(list.find((app) => app.name === name).pm2_env[field]);' "$1" "$2"
    }
    # The stand-in is refused in public: this validator ends with 2, and must not be started again.
    SN1_NEURON__MODEL_ID=fake SN1_PUBLIC__ALLOW_SMALL_MODEL=false SN1_MINER__KIND=echo \
        pm2 start "$deploy/ecosystem.config.cjs" --silent
    for ((tries = 100; tries > 0; tries--)); do
        [[ $(told exit_code sn1-validator) == 2 ]] && break
        sleep 0.1
    done
    # Longer than the pause after which pm2 starts again what it does not leave alone.
    sleep 7
    [[ $(told status sn1-validator) != online && $(told exit_code sn1-validator) == 2 &&
        $(told restart_time sn1-validator) == 0 ]] || fail "pm2: a wrong configuration is started again"
    [[ $(told status sn1-miner) == online ]] || fail "pm2: the miner does not run"
    pm2 stop sn1-miner --silent
    [[ $(told status sn1-miner) == stopped && $(told exit_code sn1-miner) == 0 ]] ||
        fail "pm2: the miner ends with $(told exit_code sn1-miner)"
    done_with "ecosystem.config.cjs: pm2 starts, stops, and leaves alone what ended with 2"
fi

printf '\nused: %s\n' "${#used[@]}"
printf 'not used: %s\n' "${#skipped[@]}"
((${#skipped[@]} == 0)) || printf '  %s\n' "${skipped[@]}"
