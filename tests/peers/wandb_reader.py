"""What the official wandb package makes of a folder of offline runs, without any network.

Usage: wandb_reader.py FOLDER

FOLDER is a folder with runs, as `wandb sync` takes it. Prints one JSON object:
  records  by run: the log's records as the package's own reader prints them
  sent     by run: what `wandb sync` sends to a server, which is a stand-in in this process:
           `run` (the variables of the run's first announcement), `config`, `history`, `summary` and
           `exit`
  synced   the last line of what `wandb sync` says, and its exit code
"""

import gzip
import http.server
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading

import wandb


class Server(http.server.ThreadingHTTPServer):
    """As much of wandb's server as a run needs to be taken."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.sent: dict[str, dict] = {}
        self.lock = threading.Lock()
        self.url = f"http://127.0.0.1:{self.server_port}"

    def run(self, name: str) -> dict:
        empty = {"run": None, "config": {}, "history": {}, "summary": {}, "exit": None}
        return self.sent.setdefault(name, empty)

    def announced(self, variables: dict) -> dict:
        run = self.run(variables["name"])
        run["run"] = run["run"] or {key: value for key, value in variables.items() if value}
        config = json.loads(variables.get("config") or "{}")
        run["config"] |= {key: entry["value"] for key, entry in config.items()}
        entity = {"id": "e", "name": variables.get("entity") or "someone"}
        project = {"id": "p", "name": variables["project"], "entity": entity}
        bucket = {
            "id": "b",
            "name": variables["name"],
            "displayName": variables.get("displayName") or "",
            "project": project,
            "historyLineCount": 0,
        }
        return {"upsertBucket": {"bucket": bucket, "inserted": True}}

    def files(self, variables: dict) -> dict:
        files = [{"name": name, "uploadUrl": f"{self.url}/put"} for name in variables["files"]]
        return {"createRunFiles": {"runID": "b", "uploadHeaders": [], "files": files}}

    def streamed(self, name: str, body: dict) -> None:
        run = self.run(name)
        for file, part in body.get("files", {}).items():
            lines = [json.loads(line) for line in part["content"]]
            if file == "wandb-history.jsonl":
                run["history"] |= {part["offset"] + n: line for n, line in enumerate(lines)}
            elif file == "wandb-summary.json":
                run["summary"] = lines[-1]
        if body.get("complete"):
            run["exit"] = body.get("exitcode")


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def answer(self, data: dict) -> None:
        body = json.dumps(data).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        with self.server.lock:
            if self.path.endswith("/file_stream"):
                self.server.streamed(self.path.split("/")[-2], json.loads(body))
                self.answer({})
            elif self.path == "/graphql":
                query = json.loads(body)
                operation, variables = query.get("operationName"), query.get("variables", {})
                data = {}
                if operation == "UpsertBucket":
                    data = self.server.announced(variables)
                elif operation == "CreateRunFiles":
                    data = self.server.files(variables)
                self.answer({"data": data})
            else:
                self.answer({})

    do_GET = do_PUT = do_POST

    def log_message(self, *_: object) -> None:
        pass


def environment(home: str, url: str) -> dict[str, str]:
    return os.environ | {
        "HOME": home,
        "NO_COLOR": "1",
        "WANDB_API_KEY": "0" * 40,
        "WANDB_BASE_URL": url,
        "WANDB_ERROR_REPORTING": "false",
    }


def records(file: pathlib.Path, env: dict[str, str]) -> list[dict]:
    core = pathlib.Path(wandb.__file__).parent / "bin" / "wandb-core"
    line = [core, "leet", "inspect", "-no-observability", "-json", "-run-file", file]
    read = subprocess.run(line, env=env, check=True, capture_output=True, text=True, timeout=60)
    return [json.loads(line) for line in read.stdout.splitlines()]


def main() -> None:
    folder = pathlib.Path(sys.argv[1]).resolve()
    server = Server()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as home:
        env = environment(home, server.url)
        files = sorted(folder.glob("*/*.wandb"))
        told = {file.stem.removeprefix("run-"): records(file, env) for file in files}
        line = [sys.executable, "-m", "wandb", "sync", str(folder)]
        sync = subprocess.run(line, env=env, cwd=home, capture_output=True, text=True, timeout=120)
    said = (sync.stderr + sync.stdout).strip().splitlines()
    for run in server.sent.values():
        run["history"] = [run["history"][n] for n in sorted(run["history"])]
    synced = {"said": said[-5:], "code": sync.returncode}
    print(json.dumps({"records": told, "sent": server.sent, "synced": synced}))


main()
