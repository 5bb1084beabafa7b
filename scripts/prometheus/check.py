"""Alerts and dashboard on a real Prometheus; `scripts/prometheus-check.sh` calls it."""

import argparse
import http.server
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Dict, List, NamedTuple, Set

ROOT = Path(__file__).parents[2]
PROMETHEUS, MODEL, AXON, FIRST = 23900, 23901, 23902, 23903
PATIENCE_S = 180


LOCALNET = ["localnet", "--neuron.model_id", "fake", "--seed", "7", "--neuron.timeout", "5"]
LOCALNET += ["--localnet.miners", "echo,phrase"]
MINER = ["miner", "--miner.kind", "echo", "--uri", "//Alice", "--axon.ip", "127.0.0.1"]
MINER += ["--blacklist.allow_non_registered"]


class Trouble(NamedTuple):
    """A local network, or a miner, with something wrong, and the alerts that have to fire for it."""

    name: str
    flags: List[str]
    alerts: Set[str]
    command: List[str] = LOCALNET


TROUBLES = [
    Trouble("well", [], set()),
    Trouble(
        "stalled chain",
        ["--localnet.outage", "3600", "--localnet.outage_every", "8", "--health.max_head_age", "5"],
        {"Sn1ChainStalled"},
    ),
    Trouble(
        "dead model",
        ["--engine.servers", f"http://127.0.0.1:{MODEL}", "--neuron.model_id", "gone"],
        {"Sn1ModelDead"},
    ),
    Trouble(
        "old weights",
        ["--weights.min_steps", "1000000", "--health.max_weights_age", "10"],
        {"Sn1WeightsOld"},
    ),
    Trouble("restarting actors", ["--localnet.crash_every", "1"], {"Sn1ActorRestarting"}),
    Trouble("miner nobody asks", ["--axon.port", str(AXON)], {"Sn1MinerUnserved"}, MINER),
    Trouble("full disk", ["--journal", "/dev/full"], {"Sn1JournalLost"}),
    Trouble("ended", [], {"Sn1Down"}),
]
"""In the order of their ports; the last is stopped once it has been seen."""


class Model(http.server.BaseHTTPRequestHandler):
    """A model server that is there for the start and then answers nothing."""

    def do_GET(self) -> None:
        body = json.dumps({"object": "list", "data": [{"id": "gone", "object": "model"}]}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.send_error(500)

    def log_message(self, *_: object) -> None:
        pass


def ask(path: str, **query: str) -> dict:
    url = f"http://127.0.0.1:{PROMETHEUS}/api/v1/{path}?{urllib.parse.urlencode(query)}"
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)["data"]


def instance(at: int) -> str:
    return f"127.0.0.1:{FIRST + at}"


def started(asked: argparse.Namespace) -> List[subprocess.Popen]:
    """Every network and miner, under its own home and with a console."""
    processes = []
    for at, trouble in enumerate(TROUBLES):
        home = asked.folder / f"home{at}"
        home.mkdir()
        command = [asked.sn1, *trouble.command, "--console.listen", instance(at), *trouble.flags]
        env = {"HOME": str(home), "PATH": os.environ["PATH"]}
        with (asked.folder / f"log{at}").open("w") as log:
            run = subprocess.Popen(command, cwd=home, env=env, stdout=log, stderr=log)
        processes.append(run)
    return processes


def prometheus(asked: argparse.Namespace) -> subprocess.Popen:
    """A Prometheus with our rules, which wakes us at once instead of after minutes."""
    rules = (ROOT / "config/prometheus/alerts.yml").read_text()
    (asked.folder / "alerts.yml").write_text(re.sub(r"for: \d+m", "for: 1s", rules))
    config = (ROOT / "config/prometheus/prometheus.yml").read_text().replace("15s", "1s")
    targets = json.dumps([instance(at) for at in range(len(TROUBLES))])
    config = re.sub(r'targets: \[".*"\]', f"targets: {targets}", config)
    (asked.folder / "prometheus.yml").write_text(config)
    command = [asked.prometheus, f"--config.file={asked.folder / 'prometheus.yml'}"]
    command += [f"--storage.tsdb.path={asked.folder / 'data'}"]
    command += [f"--web.listen-address=127.0.0.1:{PROMETHEUS}"]
    with (asked.folder / "prometheus.log").open("w") as log:
        return subprocess.Popen(command, cwd=asked.folder, stdout=log, stderr=log)


def firing() -> Dict[str, Set[str]]:
    """The alerts that fire, by instance."""
    found: Dict[str, Set[str]] = {}
    for alert in ask("alerts")["alerts"]:
        if alert["state"] == "firing":
            labels = alert["labels"]
            found.setdefault(labels["instance"], set()).add(labels["alertname"])
    return found


def empty_panels() -> List[str]:
    """Panels of the dashboard without a value for the network that is well."""
    board = json.loads((ROOT / "config/grafana/sn1.json").read_text())
    empty = []
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            expr = target["expr"].replace("$instance", instance(0))
            if not ask("query", query=expr)["result"]:
                empty.append(f"{panel['title']}: {expr}")
    return empty


QUIET = {"Restarts", "Sources that began to fail, an hour"}
"""Panels that are empty where nothing is wrong."""


def watch(processes: List[subprocess.Popen]) -> List[str]:
    """What is wrong, once every alert that is expected fires or the patience is up."""
    expected = {instance(at): trouble.alerts for at, trouble in enumerate(TROUBLES) if trouble.alerts}
    seen: Dict[str, Set[str]] = {}
    empty = ["not asked"]
    began, ended = time.monotonic(), False
    while time.monotonic() - began < PATIENCE_S:
        time.sleep(1)
        try:
            if not ended and ask("query", query=f'up{{instance="{instance(len(TROUBLES) - 1)}"}} == 1')["result"]:
                processes[-1].send_signal(signal.SIGTERM)
                ended = True
            for who, alerts in firing().items():
                for alert in alerts - seen.get(who, set()):
                    took = time.monotonic() - began
                    print(f"  {took:4.0f} s  {alert} for {TROUBLES[int(who[-5:]) - FIRST].name}")
                seen.setdefault(who, set()).update(alerts)
            empty = [panel for panel in empty_panels() if panel.split(":")[0] not in QUIET]
        except OSError:
            continue
        if all(alerts <= seen.get(who, set()) for who, alerts in expected.items()) and not empty:
            break
    wrong = [f"no data in «{panel}»" for panel in empty]
    for at, trouble in enumerate(TROUBLES):
        fired = seen.get(instance(at), set())
        wrong += [f"{alert} did not fire for {trouble.name}" for alert in trouble.alerts - fired]
        # A network that is not there yet, and one that gave up after too many crashes, is down.
        # Woken at once, Sn1NoSteps only says that there was no step yet.
        others = fired - trouble.alerts - {"Sn1Down", "Sn1NoSteps"}
        wrong += [f"{alert} fired for {trouble.name}" for alert in others]
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sn1", required=True, type=lambda text: str(Path(text).resolve()))
    parser.add_argument("--prometheus", required=True, type=lambda text: str(Path(text).resolve()))
    parser.add_argument("--folder", required=True, type=Path)
    asked = parser.parse_args()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", MODEL), Model)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    processes = started(asked)
    scraper = prometheus(asked)
    try:
        wrong = watch(processes)
    finally:
        for process in [*processes, scraper]:
            process.kill()
    if wrong:
        for at, trouble in enumerate(TROUBLES):
            lines = (asked.folder / f"log{at}").read_text(errors="replace").splitlines()
            print(f"-- {trouble.name}", *lines[-8:], sep="\n")
        sys.exit("wrong: " + "; ".join(wrong))
    print("every alert fired for its trouble, and every panel has data")


if __name__ == "__main__":
    main()
