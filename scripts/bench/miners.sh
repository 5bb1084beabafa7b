#!/usr/bin/env bash
# Whether a better miner earns more: the mean reward of agent, model and echo over the same steps of a local
# network, and the paired bootstrap 95 % interval of each difference. Prints figures, asserts nothing.
# usage: scripts/bench/miners.sh [STEPS] [flags of `sn1 localnet`]   (SN1: a binary to use)
set -euo pipefail
cd "$(dirname "$0")/../.."

steps=60
if [[ ${1-} =~ ^[0-9]+$ ]]; then
    steps=$1
    shift
fi
. scripts/bench/binary.sh
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

"$sn1" localnet --steps "$steps" --seed 7 --localnet.miners agent,model,echo \
    --journal "$out/journal.jsonl" --summary "$out/summary.json" "$@"
python3 - "$out/journal.jsonl" "$out/summary.json" <<'PYTHON'
import collections, json, random, statistics, sys

DRAWS = 10_000
journal, summary = sys.argv[1:]
kinds = {miner["uid"]: miner["kind"] for miner in json.load(open(summary))["miners"]}
steps = []
for line in open(journal):
    event = json.loads(line)
    if event["event"] == "step":
        rewards = {kinds[uid]: reward for uid, reward in zip(event["uids"], event["rewards"])}
        steps.append((event["task"], rewards))

tasks = collections.Counter(task for task, _ in steps)
print(f"\n{len(steps)} steps: " + ", ".join(f"{n} {task}" for task, n in tasks.most_common()))
print(f"{'task':<16}" + "".join(f"{kind:>10}" for kind in kinds.values()))
for task in [None, *tasks]:
    of_task = [rewards for at, rewards in steps if task in (None, at)]
    means = (statistics.fmean(rewards[kind] for rewards in of_task) for kind in kinds.values())
    print(f"{task or 'all':<16}" + "".join(f"{mean:>10.4f}" for mean in means))

draw = random.Random(7)
for better, worse in (("agent", "model"), ("model", "echo"), ("agent", "echo")):
    differences = [rewards[better] - rewards[worse] for _, rewards in steps]
    means = sorted(
        statistics.fmean(draw.choices(differences, k=len(differences))) for _ in range(DRAWS)
    )
    low, high = means[DRAWS * 25 // 1000], means[DRAWS * 975 // 1000]
    mean = statistics.fmean(differences)
    print(f"{better} - {worse}: {mean:+.4f}, 95 % interval {low:+.4f} to {high:+.4f}")
PYTHON
