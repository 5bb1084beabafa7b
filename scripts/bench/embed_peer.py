#!/usr/bin/env python3
"""The other side of embed.sh: sentence-transformers on torch, in turn with `sn1 bench embed`.

Both embed the same texts, of 3 to 250 tokens, once a round; noise of the machine hits both alike.
sentence-transformers sorts by length and pads, 32 texts a batch, as it does by default.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

COUNT = 96
WORDS = (
    "the of and to in is that it for was on are as with his they at be this from have or by one had "
    "not but what all were when we there can an your which their said if do will each about how up "
    "out them then she many some so these would other into has more her two like him see time could "
    "no make than first been its who now people my made over did down only way find use may water "
    "long little very after called just where most know"
).split()


def texts():
    """As many words as tokens, less the two that the tokenizer adds. Mostly short, as answers are."""
    state = 7
    made = []
    for i in range(COUNT):
        # Through all lengths once, in an order that mixes them.
        place = i * 37 % COUNT
        tokens = 3 + place * place * 247 // (COUNT - 1) ** 2
        words = []
        for _ in range(tokens - 2):
            state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
            words.append(WORDS[(state >> 33) % len(WORDS)])
        made.append(" ".join(words))
    return made


def peer(model, threads):
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    torch.set_num_threads(threads)
    body = Transformer(model, max_seq_length=256)
    pooling = Pooling(body.get_embedding_dimension(), pooling_mode="mean")
    return SentenceTransformer(modules=[body, pooling, Normalize()], device="cpu")


class Ours:
    """`sn1 bench embed`, which embeds the texts once for each call."""

    def __init__(self, sn1, model, threads, texts):
        self.folder = tempfile.TemporaryDirectory()
        path = pathlib.Path(self.folder.name) / "texts.jsonl"
        path.write_text("".join(json.dumps(text) + "\n" for text in texts))
        command = [sn1, "bench", "embed", "--paced", "--texts", str(path)]
        command += ["--folder", model, "--threads", str(threads)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
        assert self.process.stdout.readline() == "ready\n", "sn1 did not start"

    def seconds(self):
        print("", file=self.process.stdin, flush=True)
        return float(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.folder.cleanup()


def timed(work):
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sn1", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    os.environ["TOKENIZERS_PARALLELISM"] = "true"
    return parser.parse_args()


def compare(args, texts):
    """Embeds the texts round by round, and prints both rates."""
    theirs = peer(args.model, args.threads)
    lengths = [len(ids) for ids in theirs.tokenizer(texts, truncation=True)["input_ids"]]
    ours = Ours(args.sn1, args.model, args.threads, texts)
    theirs.encode(texts)
    rounds = [(ours.seconds(), timed(lambda: theirs.encode(texts))) for _ in range(args.rounds)]
    ours.close()

    mean = sum(lengths) / len(lengths)
    print(
        f"{len(texts)} texts of {min(lengths)} to {max(lengths)} tokens, {mean:.0f} in the mean; "
        f"{args.threads} threads; medians of {args.rounds} rounds in turn"
    )
    # The best rounds as well: what else runs on the machine slows a padded batch's threads, which
    # wait for each other, more than ours.
    for name, pick in [("median", statistics.median), ("best", min)]:
        our_rate, their_rate = (len(texts) / pick(seconds) for seconds in zip(*rounds))
        print(
            f"{name:6}  sn1 {our_rate:6.1f} texts/s  sentence-transformers {their_rate:6.1f} "
            f"texts/s  ratio {our_rate / their_rate:.2f}"
        )


if __name__ == "__main__":
    compare(arguments(), texts())
