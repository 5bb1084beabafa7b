#!/usr/bin/env bash
# A gateway under the load of 200 users at a time for a minute, 20 mock miners behind it, beside an
# axon of the Python SDK 10.5.0 under as many callers. Ends with 1 if an answer was wrong, if
# descriptors or threads were left over, or if memory grew by 1 MiB a minute or more.
set -euo pipefail
cd "$(dirname "$0")/../.."

usage="usage: scripts/bench/gateway.sh
  SN1               a release binary to use as it is; else it is built
  PYTHON            a Python with what tests/peers/indistinguishable.txt lists; else a new environment
  SN1_SDK10_PYTHON  a Python with SDK 10.5.0; else that is installed into a new environment
  SECONDS_OF_LOAD   60 when not set
  USERS             users at a time; 200 when not set
Takes about three minutes. Ports 23700 and 23701 have to be free."
case ${1-} in
"") ;;
-h | --help)
    echo "$usage"
    exit 0
    ;;
*)
    echo "$usage" >&2
    exit 2
    ;;
esac
files=4096
if (($(ulimit -n) < files)) && ! ulimit -n "$files"; then
    echo "the load needs a limit of open files of $files; raise the hard limit (ulimit -Hn)" >&2
    exit 1
fi

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
. scripts/bench/binary.sh
# with NAME: a new Python with what tests/peers/NAME.txt lists.
with() {
    python3 -m venv "$out/$1"
    "$out/$1/bin/python" -m pip install --quiet --no-deps -r "tests/peers/$1.txt"
    echo "$out/$1/bin/python"
}
python=${PYTHON:-$(with indistinguishable)}
sdk=${SN1_SDK10_PYTHON:-$(with sdk-10.5)}
mkdir "$out/home"
env HOME="$out/home" XDG_STATE_HOME="$out/home" PYTHONDONTWRITEBYTECODE=1 \
    "$python" scripts/bench/gateway_load.py --sn1 "$sn1" --sdk "$sdk" --log "$out/log" \
    --seconds "${SECONDS_OF_LOAD:-60}" --users "${USERS:-200}"
