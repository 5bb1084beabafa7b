# To be sourced: what the benchmarks beside Python share. Sets sn1, python and model, and out, a
# folder that is gone at the end; SN1, PYTHON, MODEL and THREADS
# are as their usage says.

# peers FROZEN PACKAGE...: a Python with what the file FROZEN lists, if it is not empty, and PACKAGEs.
peers() {
    local frozen=$1
    shift
    out=$(mktemp -d)
    trap 'rm -rf "$out"' EXIT
    . scripts/bench/binary.sh
    python=${PYTHON:-}
    if [[ -z $python ]]; then
        python3 -m venv "$out/venv"
        python=$out/venv/bin/python
        [[ -z $frozen ]] || "$python" -m pip install --quiet --no-deps -r "$frozen"
        "$python" -m pip install --quiet "$@"
    fi
    model=${MODEL:-}
    if [[ -z $model ]]; then
        model=$("$sn1" models pull minilm | tail -n 1)
        model=${model#*: }
    fi
}

# in_turn SCRIPT ROUNDS: lets it measure both, in turn.
in_turn() {
    HF_HUB_OFFLINE=1 "$python" "$1" --sn1 "$sn1" --model "$model" --threads "${THREADS:-2}" \
        --rounds "$2"
}
