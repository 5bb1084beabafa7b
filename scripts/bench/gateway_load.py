"""Loads a gateway and a Python axon and watches their processes; `scripts/bench/gateway.sh` calls it."""

import argparse
import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable, Dict, List, NamedTuple, Optional, Tuple

import aiohttp
import numpy as np

ROOT = Path(__file__).parents[2]
GATEWAY, AXON, FIRST_MINER = 23700, 23701, 23710
MINERS, ASKED = 20, 10
WARM_UP_S = 10
"""Memory is watched from then on."""
SETTLED_S = 30
"""Kept connections are closed by then."""
GROWTH = 1.0
"""MiB a minute that are too much."""
PATIENCE = aiohttp.ClientTimeout(total=60)
LEVELS = ("descriptors", "sockets", "threads")


class Sample(NamedTuple):
    """What a process has open at a moment."""

    at: float
    descriptors: int
    sockets: int
    threads: int
    rss_mib: float


class Told(NamedTuple):
    """What came of a load."""

    answered: int
    wrong: int
    failed: int
    first_failure: str
    seconds: List[float]


class Watched(NamedTuple):
    """What a process had open before, during and after a load."""

    before: Sample
    during: List[Sample]
    after: Sample

    def rss_at(self, seconds: float) -> float:
        began = self.during[0].at
        return min(self.during, key=lambda each: abs(each.at - began - seconds)).rss_mib

    def growth(self) -> float:
        """MiB a minute, fitted to what was seen after the warm-up while there was load."""
        began = self.during[0].at
        seen = [each for each in self.during if each.at >= began + WARM_UP_S]
        if len(seen) < 4:
            return float("nan")
        minutes = [(each.at - began) / 60 for each in seen]
        return float(np.polyfit(minutes, [each.rss_mib for each in seen], 1)[0])


def sample(pid: int) -> Sample:
    proc = Path(f"/proc/{pid}")
    pages = int((proc / "statm").read_text().split()[1])
    rss = pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)
    descriptors = sockets = 0
    for file in (proc / "fd").iterdir():
        descriptors += 1
        try:
            sockets += os.readlink(file).startswith("socket:")
        except FileNotFoundError:
            # It was closed meanwhile.
            continue
    threads = len(list((proc / "task").iterdir()))
    return Sample(time.monotonic(), descriptors, sockets, threads, rss)


async def watched(pid: int, load: Callable, quiet: float) -> Tuple[Watched, Told]:
    """A load on a process, and what that had open."""
    before, during = sample(pid), []

    async def watch() -> None:
        while True:
            during.append(sample(pid))
            await asyncio.sleep(0.5)

    watching = asyncio.create_task(watch())
    told = await load()
    watching.cancel()
    await asyncio.sleep(quiet)
    return Watched(before, during, sample(pid)), told


class Users:
    """As many as are wanted, each with a query after the other."""

    def __init__(self, url: str, key: str, seconds: float) -> None:
        self.url, self.headers = url, {"authorization": f"Bearer {key}"}
        self.end = time.monotonic() + seconds
        self.answered = self.wrong = self.failed = 0
        self.first_failure, self.seconds = "", []

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
            self.seconds.append(time.monotonic() - began)
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
        return Told(self.answered, self.wrong, self.failed, self.first_failure, self.seconds)


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


class Miners:
    """Miners that answer what they are asked, each a process of its own, as others' miners are."""

    def __init__(self) -> None:
        self.processes: List[subprocess.Popen] = []
        self.flags: List[str] = []
        """What a local network is told to have them."""

    def start(self, asked: argparse.Namespace) -> None:
        for at in range(MINERS):
            port = str(FIRST_MINER + at)
            command = [asked.sn1, "miner", "--miner.kind", "mock", "--uri", f"//Mock{at}"]
            command += ["--axon.ip", "127.0.0.1", "--axon.port", port]
            # No chain tells them that the validator is one.
            command += ["--blacklist.allow_non_registered"]
            # All users are one caller at one address, and nobody else asks.
            command += ["--axon.max_connections_per_address", "1024", "--axon.max_workers", "256"]
            command += ["--axon.requests_per_second", "10000"]
            log = asked.log.with_suffix(f".miner{at}")
            process, said = started(command, log, r"serving \S+ on")
            self.processes.append(process)
            hotkey = re.search(r"serving (\S+) on", said)[1]
            self.flags += ["--external-miner", f"127.0.0.1:{port}={hotkey}"]

    def rss_mib(self) -> float:
        return sum(sample(process.pid).rss_mib for process in self.processes)

    def end(self) -> None:
        for process in self.processes:
            process.kill()


class Localnet:
    """A validator with its gateway."""

    def __init__(self, asked: argparse.Namespace, miners: Miners) -> None:
        self.summary = asked.log.with_suffix(".summary")
        self.log, self.journal = asked.log, asked.log.with_suffix(".journal")
        command = [asked.sn1, "localnet", "--gateway", str(GATEWAY)]
        # No model takes the processor from what is measured: neither mock miners nor an operator
        # whose model is on a GPU spend any there.
        command += ["--neuron.model_id", "fake", "--neuron.num_concurrent_forwards", "1"]
        # What hides users among the validator's own queries bounds their rate.
        command += ["--gateway.rhythm", "0"]
        # There has to be one of its own: one whose address nobody listens at, asked in its turn.
        command += ["--localnet.miners", "dead", *miners.flags]
        command += ["--neuron.sample_size", str(ASKED), "--neuron.timeout", "10"]
        command += ["--summary", str(self.summary), "--journal", str(self.journal)]
        self.process, said = started(command, self.log, r"sk-sn1-\S+\s")
        url = re.search(r"https?://\S+/v1", said)
        key = re.search(r"sk-sn1-[A-Za-z0-9_-]+", said)
        if not url or not key:
            sys.exit(f"no base URL or no key was printed:\n{said[-2000:]}")
        self.url, self.key = url[0], key[0]

    def end(self) -> dict:
        """Stops it in good order, and gives what it says of itself."""
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(60)
            return json.loads(self.summary.read_text())
        except (subprocess.TimeoutExpired, OSError, ValueError) as error:
            sys.exit(f"the localnet did not end well ({error}):\n{self.log.read_text()[-2000:]}")
        finally:
            self.process.kill()

    def rounds(self) -> Tuple[int, int, int]:
        """Users' rounds that began, those that ended, and the validator's own."""
        users_began = users_ended = own = 0
        first_of_users = 1 << 48
        with self.journal.open() as lines:
            for line in lines:
                if '"challenged"' not in line and '"conversation_ended"' not in line:
                    continue
                event = json.loads(line)
                of_user = event["conversation"] >= first_of_users
                if event["event"] == "challenged":
                    users_began, own = users_began + of_user, own + (not of_user)
                else:
                    users_ended += of_user
        return users_began, users_ended, own


async def gateway(asked: argparse.Namespace) -> Tuple[Dict[str, str], List[str]]:
    """The gateway's figures and what is wrong with them."""
    miners = Miners()
    try:
        miners.start(asked)
        # Whatever runs where no user ever came is the start value of tasks.
        idle = Localnet(asked, miners)
        await asyncio.sleep(2)
        tasks_before = idle.end()["tasks_running"]
        net = Localnet(asked, miners)
        try:
            # Whatever is only opened for the first users belongs to the start value of the others.
            await Users(net.url, net.key, 2).all(4)
            await asyncio.sleep(SETTLED_S)
            miners_before = miners.rss_mib()
            began = time.monotonic()
            users = Users(net.url, net.key, asked.seconds)
            seen, told = await watched(net.process.pid, lambda: users.all(asked.users), SETTLED_S)
            took = seen.during[-1].at - began
            summary = net.end()
        finally:
            net.process.kill()
        miners_after = miners.rss_mib()
    finally:
        miners.end()
    per_s = told.answered / took
    users_began, users_ended, own = net.rounds()
    tasks_after = summary["tasks_running"]
    column = figures(seen, told, per_s, per_s * ASKED * MINERS / (MINERS + 1))
    column["tasks, idle → after"] = f"{tasks_before} → {tasks_after}"
    column["users' rounds, begun → ended"] = f"{users_began} → {users_ended}"
    column["own rounds meanwhile"] = str(own)
    column["memory of all miners before → after, MiB"] = f"{miners_before:.0f} → {miners_after:.0f}"
    wrong = []
    if told.wrong or told.failed or not told.answered:
        wrong.append(f"{told.wrong} wrong answers, {told.failed} failures: {told.first_failure}")
    for level in LEVELS:
        # The validator's own rounds go on, with a connection to each of the miners at most,
        # and they compute on threads that end after ten idle seconds.
        spare = 2 * MINERS if level != "threads" else 2
        if getattr(seen.after, level) > getattr(seen.before, level) + spare:
            wrong.append(f"{level} are left over")
    if tasks_after > tasks_before or users_began != users_ended:
        wrong.append("tasks are left over")
    if not seen.growth() < GROWTH:
        wrong.append(f"memory grows by {seen.growth():.2f} MiB a minute")
    return column, wrong


async def axon(asked: argparse.Namespace) -> Dict[str, str]:
    """The figures of Python's axon under as many callers."""
    script = str(ROOT / "tests/peers/axon.py")
    command = [asked.sdk, script, "//Alice", f"echo={AXON}"]
    process, _ = started(command, asked.log, "serving")
    spent: List[float] = []

    async def load() -> Told:
        answered, seconds, failure = 0, [], ""
        end = time.monotonic() + asked.seconds
        while time.monotonic() < end:
            load = [asked.sn1, "bench", "wire", "load", "--port", str(AXON), "--latencies"]
            load += ["--connections", str(asked.users), "--requests", str(20 * asked.users)]
            run = await asyncio.create_subprocess_exec(*load, stdout=subprocess.PIPE)
            out, _ = await run.communicate()
            if run.returncode != 0:
                sys.exit("the load on Python's axon failed, see above")
            told = json.loads(out.splitlines()[-1])
            answered += told["answered"]
            # Requests are signed before the first is sent: that takes no time of the axon's.
            spent.append(told["wall_s"])
            seconds += told["latencies_s"]
            failure = failure or (told["first_refusal"] or "")
        return Told(answered, 0, 0, failure, seconds)

    try:
        seen, told = await watched(process.pid, load, SETTLED_S)
    finally:
        process.kill()
    per_s = told.answered / sum(spent)
    column = figures(seen, told, per_s, per_s)
    if told.first_failure:
        column["failed"] = told.first_failure.splitlines()[0]
    return column


def figures(seen: Watched, told: Told, per_s: float, miners_per_s: float) -> Dict[str, str]:
    p50, p99 = np.percentile(told.seconds, [50, 99]) if told.seconds else (np.nan, np.nan)
    column = {
        "answers a second": f"{per_s:.0f}",
        "signed synapses answered a second": f"{miners_per_s:.0f}",
        "p50 / p99 / slowest, s": f"{p50:.2f} / {p99:.2f} / {max(told.seconds, default=np.nan):.2f}",
        "answers": str(told.answered),
        "wrong": str(told.wrong),
        "failed": str(told.failed),
    }
    for level in LEVELS:
        start, end = getattr(seen.before, level), getattr(seen.after, level)
        most = max(getattr(each, level) for each in seen.during)
        column[f"{level}, before → most → after"] = f"{start} → {most} → {end}"
    memory = seen.before.rss_mib, seen.rss_at(WARM_UP_S), seen.during[-1].rss_mib, seen.after.rss_mib
    column[f"memory before → at {WARM_UP_S} s → at the end → after, MiB"] = " → ".join(
        f"{mib:.1f}" for mib in memory
    )
    column["memory growth, MiB a minute"] = f"{seen.growth():+.2f}"
    return column


def show(heads: List[str], columns: List[Dict[str, str]]) -> None:
    names = list(dict.fromkeys(name for column in columns for name in column))
    widths = [max(map(len, names))]
    widths += [max(len(head), *map(len, of.values())) for head, of in zip(heads, columns)]
    rows = [["", *heads]]
    rows += [[name, *(of.get(name, "-") for of in columns)] for name in names]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sn1", required=True)
    parser.add_argument("--sdk")
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--users", type=int, required=True)
    asked = parser.parse_args()
    column, wrong = await gateway(asked)
    heads, columns = [f"sn1: gateway before {MINERS} miners"], [column]
    if asked.sdk:
        heads.append("Python axon 10.5.0: one miner")
        columns.append(await axon(asked))
    print(f"{asked.users} at a time for {asked.seconds:.0f} s, {os.cpu_count()} processors")
    show(heads, columns)
    if wrong:
        sys.exit("missed: " + "; ".join(wrong))
    print("all goals are reached")


if __name__ == "__main__":
    asyncio.run(main())
