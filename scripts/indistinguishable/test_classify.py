"""What classify.py finds in made-up captures: nothing where there is nothing, and each mutation.

Usage: test_classify.py
"""

import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Callable, Dict, List

REAL, FEW = 5_000, 1_000
"""Rounds of each kind: as many as are really compared, and enough to find a mutation."""
Request = Dict[str, Any]


def captured(rounds: int, change: Callable[[Request], None]) -> List[Request]:
    """Rounds of both kinds in one rhythm and of one shape, and `change` on all users'."""
    draw, at, found = random.Random(7), 0.0, []
    kinds = ["own", "user"] * rounds
    draw.shuffle(kinds)
    for n, kind in enumerate(kinds):
        at += draw.expovariate(20)
        words = " ".join(draw.choices(["a", "bridge", "what", "town"], k=draw.randint(5, 80)))
        request: Request = {"kind": kind, "at": at, "miner": 1, "messages": [f"{n} {words}"]}
        request.update(roles=["user"], headers=[["name", "PromptingSynapse"], ["timeout", "10.0"]])
        if draw.random() < 0.3:
            request["roles"].insert(0, "system")
            request["messages"].insert(0, "Be brief. " * draw.randint(1, 9))
        request["fan_out"] = 3
        if kind == "user":
            change(request)
        body = {"name": "PromptingSynapse", "timeout": 10.0}
        body.update(roles=request.pop("roles"), messages=request.pop("messages"))
        request["body"] = json.dumps(body, separators=(",", ":"))
        for miner in range(request.pop("fan_out")):
            found.append({**request, "miner": miner, "at": at + miner * 1e-4})
    return found


def exit_code(rounds: int, change: Callable[[Request], None]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "captured.jsonl")
        path.write_text("".join(json.dumps(line) + "\n" for line in captured(rounds, change)))
        script = str(Path(__file__).with_name("classify.py"))
        done = subprocess.run(
            [sys.executable, script, str(path), "--each", str(rounds)], stdout=subprocess.PIPE, text=True
        )
        print(done.stdout)
        return done.returncode


def longer(request: Request) -> None:
    request["messages"][-1] += " and so on" * 8


def one_header_more(request: Request) -> None:
    request["headers"] = [*request["headers"], ["x-user", "1"]]


def another_timeout(request: Request) -> None:
    request["headers"] = [["name", "PromptingSynapse"], ["timeout", "11.0"]]


def another_order(request: Request) -> None:
    request["headers"] = request["headers"][::-1]


def one_miner_less(request: Request) -> None:
    request["fan_out"] = 2


MUTATIONS = (longer, one_header_more, another_timeout, another_order, one_miner_less)


def main() -> None:
    if exit_code(REAL, lambda request: None) != 0:
        sys.exit("two kinds of one distribution were told apart")
    for change in MUTATIONS:
        print(change.__name__)
        if exit_code(FEW, change) != 1:
            sys.exit(f"{change.__name__} was not found")
    print("all mutations are found")


if __name__ == "__main__":
    main()
