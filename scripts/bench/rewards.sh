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
source scripts/bench/beside_python.sh
peers tests/peers/rewards.txt torch sentence-transformers
in_turn scripts/bench/rewards_peer.py "$rounds"
