"""Writes actors/tests/fixtures/emission_10_5_0.json: the weights that the Python SDK, bittensor
10.5.0 in its numpy form, makes of 5,000 score vectors.

    python3.11 -m venv /tmp/sdk10 && /tmp/sdk10/bin/pip install bittensor==10.5.0
    /tmp/sdk10/bin/python scripts/oracles/emission.py

The scores themselves would make the file too large. They are drawn from SplitMix64 by case number
and kind, with operations that are exact or rounded the same everywhere; the test that reads the
file (actors/src/weight_setter/emit/tests_sdk.rs) draws them again. A line is

    [kind, neurons, min_allowed_weights, max_weight_limit as the chain has it (u16), values by uid]

where a value of 0 stands for a uid that the SDK leaves out. What goes into the SDK are double
precision scores divided by their sum; it makes them single precision itself.
"""
import json
import pathlib
import types
import warnings

import numpy as np
from bittensor.utils import u16_normalized_float
from bittensor.utils.btlogging import logging
from bittensor.utils.weight_utils import (
    convert_weights_and_uids_for_emit,
    process_weights_for_netuid,
)

CASES = 5_000
MASK = (1 << 64) - 1


class SplitMix64:
    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def below(self, end):
        return self.next() % end

    def double(self):
        return (self.next() >> 11) * 2.0**-53


def score(kind, random, uid, n, chosen):
    """One score; every kind draws at most twice, and in this order."""
    if kind == "double":
        return random.double()
    if kind == "single":  # numbers that float32 holds, as the original's scores are
        return (random.next() >> 40) * 2.0**-24
    if kind == "sparse":
        return random.double() if random.below(4) == 0 else 0.0
    if kind == "ties":
        return random.below(5) / 4
    if kind == "wide":
        return 2.0 ** -random.below(70) * random.double()
    if kind == "lone":
        return 0.7 if uid == chosen else 0.0
    if kind == "few":
        return random.double() if (uid + n - chosen) % n < 3 else 0.0
    if kind == "nobody":
        return 0.0
    if kind == "alike":
        return 0.25 + random.double() * 2.0**-20
    if kind == "giant":
        return 1.0 if uid == chosen else random.double() * 2.0**-15
    if kind == "halves":  # rounding meets many ties
        return random.below(131_071) / 131_070
    raise ValueError(kind)


KINDS = [
    "double", "single", "sparse", "ties", "wide", "lone", "few", "nobody", "alike", "giant",
    "halves",
]


def shape(number):
    """How large a case is and by which rules: drawn apart from the scores."""
    random = SplitMix64(number ^ 0x5EED)
    kind = KINDS[number % len(KINDS)]
    if kind == "nobody" and number > 1_500:
        kind = "double"
    # small ones more often than large ones, all sizes from 1 to 256
    n = 1 + random.below(2 ** (1 + random.below(8)))
    least = [1, 0, 2, 8, max(n - 1, 0), n, n + 1, 64, random.below(300), 1 + random.below(n)]
    least = least[random.below(len(least))]
    tight = -(-65_535 // n)
    limit = [
        65_535, 65_535, 65_535, tight - 1, tight, tight + 1, tight + 2, 2 * tight, 3 * tight,
        6_553, 655, random.below(65_536), random.below(65_536), 32_768, 1, 0,
    ]
    limit = max(0, min(65_535, limit[random.below(len(limit))]))
    return kind, n, least, limit


def emitted(scores, least, limit):
    scores = np.array(scores, dtype=np.float64)
    norm = np.linalg.norm(scores, ord=1)
    chain = types.SimpleNamespace(
        min_allowed_weights=lambda netuid: least,
        max_weight_limit=lambda netuid: u16_normalized_float(limit),
    )
    uids, weights = process_weights_for_netuid(
        uids=np.arange(len(scores)),
        weights=scores / norm if norm > 0 else scores,
        netuid=1,
        subtensor=chain,
        metagraph=types.SimpleNamespace(n=len(scores)),
    )
    uids, values = convert_weights_and_uids_for_emit(uids, weights)
    by_uid = [0] * len(scores)
    for uid, value in zip(uids, values):
        by_uid[uid] = value
    return by_uid


def main():
    logging.off()
    warnings.simplefilter("error", RuntimeWarning)  # a NaN or a division by zero is to be seen
    lines = []
    for number in range(CASES):
        kind, n, least, limit = shape(number)
        random = SplitMix64(number)
        chosen = random.below(n)
        scores = [score(kind, random, uid, n, chosen) for uid in range(n)]
        values = emitted(scores, least, limit)
        lines.append(json.dumps([kind, n, least, limit, values], separators=(",", ":")))
    root = pathlib.Path(__file__).parents[2]
    path = root / "actors/tests/fixtures/emission_10_5_0.json"
    path.write_text("[\n" + ",\n".join(lines) + "\n]\n")
    print(f"{path}: {len(lines)} cases, {path.stat().st_size:,} bytes")


main()
