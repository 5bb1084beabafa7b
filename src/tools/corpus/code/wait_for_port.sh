#!/usr/bin/env bash
# Wait until a TCP port accepts connections, then run a command.
set -euo pipefail

if [ "$#" -lt 2 ]; then
  echo "usage: $0 HOST PORT [COMMAND...]" >&2
  exit 2
fi

host=$1
port=$2
shift 2
deadline=$((SECONDS + ${WAIT_SECONDS:-30}))

until (exec 3<>"/dev/tcp/$host/$port") 2>/dev/null; do
  if ((SECONDS >= deadline)); then
    echo "gave up waiting for $host:$port" >&2
    exit 1
  fi
  sleep 1
done

echo "$host:$port is up"
if [ "$#" -gt 0 ]; then
  exec "$@"
fi
