#!/usr/bin/env bash
# How long the answers of one step are measured, beside the Python packages that the original measured
# them by, rounds in turn: texts beside rouge and rapidfuzz, embeddings beside sentence-transformers.
# Prints figures, asserts nothing: figures depend on the machine.
set -euo pipefail
cd "$(dirname "$0")/../.."

usage="usage: scripts/bench/rewards.sh [ROUNDS]
  SN1      a release binary to use as it is
  PYTHON   a Python with what tests/peers/rewards.txt lists, torch and sentence-transformers; else
           they are installed into a new venv
  MODEL    the folder of the model; else that of \`sn1 models pull minilm\`
  THREADS  of the embeddings; 2 when unset"
rounds=${1-5}
if ! [[ $rounds =~ ^[1-9][0-9]*$ ]]; then
    echo "$usage" >&2
    exit 2
fi
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

sn1=${SN1:-}
if [[ -z $sn1 ]]; then
    cargo build --release --bin sn1
    sn1=${CARGO_TARGET_DIR:-target}/release/sn1
fi
python=${PYTHON:-}
if [[ -z $python ]]; then
    python3 -m venv "$out/venv"
    python=$out/venv/bin/python
    "$python" -m pip install --quiet --no-deps -r tests/peers/rewards.txt
    "$python" -m pip install --quiet torch sentence-transformers
fi
model=${MODEL:-}
if [[ -z $model ]]; then
    model=$("$sn1" models pull minilm | tail -n 1)
    model=${model#*: }
fi
exec_in_turn=("$python" scripts/bench/rewards_peer.py --sn1 "$sn1" --model "$model")
HF_HUB_OFFLINE=1 "${exec_in_turn[@]}" --threads "${THREADS:-2}" --rounds "$rounds"
