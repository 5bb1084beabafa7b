"""Writes tests/fixtures/chain/timelock_VERSION.json: commits and reveal rounds that the Python
package `bittensor-drand` makes. 2.0.0 knows the schedule of epochs that the chain keeps (spec 424
and later), 1.3.0 the one that follows from block numbers (until spec 422).

    for version in 1.3.0 2.0.0; do
        python3 -m venv /tmp/drand-$version
        /tmp/drand-$version/bin/pip install bittensor-drand==$version
        /tmp/drand-$version/bin/python scripts/oracles/timelock.py
    done

The package takes the time from the clock. So each commit is asked for with a block time that leads
to the round whose signature is published, a past one, and each round is asked for until two answers
in a row are alike: at the time between them the answer was the same.
"""
import json
import pathlib
import time
from importlib.metadata import version

import bittensor_drand

VERSION = version("bittensor-drand")
STATEFUL = hasattr(bittensor_drand, "get_encrypted_commit_v2")
GENESIS, PERIOD = 1_692_803_367, 3
# Of drand's quicknet, https://api.drand.sh/52db9ba7…/public/1000
ROUND = 1_000
SIGNATURE = (
    "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125"
    "e342b73a8dd2bacbe47e4b6b63ed5e39"
)
MOST = 50_400  # the longest tempo


def commit(case, period, seconds, hotkey=bytes(32), uids=(), values=(), version_key=0):
    uids, values = list(uids), list(values)
    if STATEFUL:
        last, pending, tempo, block = case
        return bittensor_drand.get_encrypted_commit_v2(
            uids, values, version_key, last, pending, 7, tempo, 0, block, period, seconds, hotkey
        )
    netuid, tempo, block = case
    return bittensor_drand.get_encrypted_commit(
        uids, values, version_key, tempo, block, netuid, period, seconds, hotkey
    )


def commits():
    for number, n in enumerate([0, 1, 3, 63, 64, 256]):
        payload = {
            "hotkey": bytes((number * 31 + i) % 256 for i in range(32)),
            "uids": list(range(n)),
            "values": [65_535 - 255 * i for i in range(n)],
            "version_key": [0, 1, 843_000, 2**64 - 1][number % 4],
        }
        # Three blocks after the epoch at block 100, asked at block 50.
        case = (50, 0, 50, 50) if STATEFUL else (0, 100, 50)
        blocks = 53
        while True:
            ahead = GENESIS + PERIOD * ROUND + 1.5 - time.time()
            data, chosen = commit(case, 1, ahead / blocks, **payload)
            if chosen == ROUND:
                break
        yield {**payload, "hotkey": payload["hotkey"].hex(), "commit": data.hex()}


def cases():
    for period in (1, 2, 3, 10, 100):
        for seconds in (12.0, 3.0, 0.25):
            if STATEFUL:
                for tempo in (1, 2, 10, 99, 360, MOST):
                    last = 5_000_000
                    for block in {0, 1, tempo // 2, tempo - 2, tempo - 1, tempo, tempo + 3}:
                        if block < 0:
                            continue
                        for pending in {0, block - 3, block, block + 1, block + 2, tempo}:
                            if pending >= 0:
                                pending = last + pending if pending else 0
                                yield (last, pending, tempo, last + block), period, seconds
            else:
                for netuid, tempo in ((0, 10), (1, 99), (1, 360), (64, 360), (1, 1), (200, 7)):
                    # An epoch's first block; its last is also asked at.
                    start = 5_000_000 - (5_000_000 + netuid + 1) % (tempo + 1)
                    for block in sorted({0, 1, 2, tempo // 2, tempo - 1, tempo, tempo + 1}):
                        yield (netuid, tempo, start + block), period, seconds


def rounds():
    chosen = list(cases())
    # Enough, and of all kinds.
    for case, period, seconds in chosen[:: -(-len(chosen) // 300)]:
        while True:
            _, before = commit(case, period, seconds)
            now = time.time()
            _, after = commit(case, period, seconds)
            if before == after:
                break
        yield [*case, period, seconds, now, before]


def write():
    names = ["last_epoch", "pending", "tempo", "block"] if STATEFUL else ["netuid", "tempo", "block"]
    root = pathlib.Path(__file__).parents[2]
    path = root / f"tests/fixtures/chain/timelock_{VERSION.replace('.', '_')}.json"
    lines = [
        f'"package": "bittensor-drand {VERSION}"',
        f'"round": {ROUND}',
        f'"signature": "{SIGNATURE}"',
        '"commits": [\n' + ",\n".join(map(json.dumps, commits())) + "\n]",
        f'"columns": {json.dumps([*names, "period", "block_time", "now", "round"])}',
        '"rounds": [\n' + ",\n".join(map(json.dumps, rounds())) + "\n]",
    ]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{path}: {path.stat().st_size:,} bytes")


write()
