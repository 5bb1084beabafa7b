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


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sn1", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    args = parser.parse_args()
    os.environ["TOKENIZERS_PARALLELISM"] = "true"

    mix = texts()
    theirs = peer(args.model, args.threads)
    lengths = [len(ids) for ids in theirs.tokenizer(mix, truncation=True)["input_ids"]]
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "texts.jsonl"
        path.write_text("".join(json.dumps(text) + "\n" for text in mix))
        command = [args.sn1, "bench", "embed", "--paced", "--texts", str(path)]
        command += ["--folder", args.model, "--threads", str(args.threads)]
        ours = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert ours.stdout.readline() == "ready\n", "sn1 did not start"
        theirs.encode(mix)
        our_seconds, their_seconds = [], []
        for _ in range(args.rounds):
            print("", file=ours.stdin, flush=True)
            our_seconds.append(float(ours.stdout.readline()))
            started = time.perf_counter()
            theirs.encode(mix)
            their_seconds.append(time.perf_counter() - started)
        ours.stdin.close()
        ours.wait()

    mean = sum(lengths) / len(lengths)
    print(
        f"{len(mix)} texts of {min(lengths)} to {max(lengths)} tokens, {mean:.0f} in the mean; "
        f"{args.threads} threads; medians of {args.rounds} rounds in turn"
    )
    # The best rounds as well: what else runs on the machine slows a padded batch's threads, which
    # wait for each other, more than ours.
    for name, pick in [("median", statistics.median), ("best", min)]:
        our_rate, their_rate = (len(mix) / pick(s) for s in (our_seconds, their_seconds))
        print(
            f"{name:6}  sn1 {our_rate:6.1f} texts/s  sentence-transformers {their_rate:6.1f} "
            f"texts/s  ratio {our_rate / their_rate:.2f}"
        )


if __name__ == "__main__":
    main()
