"""Real Python axons on loopback.

Usage: axon.py URI MODE=PORT...

URI is the key of all of them, for example //Alice. Each port answers as its mode says:
  echo       the last message
  slow       the last message, after 1.5 seconds
  error      the handler raises an error
  status     the handler sets a status of its own, 418
  blacklist  nobody is welcome
  stream     the last message as a stream, cut every 3 bytes, within characters too
  cut        as stream, but the handler raises an error in its middle

Prints "serving SS58" once all of them answer, and runs until its standard input is closed: a test
that dies takes its axons with it.
"""

import asyncio
import os
import socket
import sys
import time
from functools import partial
from typing import Any, Callable, Optional, Tuple

import glue
from glue import PromptingSynapse, StreamingSynapse, StreamPromptingSynapse

SLOW_SECONDS = 1.5


async def echo(synapse: PromptingSynapse) -> PromptingSynapse:
    synapse.completion = synapse.messages[-1]
    return synapse


async def slow(synapse: PromptingSynapse) -> PromptingSynapse:
    await asyncio.sleep(SLOW_SECONDS)
    return await echo(synapse)


async def error(synapse: PromptingSynapse) -> PromptingSynapse:
    raise RuntimeError("the handler fails")


async def status(synapse: PromptingSynapse) -> PromptingSynapse:
    synapse.axon.status_code = 418
    synapse.axon.status_message = "I'm a teapot"
    return synapse


async def write(text: str, breaks: bool, send: Callable[[dict], Any]) -> None:
    said = text.encode("utf-8")
    for at in range(0, len(said), 3):
        if breaks and at >= len(said) // 2:
            raise RuntimeError("the handler fails in the middle")
        chunk = said[at : at + 3]
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
        # Otherwise the server may put several chunks into one packet.
        await asyncio.sleep(0.005)


def stream(synapse: StreamPromptingSynapse) -> StreamingSynapse.BTStreamingResponse:
    return synapse.create_streaming_response(partial(write, synapse.messages[-1], False))


def cut(synapse: StreamPromptingSynapse) -> StreamingSynapse.BTStreamingResponse:
    return synapse.create_streaming_response(partial(write, synapse.messages[-1], True))


def nobody(synapse: PromptingSynapse) -> Tuple[bool, str]:
    return True, "Unrecognized hotkey"


HANDLERS = {each.__name__: each for each in (echo, slow, error, status, stream, cut)}
HANDLERS["blacklist"] = echo
if glue.IS_OLD:
    # It takes every annotated return for a synapse.
    for each in (stream, cut):
        del each.__annotations__["return"]


def start(uri: str, mode: str, port: int) -> str:
    """Starts one axon and gives its hotkey."""
    axon = glue.axon(uri, port)
    blacklist: Optional[Callable] = nobody if mode == "blacklist" else None
    axon.attach(forward_fn=HANDLERS[mode], blacklist_fn=blacklist)
    axon.start()
    return axon.wallet.hotkey.ss58_address


def wait_for(port: int) -> None:
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    sys.exit(f"the axon on port {port} does not answer")


def main() -> None:
    if len(glue.ARGUMENTS) < 2:
        sys.exit(__doc__)
    uri, *axons = glue.ARGUMENTS
    pairs = [(mode, int(port)) for mode, port in (each.split("=") for each in axons)]
    hotkeys = {start(uri, mode, port) for mode, port in pairs}
    for _, port in pairs:
        wait_for(port)
    print("serving", *hotkeys, flush=True)
    sys.stdin.read()
    # Their servers run in threads that end with nothing else.
    os._exit(0)


if __name__ == "__main__":
    main()
