"""Tries to tell users' queries from the validator's own by what miners see, except the texts.

Usage: classify.py CAPTURED [--sent FILE] [--each N] [--skip N] [--seed N] [--mutate]

CAPTURED holds a line of JSON for each request: `at`, `headers` (pairs in order), `body`, and `kind`
(`own` or `user`) unless --sent names the users' last messages, a JSON text a line. Requests of one
round, which ask the same, count once, and as many as there are is the round's fan-out. After the first
--skip rounds of users (and all that came before), the first N rounds of each kind count.

A logistic regression and gradient boosting learn on one half and are judged on the other. Prints
their AUC with the 95 % upper bound of a bootstrap, and for information what gradient boosting makes
of each kind of feature alone, and that of a classifier of the texts, which cannot be made equal.
Ends with 1 if a bound exceeds 0.55. With --mutate users' requests have one header more.
"""

import argparse
import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Set

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

BOUND = 0.55
DRAWS = 1_000
ROLES = ("system", "user", "assistant")
MESSAGES = 8
"""The lengths of so many messages, counted from the last, are features of their own."""
FEW = 12
"""A header with so few values is a category."""
SIZES = ("content-length", "total_size")
"""Headers that end so count bytes of the body."""


class Round(NamedTuple):
    """What miners saw of one query."""

    kind: str
    at: float
    since: float
    """Seconds since the same miner was asked before."""
    headers: Dict[str, str]
    order: str
    """Names of the headers as written."""
    body: Dict[str, Any]
    size: int
    fan_out: int


def rounds(path: Path, sent: Optional[Set[str]]) -> List[Round]:
    """All rounds in order of their first request."""
    with path.open(encoding="utf-8") as lines:
        requests = sorted((json.loads(line) for line in lines), key=lambda each: each["at"])
    last_at: Dict[Any, float] = {}
    together: Dict[str, List[Dict[str, Any]]] = defaultdict(list)
    for request in requests:
        miner = request.get("miner")
        request["since"] = request["at"] - last_at.get(miner, request["at"])
        last_at[miner] = request["at"]
        request["json"] = json.loads(request["body"])
        together[json.dumps(request["json"]["messages"])].append(request)
    found = []
    for same in together.values():
        first = same[0]
        kind = first.get("kind")
        if sent is not None:
            kind = "user" if first["json"]["messages"][-1] in sent else "own"
        if kind not in ("own", "user"):
            sys.exit(f"{path}: a request is of the kind {kind!r}; --sent FILE tells users' queries")
        found.append(
            Round(
                kind=kind,
                at=first["at"],
                since=first["since"],
                headers={name: value for name, value in first["headers"]},
                order=",".join(name for name, _ in first["headers"]),
                body=first["json"],
                size=len(first["body"].encode()),
                fan_out=len(same),
            )
        )
    return found


def number(text: str) -> Optional[float]:
    try:
        return float(text)
    except ValueError:
        return None


def features(all_rounds: List[Round]) -> Dict[str, np.ndarray]:
    """For each kind of feature a row for each round. Which headers there are, and what they may say,
    is taken from all of them, but not which kind says it."""
    names = sorted({name for each in all_rounds for name in each.headers})
    values = {name: sorted({each.headers.get(name, "") for each in all_rounds}) for name in names}
    orders = sorted({each.order for each in all_rounds})
    shapes = sorted({",".join(each.body) for each in all_rounds})
    kinds: Dict[str, List[List[float]]] = defaultdict(list)
    for each in all_rounds:
        roles, messages = each.body["roles"], each.body["messages"]
        lengths = [len(message) for message in messages]
        last = (lengths[::-1] + [0] * MESSAGES)[:MESSAGES]
        sizes = [each.size, len(messages), *last, sum(lengths)]
        sizes += [roles.count(role) for role in ROLES]
        sizes += [roles[0] == "system" and lengths[0]]
        headers = [float(each.body.get("timeout") or 0), orders.index(each.order)]
        headers += [shapes.index(",".join(each.body)), len(each.order)]
        for name in names:
            value = each.headers.get(name)
            cells = [value is not None, len(value or "")]
            if len(values[name]) <= FEW:
                cells += [value == one for one in values[name]]
            elif all(number(one) is not None for one in values[name]) and "nonce" not in name:
                # A nonce is the time of day, which says when a run began.
                cells.append(number(value or "") or 0.0)
            (sizes if name.lower().endswith(SIZES) else headers).extend(cells)
        times = [each.since, np.log(each.since + 1e-4)]
        found = {"sizes": sizes, "headers": headers, "arrival times": times}
        for kind, cells in {**found, "fan-out": [each.fan_out]}.items():
            kinds[kind].append([float(cell) for cell in cells])
    return {kind: np.array(rows) for kind, rows in kinds.items()}


def boosting(seed: int) -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(
        random_state=seed, max_iter=100, learning_rate=0.05, max_leaf_nodes=15
    )


def upper_bound(truth: np.ndarray, scores: np.ndarray, seed: int) -> float:
    """What the AUC stays below in 95 % of samples drawn anew."""
    draw = np.random.default_rng(seed)
    found = []
    while len(found) < DRAWS:
        some = draw.integers(0, len(truth), len(truth))
        if 0 < truth[some].sum() < len(truth):
            found.append(roc_auc_score(truth[some], scores[some]))
    return float(np.quantile(found, 0.95))


def judged(all_rounds: List[Round], seed: int) -> bool:
    truth = np.array([each.kind == "user" for each in all_rounds])
    kinds = features(all_rounds)
    rows = np.hstack(list(kinds.values()))
    halves = train_test_split(
        np.arange(len(truth)), test_size=0.5, random_state=seed, stratify=truth
    )
    learned, held_out = halves
    models = {
        "logistic regression": make_pipeline(StandardScaler(), LogisticRegression(max_iter=2_000)),
        "gradient boosting": boosting(seed),
    }
    good = True
    for name, model in models.items():
        model.fit(rows[learned], truth[learned])
        scores = model.predict_proba(rows[held_out])[:, 1]
        auc = roc_auc_score(truth[held_out], scores)
        bound = upper_bound(truth[held_out], scores, seed)
        good &= bound <= BOUND
        verdict = "" if bound <= BOUND else f"   exceeds {BOUND}"
        print(f"{name:22} AUC {auc:.3f}, 95 % upper bound {bound:.3f}{verdict}")
    for kind, some in kinds.items():
        model = boosting(seed).fit(some[learned], truth[learned])
        auc = roc_auc_score(truth[held_out], model.predict_proba(some[held_out])[:, 1])
        print(f"{kind + ' alone':22} AUC {auc:.3f}, for information")
    texts = np.array(["\n".join(each.body["messages"]) for each in all_rounds], dtype=object)
    model = make_pipeline(
        TfidfVectorizer(max_features=20_000, sublinear_tf=True), LogisticRegression(max_iter=2_000)
    )
    model.fit(texts[learned], truth[learned])
    auc = roc_auc_score(truth[held_out], model.predict_proba(texts[held_out])[:, 1])
    print(f"{'texts alone':22} AUC {auc:.3f}, for information")
    return good


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("captured", type=Path)
    parser.add_argument("--sent", type=Path)
    parser.add_argument("--each", type=int, default=5_000)
    parser.add_argument("--skip", type=int, default=0)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--mutate", action="store_true")
    asked = parser.parse_args()
    sent = None
    if asked.sent:
        with asked.sent.open(encoding="utf-8") as lines:
            sent = {json.loads(line) for line in lines}
    found = rounds(asked.captured, sent)
    if asked.skip:
        users = [each.at for each in found if each.kind == "user"]
        began = users[asked.skip] if len(users) > asked.skip else float("inf")
        found = [each for each in found if each.at >= began]
    kinds = {kind: [each for each in found if each.kind == kind] for kind in ("own", "user")}
    for kind, those in kinds.items():
        if len(those) < asked.each:
            sys.exit(f"{asked.captured}: {len(those)} rounds of the kind {kind}, not {asked.each}")
    print(f"{asked.each} rounds of each kind, half of them held out")
    if asked.mutate:
        for each in kinds["user"]:
            each.headers["x-user"] = "1"
    counted = kinds["own"][: asked.each] + kinds["user"][: asked.each]
    if not judged(counted, asked.seed):
        sys.exit(1)


if __name__ == "__main__":
    main()
