#!/bin/sh
# Warn about file systems that are fuller than a limit in percent.
set -eu

limit=${1:-90}
case $limit in
  '' | *[!0-9]*)
    echo "usage: $0 [PERCENT]" >&2
    exit 2
    ;;
esac

df -P | awk -v limit="$limit" '
  NR > 1 {
    used = $5
    sub(/%/, "", used)
    if (used + 0 >= limit + 0) {
      printf "%s is %d%% full, mounted on %s\n", $1, used, $6
      found = 1
    }
  }
  END { exit found ? 1 : 0 }
'
