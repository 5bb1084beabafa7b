#!/usr/bin/env bash
# Archive a folder with a timestamp and keep only the newest backups.
set -euo pipefail

if [ "$#" -lt 2 ]; then
  echo "usage: $0 SOURCE_DIR BACKUP_DIR [KEEP]" >&2
  exit 2
fi

source_dir=${1%/}
backup_dir=${2%/}
keep=${3:-7}

if [ ! -d "$source_dir" ]; then
  echo "no such folder: $source_dir" >&2
  exit 1
fi

mkdir -p "$backup_dir"
name=$(basename "$source_dir")
archive="$backup_dir/$name-$(date +%Y%m%d-%H%M%S).tar.gz"

tar -czf "$archive.part" -C "$(dirname "$source_dir")" "$name"
mv "$archive.part" "$archive"
echo "wrote $archive"

# The timestamps sort by name, so the oldest archives come first.
archives=("$backup_dir/$name"-[0-9]*.tar.gz)
excess=$((${#archives[@]} - keep))
for ((i = 0; i < excess; i++)); do
  rm -- "${archives[i]}"
  echo "removed ${archives[i]}"
done
