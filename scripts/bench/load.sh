#!/usr/bin/env bash
# What a validator's load makes of the model: tokens written a second with many conversations in
# flight against one at a time, over the wall time and over the device's time for rows that write
# (prompts and their part of each step left out). The miners only say a phrase, so all that the model
# does is the validator's. Prints figures, asserts nothing: figures depend on the machine.
set -euo pipefail
cd "$(dirname "$0")/../.."

usage() {
    cat >&2 <<'END'
usage: scripts/bench/load.sh [MODEL]
  MODEL      name of a text model; smollm2-135m-instruct when left out
  IN_FLIGHT  conversations at a time; 24 when not set
  STEPS      steps of each run; 96 when not set
  SN1        a release binary to use as it is
END
    exit 2
}
[[ $# -le 1 && ${1-} != -* ]] || usage
model=${1:-smollm2-135m-instruct}
in_flight=${IN_FLIGHT:-24}
steps=${STEPS:-96}
[[ $in_flight =~ ^[1-9][0-9]{0,3}$ && $steps =~ ^[1-9][0-9]{0,5}$ ]] || usage

. scripts/bench/binary.sh
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# run IN_FLIGHT: leaves a summary.
run() {
    # Short blocks: the wait for the last weights is no part of what is measured.
    "$sn1" localnet --model "$model" --steps "$steps" --seed 7 --persona.max_turns 1 --in-flight "$1" \
        --localnet.miners phrase,phrase,phrase --neuron.timeout 60 --localnet.block_time 0.2 \
        --summary "$out/$1.json" --journal "$out/$1.jsonl" >"$out/log" 2>&1 || {
        cat "$out/log" >&2
        return 1
    }
}

# figure IN_FLIGHT KEY
figure() {
    sed -nE "s/^ *\"$2\": ([-0-9.e+]+),?$/\1/p" "$out/$1.json"
}

# show IN_FLIGHT
show() {
    awk -v n="$1" -v steps="$(figure "$1" steps)" -v wall="$(figure "$1" wall_s)" \
        -v decode="$(figure "$1" decode_tokens_per_s)" \
        -v writing="$(figure "$1" decode_tokens_per_s_of_writing)" \
        -v reading="$(figure "$1" prefill_tokens_per_s_of_reading)" \
        -v prompt="$(figure "$1" prompt_tokens)" -v cached="$(figure "$1" cached_tokens)" 'BEGIN {
        printf "%3d in flight: %d steps in %.0f s; tokens written: %.1f a second, %.1f a second of " \
            "writing; prompts: %d tokens, %.1f %% from the prefix cache, the rest read at %.1f a second\n",
            n, steps, wall, decode, writing, prompt, prompt ? 100 * cached / prompt : 0, reading
    }'
}

# ratio KEY TEXT
ratio() {
    awk -v one="$(figure 1 "$1")" -v many="$(figure "$in_flight" "$1")" -v text="$2" \
        'BEGIN { printf "ratio of tokens written a second%s: %.2f\n", text, many / one }'
}

run 1
show 1
run "$in_flight"
show "$in_flight"
ratio decode_tokens_per_s ""
ratio decode_tokens_per_s_of_writing " of writing"
