#!/usr/bin/env bash
# Sees that a kind of task and a reward take one file and one line each: adds those of tests/extend
# to a copy of the tree, builds it, and looks for them in the commands and in a local network's
# journal. Honours CARGO_TARGET_DIR.
set -euo pipefail
cd "$(dirname "$0")/.."

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

git ls-files -z --cached --others --exclude-standard |
    tar --create --null --files-from=- --ignore-failed-read 2>/dev/null | tar --extract -C "$copy"
tasks=$copy/actors/src/task_maker/tasks
rewards=$copy/actors/src/reward_scorer/rewards
cp tests/extend/definition.rs "$tasks/"
cp tests/extend/length.rs "$rewards/"
# add_line FILE LINE: to its table.
add_line() {
    sed -i "s/^table! {\$/&\n    $2/" "$1"
    grep -qxF "    $2" "$1"
}
add_line "$tasks.rs" "definition"
add_line "$rewards.rs" "length { LENGTH_RATIO }"

# Without optimisation it is built in a minute; its program must not stay in the place of ours.
(
    cd "$copy"
    CARGO_TARGET_DIR=$target cargo build --workspace --config 'profile.dev.package.sn1.opt-level=0' \
        --config 'profile.dev.package.sn1-actors.opt-level=0'
)
sn1=$copy/sn1
cp "$target/debug/sn1" "$sn1"
touch src/main.rs

# shows WHAT PATTERN COMMAND...
shows() {
    local what=$1 pattern=$2
    shift 2
    "$@" >"$copy/out" 2>"$copy/err" || {
        cat "$copy/out" "$copy/err" >&2
        echo "$what: $* failed" >&2
        exit 1
    }
    grep -q "$pattern" "$copy/out" || {
        cat "$copy/out" >&2
        echo "$what: no \`$pattern\` in what $* printed" >&2
        exit 1
    }
    echo "ok  $what"
}

cd "$copy"
export HOME=$copy/home
shows "the task, made" '"task": "definition"' \
    "$sn1" task definition --seed 7 --model fake --json
shows "the task, put in words" '"task": "definition"' \
    "$sn1" challenge definition --seed 7 --model fake --json
shows "the reward, measured" 'length_ratio' \
    "$sn1" score --model fake \
    <<<'{"task": "definition", "reference": "A tea is a drink.", "completion": "A drink."}'
journal=$copy/journal.jsonl
shows "a local network" 'steps' \
    "$sn1" localnet --model fake --seed 7 --steps 4 --journal "$journal" --summary /dev/null \
    --localnet.miners agent,echo --localnet.block_time 0.2 \
    --neuron.tasks definition --neuron.task_p 1
shows "the task in its journal" '"task":"definition"' cat "$journal"
shows "the reward in its journal" '"length_ratio_reward"' cat "$journal"
