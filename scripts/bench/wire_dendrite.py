"""The SDK's dendrite against many axons at once, as `sn1 bench wire dendrite` measures ours.

Usage: wire_dendrite.py BASE PORTS TIMEOUT

Asks an axon on each of PORTS ports of loopback from BASE on, and prints a line of JSON.
"""

import asyncio
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests/peers"))

import glue


async def main() -> None:
    if len(glue.ARGUMENTS) != 3:
        sys.exit(__doc__)
    base, ports = (int(text) for text in glue.ARGUMENTS[:2])
    hotkey = glue.Keypair.create_from_uri("//Alice").ss58_address
    targets = [glue.target(hotkey, port) for port in range(base, base + ports)]
    dendrite = glue.dendrite("//Bob")
    synapse = glue.PromptingSynapse(roles=["user"], messages=["bench"])
    spent, began = time.process_time(), time.perf_counter()
    replies = await dendrite.forward(
        targets, synapse, timeout=float(glue.ARGUMENTS[2]), deserialize=False
    )
    wall, cpu = time.perf_counter() - began, time.process_time() - spent
    answered = sum(reply.is_success for reply in replies)
    await dendrite.aclose_session()
    line = {"asked": len(replies), "answered": answered, "wall_s": wall, "cpu_s": cpu}
    print(json.dumps(line))


if __name__ == "__main__":
    asyncio.run(main())
