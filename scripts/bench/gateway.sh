#!/usr/bin/env bash
# A gateway under the load of 200 users at a time for a minute, 20 mock miners behind it, beside an axon
# of the Python SDK 10.5.0 under as many callers. The two are not the same work: for each user's answer
# the validator takes an OpenAI request and signs and sends ten synapses, which twenty miners, processes
# of the same machine, verify and answer; Python's axon verifies and answers one synapse for each answer.
# What compares is the synapses that are verified and answered a second. Watched is the validator: miners
# keep a nonce of each request until it cannot be replayed any more, 65,536 at most. Ends with 1 if an answer was wrong or
# failed, if descriptors, sockets, threads or tasks were left over, or if memory grew by 1 MiB a minute or more.
set -euo pipefail
cd "$(dirname "$0")/../.."

usage="usage: scripts/bench/gateway.sh
  SN1               a release binary to use as it is; else it is built
  SN1_SDK10_PYTHON  a Python with SDK 10.5.0; else that is installed into a new environment
  SECONDS_OF_LOAD   60 when not set
  USERS             users at a time; 200 when not set
Takes about four minutes. Ports 23700 to 23729 have to be free."
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
# Each user's round has ten connections.
files=16384
if (($(ulimit -n) < files)) && ! ulimit -n "$files"; then
    echo "the load needs a limit of open files of $files; raise the hard limit (ulimit -Hn)" >&2
    exit 1
fi

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
. scripts/bench/binary.sh
. scripts/bench/sdk.sh
mkdir "$out/home"
# The SDK's environment has all that the load itself needs, too.
env HOME="$out/home" XDG_STATE_HOME="$out/home" PYTHONDONTWRITEBYTECODE=1 \
    "$sdk" scripts/bench/gateway_load.py --sn1 "$sn1" --sdk "$sdk" --log "$out/log" \
    --seconds "${SECONDS_OF_LOAD:-60}" --users "${USERS:-200}"
