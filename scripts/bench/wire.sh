#!/usr/bin/env bash
# Our dendrite and our axon beside those of the Python SDK 10.5.0, on this machine, rounds in turn.
# Prints figures and ratios; ends with 1 if a goal of the project is missed.
set -euo pipefail
cd "$(dirname "$0")/../.."

usage="usage: scripts/bench/wire.sh [ROUNDS]
  ROUNDS            rounds, of which the medians are printed; 3 when left out
  SN1               a release binary to use as it is; else it is built
  SN1_SDK10_PYTHON  a Python with SDK 10.5.0; else that is installed into a new environment

Measures, with both dendrites against one stub and both axons under one load:
  - 1,000 miners that answer after 2 s, with a limit of 10 s: how many answered, and how soon all;
  - 1,000 miners that answer at once: processor time of the asking process for each query;
  - an axon that repeats what it is asked, at 32 connections with signatures verified: requests a
    second, and processor time of the axon for each.
A round takes about a minute, nearly all of it in Python. Ports 21000 to 21999 and 22500 to 23499
have to be free."
case ${1-} in
-h | --help)
    echo "$usage"
    exit 0
    ;;
esac
rounds=${1-3}
if (($# > 1)) || ! [[ $rounds =~ ^[1-9][0-9]{0,2}$ ]]; then
    echo "$usage" >&2
    exit 2
fi

# Both ends of 1,000 connections are in files.
files=8192
if (($(ulimit -n) < files)) && ! ulimit -n "$files"; then
    echo "1,000 connections need a limit of open files of $files; raise the hard limit (ulimit -Hn)" >&2
    exit 1
fi

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

. scripts/bench/binary.sh
. scripts/bench/sdk.sh
# What the peers leave behind in their home goes with the folder.
mkdir "$out/home"
env HOME="$out/home" XDG_STATE_HOME="$out/home" PYTHONDONTWRITEBYTECODE=1 \
    python3 scripts/bench/wire_peer.py --sn1 "$sn1" --python "$sdk" --rounds "$rounds"
