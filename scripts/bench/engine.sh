#!/usr/bin/env bash
# How fast the engine is beside llama.cpp, with the same GGUF file, lengths and threads, in one run:
# every engine stays loaded and sleeps while another is measured, and every round measures each of
# them. Prints the medians of the rates, and of their ratios to llama.cpp's in the same round.
# Asserts nothing: figures depend on the machine, and are worth nothing while it does something else.
set -euo pipefail
cd "$(dirname "$0")/../.."

usage() {
    cat >&2 <<'END'
usage: scripts/bench/engine.sh [MODEL]
  MODEL         name of a text model; smollm2-135m-instruct when left out
  ROUNDS        rounds, at least 1; 5 when not set
  THREADS       threads of each engine; 2 when not set
  PRECISIONS    ours; "faithful fast f32" when not set
  SN1           a release binary to use as it is
  LLAMA_PYTHON  a python3 that has llama_cpp (0.3.36) and numpy; when not set, one is built in the
                cache, from source and for this processor, which takes some 20 minutes once
END
    exit 2
}
[[ $# -le 1 && ${1-} != -* ]] || usage
model=${1:-smollm2-135m-instruct}
rounds=${ROUNDS:-5}
threads=${THREADS:-2}
precisions=${PRECISIONS:-faithful fast f32}
[[ $rounds =~ ^[1-9][0-9]{0,3}$ && $threads =~ ^[1-9][0-9]{0,3}$ ]] || usage
for precision in $precisions; do
    [[ $precision =~ ^(faithful|fast|f32)$ ]] || usage
done

. scripts/bench/binary.sh
python=${LLAMA_PYTHON:-}
if [[ -z $python ]]; then
    venv=${XDG_CACHE_HOME:-$HOME/.cache}/sn1/bench/llama-cpp-0.3.36
    python=$venv/bin/python
    if ! [[ -e $venv/built ]]; then
        echo "building llama.cpp for this processor; this takes long, but only once" >&2
        python3 -m venv "$venv"
        CMAKE_ARGS=-DGGML_NATIVE=ON "$venv/bin/pip" install --quiet \
            numpy llama-cpp-python==0.3.36 --no-binary llama-cpp-python
        touch "$venv/built"
    fi
fi

out=$(mktemp -d)
# Each engine reads its requests from a pipe: when this script ends, so do they.
trap 'rm -rf "$out"' EXIT
measures=(
    '{"measure": "prefill", "tokens": 48}'
    '{"measure": "prefill", "tokens": 423}'
    '{"measure": "decode", "sequences": 1, "context": 48, "steps": 24}'
    '{"measure": "decode", "sequences": 8, "context": 48, "steps": 24}'
    '{"measure": "decode", "sequences": 16, "context": 48, "steps": 24}'
)
declare -A to from

# start NAME COMMAND...: leaves its first line in $out/NAME.hello.
start() {
    local name=$1 requests answers
    shift
    mkfifo "$out/$name.in" "$out/$name.out"
    (
        # An engine ends when nobody can write to it any more: it must not hold the others' pipes.
        for pipe in "${to[@]}" "${from[@]}"; do
            exec {pipe}>&-
        done
        exec "$@" <"$out/$name.in" >"$out/$name.out" 2>"$out/$name.err"
    ) &
    exec {requests}>"$out/$name.in" {answers}<"$out/$name.out"
    to[$name]=$requests
    from[$name]=$answers
    # Loading a model from a slow disk may take a while; a figure never does.
    read -r -t 600 -u "$answers" line || failed "$name"
    printf '%s\n' "$line" >"$out/$name.hello"
}

failed() {
    echo "scripts/bench/engine.sh: $1 gave no answer" >&2
    cat "$out/$1.err" >&2
    exit 1
}

# field LINE KEY: a text or a number of an answer.
field() {
    sed -nE "s/.*\"$2\": ?(\"([^\"]*)\"|([-0-9.e+]+)).*/\2\3/p" <<<"$1"
}

# measure NAME NUMBER
measure() {
    local name=$1 answer rate
    printf '%s\n' "${measures[$2]}" >&"${to[$name]}"
    read -r -t 600 -u "${from[$name]}" answer || failed "$name"
    rate=$(field "$answer" tokens_per_s)
    if [[ -z $rate ]]; then
        echo "scripts/bench/engine.sh: $name: $answer" >&2
        exit 1
    fi
    printf '%s\n' "$rate" >>"$out/$name.$2"
    field "$answer" peak_rss_mb >"$out/$name.peak"
}

# median: of the numbers on standard input.
median() {
    sort -g | awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'
}

engines=(llama.cpp)
for precision in $precisions; do
    engines+=("$precision")
    start "$precision" "$sn1" bench engine --serve --model "$model" --threads "$threads" \
        --precision "$precision" --batch 16 --prompt-tokens 423
done
gguf=$(field "$(cat "$out/${engines[1]}.hello")" model)
start llama.cpp "$python" scripts/bench/llama_peer.py "$gguf" "$threads"
hello=$(cat "$out/llama.cpp.hello")

echo "llama.cpp $(field "$hello" version), flash attention $(field "$hello" flash_attention) (its default)"
echo "  $(field "$hello" system)"
echo "$(basename "$gguf"), $threads threads, medians of $rounds rounds, tokens/s [of llama.cpp's]"
for ((round = 0; round < rounds; round++)); do
    for number in "${!measures[@]}"; do
        for engine in "${engines[@]}"; do
            measure "$engine" "$number"
        done
    done
done

printf '%-10s' engine
printf '  %-15s' 'prefill 48' 'prefill 423' x1 x8 x16
printf '  %s\n' 'peak MB'
for engine in "${engines[@]}"; do
    printf '%-10s' "$engine"
    for number in "${!measures[@]}"; do
        rate=$(median <"$out/$engine.$number")
        ratio=$(paste "$out/$engine.$number" "$out/llama.cpp.$number" | awk '{ print $1 / $2 }' | median)
        printf '  %-15s' "$(printf '%.1f [%.2f]' "$rate" "$ratio")"
    done
    awk -v ours="$(cat "$out/$engine.peak")" -v theirs="$(cat "$out/llama.cpp.peak")" \
        'BEGIN { printf "  %.0f [%.2f]\n", ours, ours / theirs }'
done
printf 'of llama.cpp'"'"'s peak, %.0f MB are Python before the model\n' "$(field "$hello" base_rss_mb)"
