#!/usr/bin/env bash
# A file holds one concept. Fails for a Rust file of more than 600 lines; names those over 500.
set -euo pipefail
cd "$(dirname "$0")/.."
largest=0
while read -r lines file; do
    ((lines <= largest)) || largest=$lines
    ((lines <= 500)) || echo "$file: $lines lines"
done < <(find src actors tests -name '*.rs' -exec wc -l {} \;)
echo "the largest file has $largest lines"
if ((largest > 600)); then
    echo "a file of more than 600 lines holds more than one concept: split it" >&2
    exit 1
fi
