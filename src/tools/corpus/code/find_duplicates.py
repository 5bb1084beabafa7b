# Report files with identical content below a folder.
import hashlib
import sys
from collections import defaultdict
from pathlib import Path


def digest(path, chunk_size=1 << 16):
    sha = hashlib.sha256()
    with path.open("rb") as handle:
        while chunk := handle.read(chunk_size):
            sha.update(chunk)
    return sha.hexdigest()


def duplicates(root):
    """Group by size first, so that only files of equal size are hashed."""
    by_size = defaultdict(list)
    for path in Path(root).rglob("*"):
        if path.is_file() and not path.is_symlink():
            by_size[path.stat().st_size].append(path)
    for paths in by_size.values():
        if len(paths) < 2:
            continue
        by_hash = defaultdict(list)
        for path in paths:
            by_hash[digest(path)].append(path)
        yield from (group for group in by_hash.values() if len(group) > 1)


if __name__ == "__main__":
    for group in duplicates(sys.argv[1] if len(sys.argv) > 1 else "."):
        print("\n".join(str(path) for path in sorted(group)), end="\n\n")
