"""Miners that answer at once and write down what comes through their sockets.

Usage: capture.py --base PORT --miners N --out FILE
       capture.py --base PORT --miners N --flags

Listens on N ports of loopback from PORT on, answers each synapse at some length, as assistants do (all
of them alike, which depends on what was asked), and appends a line of
JSON for each request to FILE: when it was complete (`at`, in seconds), through which port (`miner`),
its first line, its headers as written (`headers`, pairs in order) and its body as text. Prints
"serving" once all listen. With --flags it only prints the flags that bring these miners into a
`sn1 localnet`.
"""

import argparse
import asyncio
import hashlib
import json
import random
import time
from functools import partial
from typing import Any, Dict, List, TextIO

MEDIAN_LOG, SPREAD, LONGEST = 5.7, 0.9, 2_000
"""How long answers are, in characters: half of them longer than 300."""
ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
GENERIC = b"\x2a"
"""The prefix of addresses that belong to no network in particular."""


def address(port: int) -> str:
    """An SS58 address for the miner of a port; nobody holds its key."""
    content = GENERIC + hashlib.sha256(f"captured {port}".encode()).digest()
    content += hashlib.blake2b(b"SS58PRE" + content, digest_size=64).digest()[:2]
    number, text = int.from_bytes(content, "big"), ""
    while number:
        number, digit = divmod(number, len(ALPHABET))
        text = ALPHABET[digit] + text
    return text


def completion(messages: List[str]) -> str:
    draw = random.Random("\n".join(messages))
    length = min(int(draw.lognormvariate(MEDIAN_LOG, SPREAD)), LONGEST)
    words = messages[-1].split() or ["Nothing"]
    said = "I heard:"
    while len(said) < length:
        said += " " + draw.choice(words)
    return said


def reply(body: str) -> bytes:
    synapse: Dict[str, Any] = json.loads(body)
    synapse["completion"] = completion(synapse["messages"])
    content = json.dumps(synapse).encode()
    head = (
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
        "bt_header_axon_status_code: 200\r\nbt_header_axon_status_message: Success\r\n"
        f"content-length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


async def serve(
    port: int, out: TextIO, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            line, *rest = head.removesuffix("\r\n\r\n").split("\r\n")
            headers = [header.split(": ", 1) for header in rest]
            named = {name.lower(): value for name, value in headers}
            body = (await reader.readexactly(int(named["content-length"]))).decode()
            found = {"at": time.time(), "miner": port, "line": line, "headers": headers}
            print(json.dumps({**found, "body": body}), file=out)
            writer.write(reply(body))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def listen(base: int, miners: int, path: str) -> None:
    with open(path, "a", encoding="utf-8", buffering=1) as out:
        for port in range(base, base + miners):
            await asyncio.start_server(partial(serve, port, out), "127.0.0.1", port, limit=1 << 20)
        print("serving", flush=True)
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--base", type=int, required=True)
    parser.add_argument("--miners", type=int, required=True)
    parser.add_argument("--out", default="captured.jsonl")
    parser.add_argument("--flags", action="store_true")
    asked = parser.parse_args()
    if asked.flags:
        ports = range(asked.base, asked.base + asked.miners)
        print(" ".join(f"--external-miner 127.0.0.1:{port}={address(port)}" for port in ports))
        return
    try:
        asyncio.run(listen(asked.base, asked.miners, asked.out))
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
