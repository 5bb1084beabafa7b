"""Miners that do what miners must not do, each at a port of its own; `watch.py` starts them.

Usage: hostile.py FIRST_PORT    serves until it is stopped
       hostile.py --names       one name a line, in order of their ports
"""

import asyncio
import json
import sys
from typing import Awaitable, Callable, Dict

Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter
CHUNK = b"x" * 65_536


async def head(reader: Reader) -> None:
    await reader.readuntil(b"\r\n\r\n")


def reply(body: bytes, headers: str = "") -> bytes:
    said = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{headers}"
    return f"{said}content-length: {len(body)}\r\n\r\n".encode() + body


def synapse(completion: object) -> bytes:
    return reply(json.dumps({"completion": completion}).encode())


async def hangs(reader: Reader, writer: Writer) -> None:
    """Takes the request and says nothing."""
    await reader.read()


async def drips(reader: Reader, writer: Writer) -> None:
    """A byte a second."""
    await head(reader)
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(1)


async def resets(reader: Reader, writer: Writer) -> None:
    """Hangs up in the middle of an answer."""
    await head(reader)
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{")
    await writer.drain()
    writer.transport.abort()


async def floods(reader: Reader, writer: Writer) -> None:
    """As much as is taken."""
    await head(reader)
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10000000000\r\n\r\n")
    while True:
        writer.write(CHUNK)
        await writer.drain()


async def endless_head(reader: Reader, writer: Writer) -> None:
    """A header that never ends."""
    await head(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nx: ")
    while True:
        writer.write(CHUNK)
        await writer.drain()


WHOLE: Dict[str, bytes] = {
    "garbage": b"\x00\xff\x16\x03\x01" * 1_000,
    "broken_json": reply(b'{"completion": "a'),
    # JSON that nobody should parse by recursion.
    "nested": reply(b'{"completion": ' + b"[" * 200_000 + b"]" * 200_000 + b"}"),
    "wrong_type": synapse({"not": ["a", "text"]}),
    # A megabyte with control and direction characters.
    "long_answer": synapse("\x1b[2J\u202e\u0000<script>alert(1)</script> " * 20_000),
    # Halves of characters, and bytes that are no UTF-8.
    "surrogates": reply(b'{"completion": "\\ud800 \xff\xfe"}'),
    "redirects": (
        b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"
    ),
}
"""Replies that are sent at once, as they stand."""


def says(answer: bytes) -> Callable[[Reader, Writer], Awaitable[None]]:
    async def say(reader: Reader, writer: Writer) -> None:
        await head(reader)
        writer.write(answer)
        await writer.drain()

    return say


KINDS: Dict[str, Callable[[Reader, Writer], Awaitable[None]]] = {
    **{kind.__name__: kind for kind in (hangs, drips, resets, floods, endless_head)},
    **{name: says(answer) for name, answer in WHOLE.items()},
}


async def main(first: int) -> None:
    def door(kind: Callable) -> Callable:
        async def serve(reader: Reader, writer: Writer) -> None:
            try:
                await kind(reader, writer)
            except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                pass
            finally:
                writer.close()

        return serve

    for at, kind in enumerate(KINDS.values()):
        await asyncio.start_server(door(kind), "127.0.0.1", first + at)
    print("serving", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    if sys.argv[1:] == ["--names"]:
        print("\n".join(KINDS))
    else:
        asyncio.run(main(int(sys.argv[1])))
