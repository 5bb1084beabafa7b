#!/usr/bin/env bash
# A local network in trouble for twenty minutes: actors that crash, a chain that comes and goes, hostile
# miners. Ends with 1 if it does not live through it, if memory grows, if descriptors pile up, or if the
# weights get too old.
set -euo pipefail

# Paths are meant from where this was called.
for name in SN1 OUT; do
    [[ -z ${!name-} ]] || export "$name=$(realpath -ms "${!name}")"
done
cd "$(dirname "$0")/.."

usage="usage: scripts/soak.sh [MINUTES]
  MINUTES  how long; 20 when left out, from 3
  SN1      a binary to use as it is; else a release build
  SEED     of all that happens by chance; 7 when not set
  OUT      a folder for the journal, the logs and the samples; else they are gone at the end
Ports 24000 to 24020 have to be free."
case ${1-20} in
-h | --help)
    echo "$usage"
    exit 0
    ;;
*[!0-9]* | ? | "")
    [[ ${1-20} =~ ^[3-9]$ ]] || {
        echo "$usage" >&2
        exit 2
    }
    ;;
esac
minutes=${1-20}

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
. scripts/bench/binary.sh
folder=${OUT:-$out}
mkdir -p "$folder"
python3 scripts/soak/watch.py --sn1 "$sn1" --minutes "$minutes" --seed "${SEED:-7}" --folder "$folder"
