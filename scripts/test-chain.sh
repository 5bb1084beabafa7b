#!/usr/bin/env bash
# Tests the chain client on real subtensor runtimes, each run as a local node (Node 20 or newer):
# the tests of tests/it/{spending,chain*}.rs, our metagraph against what polkadot-js reads, and, on
# the newest, a validator and a miner end to end.
#
#   scripts/test-chain.sh [--no-e2e | --only-e2e] [RUNTIME...]      runtimes: 143 202 218
#
# TEST_FIXTURES/chain holds the node (its README.md says what it is). CHAIN_FOLDER is a copy of it
# that is ready to run; without it one is made under CARGO_TARGET_DIR. Runtimes that are not there
# are taken from SUBTENSOR_GIT, the git directory of a snapshot of github:opentensor/subtensor.
# SN1 is a program that is built already. Ends with 1 if anything failed.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
    sed -n '2,/^set /{s/^# \{0,1\}//;/^set /d;p}' "$0"
}

tests=true e2e=true runtimes=()
for argument in "$@"; do
    case $argument in
    --no-e2e) e2e=false ;;
    --only-e2e) tests=false ;;
    --help | -h)
        usage
        exit
        ;;
    143 | 202 | 218) runtimes+=("$argument") ;;
    *)
        usage >&2
        exit 2
        ;;
    esac
done
((${#runtimes[@]})) || runtimes=(143 202 218)
$tests || runtimes=()

fixtures=${TEST_FIXTURES:-../shared/reference}
[[ $fixtures == /* ]] || fixtures=$PWD/$fixtures
export TEST_FIXTURES=$fixtures
target=${CARGO_TARGET_DIR:-target}
[[ $target == /* ]] || target=$PWD/$target

heading() { printf '\n== %s\n' "$*"; }
skip() {
    printf 'skipped: %s\n' "$1"
    exit 0
}

# What was started, to be stopped in all cases, each with its own children: it leads a group.
work=$(mktemp -d) processes=() chain=''
stop() {
    local process
    for process in "$@"; do
        [[ -n $process ]] || continue
        kill -- "-$process" 2>/dev/null || kill "$process" 2>/dev/null || true
        wait "$process" 2>/dev/null || true
    done
}
trap 'stop "${processes[@]}" "$chain"; rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# attend COMMAND...: runs it to its end. Bash hears a signal only between two commands or in a
# `wait`, so whatever takes long is waited for: otherwise who ends this script waits for it too, or
# kills the script and leaves the node behind.
attend() {
    local outcome=0
    setsid "$@" &
    processes+=($!)
    wait "$!" || outcome=$?
    unset 'processes[-1]'
    return "$outcome"
}

# step NAME COMMAND...: runs it with its output shown, and remembers how it went. A command that is
# a function has to return at its first failure itself: its caller's `||` switches errexit off.
results=() failed=false
step() {
    local name=$1 began=$SECONDS outcome=ok
    shift
    heading "$name"
    "$@" || outcome=FAILED
    [[ $outcome == ok ]] || failed=true
    results+=("$(printf '%-52s %-6s %4ss' "$name" "$outcome" $((SECONDS - began)))")
    printf '%s: %s\n' "$name" "$outcome"
    [[ $outcome == ok ]]
}

heading "Node"
command -v node >/dev/null || skip "no Node: install Node 20 or newer, then run this again"
node_version=$(node -p 'process.versions.node')
((${node_version%%.*} >= 20)) || skip "Node $node_version is too old: install Node 20 or newer"
echo "Node $node_version"

heading "the node program"
if [[ -z ${CHAIN_FOLDER-} ]]; then
    [[ -f $TEST_FIXTURES/chain/start.mjs ]] ||
        skip "no $TEST_FIXTURES/chain/start.mjs: TEST_FIXTURES names the folder of reference data"
    CHAIN_FOLDER=$target/chain
    mkdir -p "$CHAIN_FOLDER"
    cp -r "$TEST_FIXTURES/chain/." "$CHAIN_FOLDER"
    if ! cmp -s "$CHAIN_FOLDER/package-lock.json" "$CHAIN_FOLDER/node_modules/installed.json"; then
        attend env -C "$CHAIN_FOLDER" npm ci --ignore-scripts --no-audit --no-fund
        cp "$CHAIN_FOLDER/package-lock.json" "$CHAIN_FOLDER/node_modules/installed.json"
    fi
fi
export CHAIN_FOLDER
echo "$CHAIN_FOLDER"

wanted=("${runtimes[@]}")
! $e2e || wanted+=(218)
missing() {
    local runtime
    for runtime in "${wanted[@]}"; do
        [[ -f $CHAIN_FOLDER/runtime/subtensor-$runtime.compact.compressed.wasm ]] || echo "$runtime"
    done
}
if [[ -n $(missing) ]]; then
    [[ -n ${SUBTENSOR_GIT-} ]] ||
        skip "runtimes that are not in $CHAIN_FOLDER/runtime: $(missing | sort -u | xargs); set" \
            "SUBTENSOR_GIT to the git directory of a snapshot of github:opentensor/subtensor"
    attend python3 "$CHAIN_FOLDER/extract-runtimes.py" "$SUBTENSOR_GIT"
    [[ -z $(missing) ]] || {
        echo "not in the snapshot: $(missing | sort -u | xargs)" >&2
        exit 1
    }
fi
echo "runtimes $(printf '%s\n' "${wanted[@]}" | sort -u | xargs)"

if [[ -z ${SN1-} ]]; then
    heading "cargo build"
    attend cargo build --workspace --bin sn1
    SN1=$target/debug/sn1
fi

free_port() {
    node -e 'const s = require("net").createServer(); s.listen(0, "127.0.0.1", () => {
        console.log(s.address().port); s.close(); });'
}

# wait_for SECONDS FILE TEXT PROCESS: until the file has the text; fails when the process is gone.
wait_for() {
    local deadline=$((SECONDS + $1))
    until grep -q -- "$3" "$2"; do
        if ! kill -0 "$4" 2>/dev/null || ((SECONDS >= deadline)); then
            echo "no \"$3\" within $1 s; the end of its output:" >&2
            tail -n 20 "$2" >&2
            return 1
        fi
        sleep 0.2
    done
}

# start_chain RUNTIME OPTION...: sets chain, url and seed.
start_chain() {
    local runtime=$1 port log
    shift
    port=$(free_port) || return
    log=$work/chain-$runtime.log
    url=ws://127.0.0.1:$port seed=$work/seed-$runtime.json
    setsid node "$CHAIN_FOLDER/start.mjs" --runtime "$runtime" --port "$port" --netuid 1 \
        --miners 3 --validators 2 --out "$seed" "$@" >"$log" 2>&1 &
    chain=$!
    wait_for 180 "$log" READY "$chain" || return
    echo "runtime $runtime at $url"
}
stop_chain() {
    stop "$chain"
    chain=''
}

# rust_tests RUNTIME FILTER. Tests that ran nothing, or skipped themselves, are no proof.
rust_tests() {
    local log=$work/tests.log
    TEST_CHAIN=$url TEST_CHAIN_RUNTIME=$1 TEST_CHAIN_SEED=$seed \
        attend bash -o pipefail -c 'cargo test --workspace --test it -- "$1" --test-threads 1 \
            --nocapture 2>&1 | tee "$2"' - "$2" "$log" || return
    if ! grep -qE 'test result: ok\. [1-9]' "$log" || grep -q 'skipped: TEST_CHAIN' "$log"; then
        echo "no test ran on the chain" >&2
        return 1
    fi
}
same_metagraph() {
    attend "$SN1" metagraph --json "${on_chain[@]}" --subtensor.chain_endpoint "$url" \
        >"$work/metagraph.json" || return
    attend node scripts/peers/polkadot.mjs metagraph "$url" 1 "$work/metagraph.json"
}

on_chain=(--netuid 1 --subtensor.network local)
# Both hotkeys of the end-to-end run are new on the subnet.
validator_key=//Bob//validator miner_key=//Bob//miner
register_both() {
    local hotkey
    for hotkey in "$validator_key" "$miner_key"; do
        attend "$SN1" register "${on_chain[@]}" --subtensor.chain_endpoint "$url" --uri //Bob \
            --hotkey "$hotkey" --max-burn 100 --yes || return
    done
}
# A new neuron gets its permit when the epoch turns, every 11 blocks.
wait_for_permit() {
    local deadline=$((SECONDS + 60))
    until attend node scripts/peers/polkadot.mjs permit "$url" 1 "$validator_key"; do
        ((SECONDS < deadline)) || return
        sleep 1
    done
}

run_both() {
    local common=("${on_chain[@]}" --subtensor.chain_endpoint "$url" --logging.logging_dir "$work/state")
    local miner=$work/miner.log port outcome=0
    port=$(free_port) || return
    setsid "$SN1" miner --uri "$miner_key" "${common[@]}" --miner.kind echo --axon.ip 127.0.0.2 \
        --axon.port "$port" >"$miner" 2>&1 &
    processes+=($!)
    wait_for 60 "$miner" serving "${processes[-1]}" || return
    # The validator asks whom the chain names when it starts.
    wait_for 120 "$miner" "the axon's address is on the chain" "${processes[-1]}" || return
    echo "the miner serves at 127.0.0.2:$port"
    attend timeout 600 "$SN1" validator --uri "$validator_key" "${common[@]}" --neuron.model_id fake \
        --tools.sources builtin,maths --run.steps 10 --neuron.epoch_length 5 --weights.min_steps 1 \
        --weights.min_scored_fraction 0 --neuron.axon_off || outcome=$?
    stop "${processes[@]}"
    processes=()
    ((outcome == 0)) || {
        echo "the validator ended with $outcome; the end of the miner's output:" >&2
        tail -n 20 "$miner" >&2
        return 1
    }
}
weights_on_chain() { attend node scripts/peers/polkadot.mjs weights "$url" 1 "$validator_key"; }

# A failed step does not keep the others from running, but nothing runs without its chain.
for runtime in "${runtimes[@]}"; do
    if step "runtime $runtime: start" start_chain "$runtime"; then
        # Those that send nothing come first: they count on a subnet as it was made.
        step "runtime $runtime: tests of refusals" rust_tests "$runtime" spending:: || true
        step "runtime $runtime: tests" rust_tests "$runtime" chain || true
        step "runtime $runtime: metagraph as polkadot-js reads it" same_metagraph || true
    fi
    stop_chain
done
if $e2e; then
    if step "end to end: start" start_chain 218 --block-time 1; then
        step "end to end: both are registered" register_both || true
        step "end to end: the validator has a permit" wait_for_permit || true
        step "end to end: a miner, and ten steps of a validator" run_both || true
        step "end to end: its weights are on chain" weights_on_chain || true
        step "end to end: metagraph as polkadot-js reads it" same_metagraph || true
    fi
    stop_chain
fi

heading "summary"
printf '%s\n' "${results[@]}"
! $failed
