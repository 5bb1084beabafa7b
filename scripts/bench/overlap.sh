#!/usr/bin/env bash
# How much conversations in flight overlap: steps per minute with 8 against 1, with miners that take
# 2 s to answer. On the stand-in model, which has a finite service rate; with --real on the real one
# as well. Prints figures, asserts nothing: figures depend on the machine.
set -euo pipefail
cd "$(dirname "$0")/../.."

real=false
case ${1-} in
"") ;;
--real) real=true ;;
*)
    echo "usage: scripts/bench/overlap.sh [--real]   (SN1: a release binary to use as it is)" >&2
    exit 2
    ;;
esac

. scripts/bench/binary.sh
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# rate MODEL STEPS IN_FLIGHT: steps per minute.
rate() {
    local model=$1 steps=$2 in_flight=$3
    local summary=$out/$model-$in_flight.json
    # Short blocks: the wait for the last weights is no part of what is measured.
    "$sn1" localnet --model "$model" --steps "$steps" --seed 7 --persona.max_turns 1 --in-flight "$in_flight" \
        --localnet.miners agent,model,echo,phrase --miner-delay 2 --neuron.timeout 60 \
        --localnet.block_time 0.2 --summary "$summary" --journal "$out/$model-$in_flight.jsonl" \
        >"$out/log" 2>&1 || {
        cat "$out/log" >&2
        return 1
    }
    awk -F '[:,]' '
        /^  "steps"/ { steps = $2 }
        /^  "wall_s"/ { wall = $2 }
        END { printf "%.2f\n", 60 * steps / wall }
    ' "$summary"
}

# compare MODEL STEPS
compare() {
    local one eight
    one=$(rate "$1" "$2" 1)
    eight=$(rate "$1" "$2" 8)
    awk -v model="$1" -v steps="$2" -v one="$one" -v eight="$eight" 'BEGIN {
        printf "%s: %s steps; 1 in flight %.1f, 8 in flight %.1f steps per minute; ratio %.2f\n",
            model, steps, one, eight, eight / one
    }'
}

compare fake 40
if $real; then
    compare smollm2-135m-instruct 8
fi
