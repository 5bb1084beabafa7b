#!/usr/bin/env bash
# Replace spaces by underscores in the file names of a folder; -n only shows the changes.
set -euo pipefail

dry_run=false
if [ "${1:-}" = "-n" ]; then
  dry_run=true
  shift
fi
folder=${1:-.}

shopt -s nullglob
for path in "$folder"/*\ *; do
  old=$(basename "$path")
  target="$folder/${old// /_}"
  if [ -e "$target" ]; then
    echo "skipped, already there: $target" >&2
    continue
  fi
  echo "$path -> $target"
  if ! $dry_run; then
    mv -- "$path" "$target"
  fi
done
