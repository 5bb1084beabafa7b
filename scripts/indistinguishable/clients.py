"""Bursty users of a gateway, who say what nobody wrote for this project.

Usage: clients.py --base-url URL --key KEY --count N --sent FILE [--rate PER_SECOND] [--seed N]
                  [--whole]

Their texts are paragraphs of the documentation in this Python's packages (numpy, scipy, scikit-learn), or
with --whole what is documented of one thing, of one paragraph or several. Two thirds ask with one
message, some of them with a system message; the others ask on in a chat that was answered before, and
send all of that along, as clients do. They come in bursts: the
bursts by a Poisson process, in each some queries shortly after one another. The last message of each
query is written to FILE as a line of JSON, so that what miners saw of it can be told apart.
"""

import argparse
import ast
import asyncio
import json
import math
import random
import sys
import sysconfig
import warnings
from pathlib import Path
from typing import Dict, List, TextIO

import aiohttp

SHORTEST, LONGEST = 20, 2_000
PACKAGES = ("numpy", "scipy", "sklearn")
"""Whose documentation the users quote: they are there, as the classifier needs them. How the validator's
queries are shaped was chosen with other texts."""
OTHERS = {"test", "tests"}
"""Folders whose documentation nobody reads."""
IN_A_BURST = 8
WITHIN_A_BURST_S = 0.02
PATIENCE = aiohttp.ClientTimeout(total=120)
KEPT = 100
"""Users who may ask on, of those that were answered equally often."""
Message = Dict[str, str]


def paragraphs(whole: bool) -> List[str]:
    """Each once, in the order of the files' names."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    found: Dict[str, None] = {}
    folders = [Path(sysconfig.get_path("purelib"), package) for package in PACKAGES]
    for path in sorted(path for folder in folders for path in folder.rglob("*.py")):
        if OTHERS & set(path.parts):
            continue
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"))
        except (SyntaxError, UnicodeDecodeError):
            continue
        for node in ast.walk(tree):
            text = ast.get_docstring(node) if isinstance(node, documented) else None
            parts = [" ".join(part.split()) for part in (text or "").split("\n\n")]
            for said in ["\n\n".join(parts)] if whole else parts:
                if SHORTEST <= len(said) <= LONGEST:
                    found[said] = None
    return list(found)


class Chats:
    """Chats that were answered, by how often."""

    def __init__(self, texts: List[str], draw: random.Random) -> None:
        self.texts, self.draw = texts, draw
        self.answered: Dict[int, List[List[Message]]] = {}

    def next(self, last: str) -> List[Message]:
        """One that begins with a message or goes on with it: as often as is drawn, or as there are."""
        turns = self.draw.choices(range(4), [70, 15, 10, 5])[0]
        waiting = self.answered.get(turns, [])
        if waiting:
            earlier = waiting.pop(self.draw.randrange(len(waiting)))
        elif self.draw.random() < 0.25:
            earlier = [{"role": "system", "content": self.draw.choice(self.texts)}]
        else:
            earlier = []
        return [*earlier, {"role": "user", "content": last}]

    def put(self, messages: List[Message], answer: str) -> None:
        turns = sum(message["role"] == "user" for message in messages)
        chats = self.answered.setdefault(turns, [])
        chats.append([*messages, {"role": "assistant", "content": answer}])
        del chats[:-KEPT]


def several(mean: float, draw: random.Random) -> int:
    """At least one, so many more as a Poisson draw says."""
    bound, product, count = math.exp(1 - mean), draw.random(), 1
    while product > bound:
        product *= draw.random()
        count += 1
    return count


async def ask(
    session: aiohttp.ClientSession, url: str, messages: List[Message], sent: TextIO, chats: Chats
) -> bool:
    print(json.dumps(messages[-1]["content"]), file=sent)
    content = {"model": "sn1", "messages": messages}
    try:
        async with session.post(f"{url}/chat/completions", json=content) as response:
            said = await response.json()
            if response.status == 200:
                chats.put(messages, said["choices"][0]["message"]["content"])
            return response.status == 200
    except (aiohttp.ClientError, asyncio.TimeoutError, ValueError):
        return False


async def come(asked: argparse.Namespace) -> None:
    draw, texts = random.Random(asked.seed), paragraphs(asked.whole)
    draw.shuffle(texts)
    chats = Chats(texts, draw)
    print(f"{len(texts)} texts", flush=True)
    headers = {"authorization": f"Bearer {asked.key}"}
    connections = aiohttp.TCPConnector(limit=256)
    running: List["asyncio.Task[bool]"] = []
    with open(asked.sent, "w", encoding="utf-8", buffering=1) as sent:
        async with aiohttp.ClientSession(
            headers=headers, timeout=PATIENCE, connector=connections
        ) as session:
            while len(running) < asked.count:
                await asyncio.sleep(draw.expovariate(asked.rate / IN_A_BURST))
                for _ in range(min(several(IN_A_BURST, draw), asked.count - len(running))):
                    at = len(running)
                    last = texts[at % len(texts)]
                    if at >= len(texts):
                        # Each query says something else, or its fan-out could not be counted.
                        last = f"{last} {texts[draw.randrange(len(texts))]}"
                    query = chats.next(last)
                    task = asyncio.create_task(ask(session, asked.base_url, query, sent, chats))
                    running.append(task)
                    await asyncio.sleep(draw.expovariate(1 / WITHIN_A_BURST_S))
            answered = sum(await asyncio.gather(*running))
    print(f"{answered} of {len(running)} were answered", flush=True)
    if answered < 0.98 * len(running):
        sys.exit("too many queries failed; see the validator's log")


def main() -> None:
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser()
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--sent", required=True)
    parser.add_argument("--rate", type=float, default=8.0)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--whole", action="store_true")
    asyncio.run(come(parser.parse_args()))


if __name__ == "__main__":
    main()
