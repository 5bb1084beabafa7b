"""Measures the wire of sn1 beside the Python SDK's; `scripts/bench/wire.sh` calls it."""

import argparse
import json
import statistics
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, NamedTuple

ROOT = Path(__file__).parents[2]
MINERS = 1000
INSTANT, PATIENT = 21000, 22500
"""First ports of the stubs that answer at once and after DELAY seconds."""
DELAY, TIMEOUT = 2, 10
AXON = 20990
"""The port of the axon under load."""
CONNECTIONS = 32
# About as many seconds of load for each.
REQUESTS = {"sn1": 20_000, "python": 600}
SIDES = ("sn1", "python")

Figures = Dict[str, Any]


class Goal(NamedTuple):
    """What the project wants of a figure."""

    text: str
    reached: Callable[[float, float], bool]
    """From our figure and Python's."""


class Row(NamedTuple):
    """A line of the table."""

    name: str
    figure: str
    goal: Goal
    more_is_better: bool


def at_least(times: int, more_is_better: bool) -> Goal:
    return Goal(f"{times}x", lambda ours, theirs: ratio(ours, theirs, more_is_better) >= times)


ROWS = [
    Row(
        f"of {MINERS} that take {DELAY} s, answered",
        "answered",
        Goal(f"{MINERS}", lambda ours, _: ours == MINERS),
        True,
    ),
    Row("  and all done after, s", "wall_s", Goal("2.6 s", lambda ours, _: ours <= 2.6), False),
    Row(f"CPU per query of {MINERS}, ms", "query_ms", at_least(20, False), False),
    Row(f"axon, requests/s at {CONNECTIONS} connections", "per_s", at_least(25, True), True),
    Row("axon, CPU per request, ms", "request_ms", at_least(25, False), False),
]


def ratio(ours: float, theirs: float, more_is_better: bool) -> float:
    """How many times better ours is."""
    more, less = (ours, theirs) if more_is_better else (theirs, ours)
    return more / less if less else float("inf")


@contextmanager
def running(command: List[str], sign: str) -> Iterator[subprocess.Popen]:
    """A process that says `sign` once it is ready."""
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            if not any(line.startswith(sign) for line in process.stdout):
                sys.exit(f"`{' '.join(command)}` did not start, see above")
            yield process
        finally:
            process.kill()


def told(command: List[str]) -> Figures:
    """The figures that a process prints, in a line of JSON."""
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"`{' '.join(command)}` failed, see above")
    return json.loads(done.stdout.splitlines()[-1])


class Bench:
    """Both sides of every comparison."""

    def __init__(self, sn1: str, python: str) -> None:
        self.sn1, self.python = sn1, python

    def stub(self, base: int, delay: int) -> List[str]:
        ports = ["--base", str(base), "--ports", str(MINERS)]
        return [self.sn1, "bench", "wire", "stub", *ports, "--delay", str(delay)]

    def dendrite(self, side: str, base: int) -> Figures:
        if side == "python":
            script = str(ROOT / "scripts/bench/wire_dendrite.py")
            return told([self.python, script, str(base), str(MINERS), str(TIMEOUT)])
        ports = ["--base", str(base), "--ports", str(MINERS)]
        return told([self.sn1, "bench", "wire", "dendrite", *ports, "--timeout", str(TIMEOUT)])

    def patient(self, side: str) -> Figures:
        with running(self.stub(PATIENT, DELAY), "ready"):
            figures = self.dendrite(side, PATIENT)
        return {"answered": figures["answered"], "wall_s": figures["wall_s"]}

    def instant(self, side: str) -> Figures:
        with running(self.stub(INSTANT, 0), "ready"):
            figures = self.dendrite(side, INSTANT)
        return {"query_ms": figures["cpu_s"] / MINERS * 1e3}

    def axon(self, side: str) -> Figures:
        if side == "python":
            script = str(ROOT / "tests/peers/axon.py")
            command = [self.python, script, "//Alice", f"echo={AXON}"]
        else:
            command = [self.sn1, "miner", "--miner.kind", "echo", "--uri", "//Alice"]
            command += ["--axon.ip", "127.0.0.1", "--axon.port", str(AXON)]
            command += ["--blacklist.allow_non_registered"]
        with running(command, "serving") as axon:
            load = [self.sn1, "bench", "wire", "load", "--port", str(AXON), "--pid", str(axon.pid)]
            load += ["--connections", str(CONNECTIONS), "--requests", str(REQUESTS[side])]
            figures = told(load)
        if figures["answered"] != REQUESTS[side]:
            # The whole head is much; what matters of it is in a line or two.
            head = str(figures["first_refusal"]).splitlines()
            refusal = "; ".join(line for line in head if "HTTP/1.1" in line or "message" in line)
            sys.exit(f"{side}: only {figures['answered']} requests were answered: {refusal}")
        return {"per_s": figures["per_s"], "request_ms": figures["axon_cpu_ms"]}


def medians(rounds: List[Figures]) -> Figures:
    return {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}


def show(ours: Figures, theirs: Figures) -> List[str]:
    """Prints the table and gives what misses its goal."""
    missed = []
    print(f"{'':38}{'sn1':>10}{'Python':>10}{'ratio':>9}   goal")
    for name, figure, goal, more_is_better in ROWS:
        mine, other = ours[figure], theirs[figure]
        reached = goal.reached(mine, other)
        if not reached:
            missed.append(f"{name.strip()}: {mine:.4g} against {other:.4g}, the goal is {goal.text}")
        times = f"{ratio(mine, other, more_is_better):.1f}x"
        note = "" if reached else "   missed"
        print(f"{name:38}{mine:>10.4g}{other:>10.4g}{times:>9}   {goal.text}{note}")
    return missed


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sn1", required=True)
    parser.add_argument("--python", required=True)
    parser.add_argument("--rounds", type=int, required=True)
    arguments = parser.parse_args()
    bench = Bench(arguments.sn1, arguments.python)
    rounds: Dict[str, List[Figures]] = {side: [] for side in SIDES}
    for at in range(arguments.rounds):
        for side in SIDES:
            figures = {**bench.patient(side), **bench.instant(side), **bench.axon(side)}
            rounds[side].append(figures)
            told_now = ", ".join(f"{name} {value:.4g}" for name, value in figures.items())
            print(f"round {at + 1}, {side}: {told_now}", flush=True)
    missed = show(*(medians(rounds[side]) for side in SIDES))
    if missed:
        sys.exit("missed: " + "; ".join(missed))
    print("all goals are reached")


if __name__ == "__main__":
    main()
