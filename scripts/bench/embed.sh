#!/usr/bin/env bash
# Texts embedded per second, beside sentence-transformers on torch: the same model, texts and number
# of threads, rounds in turn. Prints figures, asserts nothing: figures depend on the machine.
set -euo pipefail
cd "$(dirname "$0")/../.."

usage="usage: scripts/bench/embed.sh [ROUNDS]
  SN1      a release binary to use as it is
  PYTHON   a Python with torch and sentence-transformers; else they are installed into a new venv
  MODEL    the folder of the model; else that of \`sn1 models pull minilm\`
  THREADS  2 when unset"
rounds=${1-7}
if ! [[ $rounds =~ ^[1-9][0-9]*$ ]]; then
    echo "$usage" >&2
    exit 2
fi
source scripts/bench/beside_python.sh
peers "" torch sentence-transformers
in_turn scripts/bench/embed_peer.py "$rounds"
