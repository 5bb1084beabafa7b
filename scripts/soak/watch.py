"""Watches a local network in trouble; `scripts/soak.sh` calls it."""

import argparse
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Tuple

CONSOLE, FIRST = 24000, 24001
HOSTILE = Path(__file__).with_name("hostile.py")
EVERY_S = 2
WEIGHTS_BLOCKS = 150
"""Weights older than this are too old: they are due every 20 blocks, and one outage takes 20."""
OK_SHARE = 0.999
WARM_UP_SHARE = 0.25
"""Memory and descriptors are judged after this part of the time."""
MIB_A_MINUTE = 0.5
SPARE_DESCRIPTORS = 32
END_S = 60


class Sample(NamedTuple):
    """What the metrics said at a moment."""

    at: float
    rss_mib: float
    descriptors: float
    weights_age: float
    ready: float
    restarts: float
    steps: float


def address(name: str) -> str:
    """An SS58 address that nobody has the key of."""
    body = b"\x2a" + hashlib.sha256(name.encode()).digest()
    check = hashlib.blake2b(b"SS58PRE" + body, digest_size=64).digest()[:2]
    number, text = int.from_bytes(body + check, "big"), ""
    letters = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    while number:
        number, at = divmod(number, 58)
        text = letters[at] + text
    return text


def metrics() -> Dict[str, float]:
    """Sums over all labels."""
    with urllib.request.urlopen(f"http://127.0.0.1:{CONSOLE}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    found: Dict[str, float] = {}
    for name, value in re.findall(r"^([a-z0-9_]+)(?:\{.*\})? (\S+)$", text, re.MULTILINE):
        found[name] = found.get(name, 0.0) + float(value)
    return found


def sample() -> Sample:
    now = metrics()
    return Sample(
        at=time.monotonic(),
        rss_mib=now["process_resident_memory_bytes"] / (1 << 20),
        descriptors=now["process_open_fds"],
        weights_age=now["sn1_weights_age_blocks"],
        ready=now["sn1_ready"],
        restarts=now["sn1_actor_restarts_total"],
        steps=now.get("sn1_steps_total", 0.0),
    )


def slope(points: List[Tuple[float, float]]) -> float:
    """Of the line through points, by least squares."""
    n = len(points)
    mean_x, mean_y = sum(x for x, _ in points) / n, sum(y for _, y in points) / n
    over = sum((x - mean_x) * (y - mean_y) for x, y in points)
    return over / sum((x - mean_x) ** 2 for x, _ in points)


def start(asked: argparse.Namespace) -> Tuple[subprocess.Popen, subprocess.Popen]:
    names = subprocess.run(
        [sys.executable, str(HOSTILE), "--names"], check=True, capture_output=True, text=True
    ).stdout.split()
    hostile = subprocess.Popen(
        [sys.executable, str(HOSTILE), str(FIRST)], stdout=subprocess.PIPE, text=True
    )
    hostile.stdout.readline()
    command = [asked.sn1, "localnet", "--neuron.model_id", "fake", "--seed", str(asked.seed)]
    command += ["--localnet.miners", "agent,model,copier,echo,phrase,dead"]
    command += ["--neuron.timeout", "5", "--neuron.sample_size", "12"]
    command += ["--console.listen", f"127.0.0.1:{CONSOLE}"]
    command += ["--health.max_weights_age", str(WEIGHTS_BLOCKS)]
    command += ["--localnet.crash_every", "60"]
    command += ["--localnet.outage", "20", "--localnet.outage_every", "60"]
    command += ["--journal", str(asked.folder / "journal.jsonl")]
    command += ["--summary", str(asked.folder / "summary.json")]
    for at, name in enumerate(names):
        command += ["--external-miner", f"127.0.0.1:{FIRST + at}={address(name)}"]
    env = {"HOME": str(asked.folder), "PATH": os.environ["PATH"]}
    with (asked.folder / "log").open("w") as log:
        run = subprocess.Popen(command, cwd=asked.folder, env=env, stdout=log, stderr=log)
    return run, hostile


def watch(run: subprocess.Popen, minutes: int, samples: Path) -> List[Sample]:
    seen: List[Sample] = []
    end = time.monotonic() + 60 * minutes
    shown = 0.0
    with samples.open("w") as file:
        while time.monotonic() < end:
            time.sleep(EVERY_S)
            if run.poll() is not None:
                break
            try:
                now = sample()
            except (OSError, KeyError):
                # It begins, or has no block yet.
                continue
            seen.append(now)
            file.write(json.dumps(now._asdict()) + "\n")
            if now.at - shown >= 60:
                shown = now.at
                left = (end - now.at) / 60
                print(
                    f"{now.steps:6.0f} steps, {now.restarts:3.0f} restarts, {now.rss_mib:6.1f} MiB, "
                    f"{now.descriptors:4.0f} descriptors, weights {now.weights_age:3.0f} blocks old, "
                    f"{left:.0f} min left",
                    flush=True,
                )
    return seen


def judged(seen: List[Sample], asked: argparse.Namespace, code: Optional[int]) -> List[str]:
    wrong = []
    if len(seen) * EVERY_S < 0.8 * 60 * asked.minutes:
        wrong.append(f"it was seen {len(seen)} times only")
    if len(seen) < 10:
        return wrong
    warm = seen[int(len(seen) * WARM_UP_SHARE) :]
    growth = slope([((each.at - warm[0].at) / 60, each.rss_mib) for each in warm])
    half = len(warm) // 2
    most = [max(each.descriptors for each in part) for part in (warm[:half], warm[half:])]
    young = sum(each.weights_age <= WEIGHTS_BLOCKS for each in seen) / len(seen)
    oldest = max(each.weights_age for each in seen)
    ready = sum(each.ready for each in seen) / len(seen)
    print(f"steps {seen[-1].steps:.0f}, restarts {seen[-1].restarts:.0f}, exit code {code}")
    print(
        f"memory {warm[0].rss_mib:.1f} -> {warm[-1].rss_mib:.1f} MiB, {growth:+.3f} MiB a minute "
        f"after the first {100 * WARM_UP_SHARE:.0f} %"
    )
    print(f"descriptors at most {most[0]:.0f} in the one half, {most[1]:.0f} in the other")
    print(
        f"weights no older than {WEIGHTS_BLOCKS} blocks {100 * young:.2f} % of the time, at most "
        f"{oldest:.0f}; ready {100 * ready:.1f} % of the time"
    )
    if growth > MIB_A_MINUTE:
        wrong.append(f"memory grows by {growth:.2f} MiB a minute")
    if most[1] > most[0] + SPARE_DESCRIPTORS:
        wrong.append("descriptors pile up")
    if young < OK_SHARE:
        wrong.append(f"the weights were too old {100 * (1 - young):.2f} % of the time")
    if seen[-1].restarts < asked.minutes / 2:
        wrong.append("actors crashed less often than once in two minutes")
    if code != 0:
        wrong.append(f"it ended with {code}")
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sn1", required=True, type=lambda text: str(Path(text).resolve()))
    parser.add_argument("--minutes", required=True, type=int)
    parser.add_argument("--seed", required=True, type=int)
    parser.add_argument("--folder", required=True, type=lambda text: Path(text).resolve())
    asked = parser.parse_args()
    run, hostile = start(asked)
    code = None
    try:
        seen = watch(run, asked.minutes, asked.folder / "samples.jsonl")
        if run.poll() is None:
            run.send_signal(signal.SIGINT)
            try:
                run.wait(END_S)
            except subprocess.TimeoutExpired:
                print(f"it did not end within {END_S} s")
        code = run.returncode
    finally:
        run.kill()
        hostile.kill()
    wrong = judged(seen, asked, code)
    if wrong:
        print("its last words:", (asked.folder / "log").read_text(errors="replace")[-2_000:])
        sys.exit("wrong: " + "; ".join(wrong))
    print("it lived through it")


if __name__ == "__main__":
    main()
