"""Loads a gateway and a Python axon and watches their processes; `scripts/bench/gateway.sh` calls it."""

import argparse
import asyncio
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Dict, List, NamedTuple, Tuple

import aiohttp
import numpy as np

ROOT = Path(__file__).parents[2]
GATEWAY, AXON = 23700, 23701
MINERS = 20
WARM_UP_S = 10
"""Memory is watched from then on."""
SETTLED_S = 20
"""Kept connections are closed by then."""
GROWTH = 1.0
"""MiB a minute that are too much."""
PATIENCE = aiohttp.ClientTimeout(total=60)


class Sample(NamedTuple):
    """What a process has open at a moment."""

    at: float
    descriptors: int
    threads: int
    rss_mib: float


class Told(NamedTuple):
    """What came of a load."""

    answered: int
    wrong: int
    failed: int
    first_failure: str
    slowest_s: float


def sample(pid: int) -> Sample:
    proc = Path(f"/proc/{pid}")
    pages = int((proc / "statm").read_text().split()[1])
    rss = pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)
    descriptors, threads = len(list((proc / "fd").iterdir())), len(list((proc / "task").iterdir()))
    return Sample(time.monotonic(), descriptors, threads, rss)


async def watched(pid: int, samples: List[Sample]) -> None:
    while True:
        samples.append(sample(pid))
        await asyncio.sleep(0.5)


def growth(samples: List[Sample], until: float) -> float:
    """MiB a minute, fitted to what was seen after the warm-up while there was load."""
    began = samples[0].at
    during = [each for each in samples if began + WARM_UP_S <= each.at <= until]
    if len(during) < 4:
        return float("nan")
    minutes = [(each.at - began) / 60 for each in during]
    return float(np.polyfit(minutes, [each.rss_mib for each in during], 1)[0])


class Users:
    """As many as are wanted, each with a query after the other."""

    def __init__(self, url: str, key: str, seconds: float) -> None:
        self.url, self.headers = url, {"authorization": f"Bearer {key}"}
        self.end = time.monotonic() + seconds
        self.answered = self.wrong = self.failed = 0
        self.first_failure, self.slowest = "", 0.0

    async def one(self, session: aiohttp.ClientSession, user: int) -> None:
        turn = 0
        while time.monotonic() < self.end:
            turn += 1
            message = f"user {user} asks for the {turn}th time"
            began = time.monotonic()
            try:
                answer = await self.ask(session, message, stream=turn % 2 == 0)
            except (aiohttp.ClientError, asyncio.TimeoutError, ValueError, KeyError) as error:
                self.failed += 1
                self.first_failure = self.first_failure or f"{type(error).__name__}: {error}"[:300]
                # Whoever is refused at once must not turn that into a load of its own.
                await asyncio.sleep(0.1)
                continue
            self.slowest = max(self.slowest, time.monotonic() - began)
            if answer == f"Mock reply to: {message}":
                self.answered += 1
            else:
                self.wrong += 1
                self.first_failure = self.first_failure or f"{message!r} got {answer!r}"[:300]

    async def ask(self, session: aiohttp.ClientSession, message: str, stream: bool) -> str:
        content = {"model": "sn1", "messages": [{"role": "user", "content": message}]}
        content["stream"] = stream
        async with session.post(f"{self.url}/chat/completions", json=content) as response:
            if response.status != 200:
                raise ValueError(f"{response.status}: {(await response.text())[:200]}")
            if not stream:
                return (await response.json())["choices"][0]["message"]["content"]
            said, done = [], False
            async for line in response.content:
                if not line.startswith(b"data: "):
                    continue
                data = line[len(b"data: ") :].strip()
                if data == b"[DONE]":
                    done = True
                    continue
                for choice in json.loads(data)["choices"]:
                    said.append(choice["delta"].get("content") or "")
            if not done:
                raise ValueError("a stream without its end")
            return "".join(said)

    async def all(self, users: int) -> Told:
        connections = aiohttp.TCPConnector(limit=users)
        async with aiohttp.ClientSession(
            headers=self.headers, timeout=PATIENCE, connector=connections
        ) as session:
            await asyncio.gather(*(self.one(session, user) for user in range(users)))
        return Told(self.answered, self.wrong, self.failed, self.first_failure, self.slowest)


def started(command: List[str], log: Path, sign: str) -> Tuple[subprocess.Popen, str]:
    """A process that says `sign` (a pattern) once it is ready, and what it said."""
    with log.open("w") as out:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=out, stderr=subprocess.STDOUT
        )
    for _ in range(600):
        said = log.read_text(errors="replace")
        if re.search(sign, said):
            return process, said
        if process.poll() is not None:
            break
        time.sleep(0.1)
    process.kill()
    sys.exit(f"`{' '.join(command)}` did not start:\n{log.read_text(errors='replace')[-2000:]}")


async def gateway(asked: argparse.Namespace) -> List[str]:
    """Prints the gateway's figures and gives what is wrong with them."""
    command = [asked.sn1, "localnet", "--gateway", str(GATEWAY), "--neuron.model_id", "fake"]
    command += ["--localnet.miners", ",".join(["mock"] * MINERS)]
    command += ["--gateway.in_flight", str(2 * asked.users)]
    process, said = started(command, asked.log, r"sk-sn1-")
    try:
        url = re.search(r"https?://\S+/v1", said)
        key = re.search(r"sk-sn1-[A-Za-z0-9_-]+", said)
        if not url or not key:
            sys.exit(f"no base URL or no key was printed:\n{said[-2000:]}")
        users = Users(url[0], key[0], 2)
        # Whatever is only opened for the first users belongs to the start value.
        await users.all(4)
        await asyncio.sleep(SETTLED_S)
        before, samples = sample(process.pid), []
        watch = asyncio.create_task(watched(process.pid, samples))
        users = Users(url[0], key[0], asked.seconds)
        told = await users.all(asked.users)
        until = time.monotonic()
        await asyncio.sleep(SETTLED_S)
        watch.cancel()
        after, slope = sample(process.pid), growth(samples, until)
    finally:
        process.kill()
    show("sn1 gateway", asked, told.answered / asked.seconds, before, samples, after, slope)
    print(f"  slowest {told.slowest_s:.2f} s; wrong {told.wrong}, failed {told.failed}")
    wrong = []
    if told.wrong or told.failed or not told.answered:
        wrong.append(f"{told.wrong} wrong answers, {told.failed} failures: {told.first_failure}")
    if after.descriptors > before.descriptors or after.threads > before.threads:
        wrong.append("descriptors or threads are left over")
    if not slope < GROWTH:
        wrong.append(f"memory grows by {slope:.2f} MiB a minute")
    return wrong


async def axon(asked: argparse.Namespace) -> None:
    """Prints the figures of Python's axon under as many callers."""
    script = str(ROOT / "tests/peers/axon.py")
    command = [asked.sdk, script, "//Alice", f"echo={AXON}"]
    process, _ = started(command, asked.log, "serving")
    try:
        before, samples = sample(process.pid), []
        watch = asyncio.create_task(watched(process.pid, samples))
        answered, end = 0, time.monotonic() + asked.seconds
        began = time.monotonic()
        while time.monotonic() < end:
            load = [asked.sn1, "bench", "wire", "load", "--port", str(AXON)]
            load += ["--connections", str(asked.users), "--requests", str(10 * asked.users)]
            run = await asyncio.create_subprocess_exec(*load, stdout=subprocess.PIPE)
            out, _ = await run.communicate()
            if run.returncode != 0:
                sys.exit("the load on Python's axon failed, see above")
            answered += json.loads(out.splitlines()[-1])["answered"]
        until = time.monotonic()
        await asyncio.sleep(SETTLED_S)
        watch.cancel()
        after, slope = sample(process.pid), growth(samples, until)
    finally:
        process.kill()
    show("Python axon 10.5.0", asked, answered / (until - began), before, samples, after, slope)


def show(
    name: str,
    asked: argparse.Namespace,
    per_s: float,
    before: Sample,
    samples: List[Sample],
    after: Sample,
    slope: float,
) -> None:
    peaks: Dict[str, float] = {
        field: max(getattr(each, field) for each in samples)
        for field in ("descriptors", "threads", "rss_mib")
    }
    print(f"{name}: {asked.users} at a time, {per_s:.0f} answers a second")
    for field in ("descriptors", "threads"):
        start, end = getattr(before, field), getattr(after, field)
        print(f"  {field}: {start} before, {peaks[field]:.0f} at most, {end} after")
    print(
        f"  memory: {before.rss_mib:.1f} MiB before, {peaks['rss_mib']:.1f} at most, "
        f"{after.rss_mib:.1f} after; {slope:+.2f} MiB a minute after {WARM_UP_S} s",
        flush=True,
    )


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sn1", required=True)
    parser.add_argument("--sdk", required=True)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--users", type=int, required=True)
    asked = parser.parse_args()
    wrong = await gateway(asked)
    await axon(asked)
    if wrong:
        sys.exit("missed: " + "; ".join(wrong))
    print("all goals are reached")


if __name__ == "__main__":
    asyncio.run(main())
