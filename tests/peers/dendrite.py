"""A real Python dendrite that asks, one after the other, what a file lists.

Usage: dendrite.py URI FILE

URI is its key, for example //Bob. The file is a JSON list of objects:
  class    PromptingSynapse, StreamPromptingSynapse, Synapse (a ping) or Mystery (nobody knows it)
  hotkey   whom the request is signed for
  port     where that axon is, on loopback
  timeout  in seconds
  roles, messages  of the first two classes

Prints a line of JSON for each: status, message, completion, what the SDK makes of it, and the
chunks of a stream.
"""

import asyncio
import json
import sys
from typing import Any, List

import glue
from glue import PromptingSynapse, StreamPromptingSynapse, Synapse


class Mystery(Synapse):
    """No axon has a handler for it."""


CLASSES = {each.__name__: each for each in (PromptingSynapse, StreamPromptingSynapse, Mystery)}
CLASSES["Synapse"] = Synapse


def told(synapse: Synapse, chunks: List[str]) -> dict:
    return {
        "status": synapse.dendrite.status_code,
        "message": synapse.dendrite.status_message,
        "completion": getattr(synapse, "completion", None),
        "process_time": synapse.dendrite.process_time,
        "is_success": synapse.is_success,
        "is_timeout": synapse.is_timeout,
        "is_blacklist": synapse.is_blacklist,
        "failed_verification": synapse.failed_verification,
        "chunks": chunks,
    }


async def ask(dendrite: glue.Dendrite, asked: dict) -> dict:
    streams = asked["class"] == "StreamPromptingSynapse"
    fields = {name: asked[name] for name in ("roles", "messages") if name in asked}
    synapse = CLASSES[asked["class"]](**fields)
    axon = glue.target(asked["hotkey"], asked["port"])
    replies: List[Any] = await dendrite.forward(
        [axon], synapse, timeout=asked["timeout"], deserialize=False, streaming=streams
    )
    if not streams:
        return told(replies[0], [])
    # A stream yields its pieces, and the whole synapse at its end.
    *chunks, last = [piece async for piece in replies[0]]
    return told(last, chunks)


async def main() -> None:
    if len(glue.ARGUMENTS) != 2:
        sys.exit(__doc__)
    uri, path = glue.ARGUMENTS
    with open(path, encoding="utf-8") as file:
        everything = json.load(file)
    dendrite = glue.dendrite(uri)
    for asked in everything:
        print(json.dumps(await ask(dendrite, asked)), flush=True)
    await dendrite.aclose_session()


if __name__ == "__main__":
    asyncio.run(main())
