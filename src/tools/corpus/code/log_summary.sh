#!/usr/bin/env bash
# Summarize a web server access log: status codes and busiest addresses.
set -euo pipefail

log=${1:?usage: log_summary.sh ACCESS_LOG [TOP]}
top=${2:-5}

section() {
  printf '\n== %s ==\n' "$1"
}

section "Requests"
wc -l < "$log"

section "Status codes"
awk '{ count[$9]++ } END { for (code in count) print count[code], code }' "$log" |
  sort -rn

section "Busiest addresses"
awk '{ print $1 }' "$log" | sort | uniq -c | sort -rn | sed -n "1,${top}p"
