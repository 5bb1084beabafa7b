#!/usr/bin/env python3
"""The other side of rewards.sh: the Python packages that the original measured answers by, in turn
with `sn1 bench rewards`, then sentence-transformers in turn with `sn1 bench embed`.

The string part of one step: 50 answers of 200 words, each with rouge against the reference and
against the challenge, and with rapidfuzz's ratio. As in the original they are measured one after
the other, and every call of rouge works out ROUGE-1, ROUGE-2 and ROUGE-L. Our side is the whole way
from the step to its totals, on as many threads as RewardScorer takes.
"""

import json
import random
import statistics
import subprocess

from rapidfuzz import fuzz
from rouge import Rouge

from embed_peer import WORDS, arguments, compare, timed

ANSWERS = 50
LENGTH = 200
SENTENCE = 16


def text(rng, known=()):
    """As many words, in sentences; some of them those of another text, in its order."""
    words = [rng.choice(WORDS) for _ in range(LENGTH)]
    for place, word in enumerate(known[:LENGTH]):
        if rng.random() < 0.5:
            words[place] = word.rstrip(".")
    sentences = (words[at : at + SENTENCE] for at in range(0, LENGTH, SENTENCE))
    return " ".join(" ".join(sentence) + "." for sentence in sentences)


def step():
    rng = random.Random(7)
    reference = text(rng)
    known = reference.split(" ")
    answers = [text(rng, known) for _ in range(ANSWERS)]
    return {"reference": reference, "challenge": text(rng), "answers": answers}


def totals(step):
    rouge = Rouge()

    def overlap(one, other):
        return rouge.get_scores(one, other)[0]["rouge-l"]["f"]

    def total(answer):
        earned = overlap(step["reference"], answer) + fuzz.ratio(step["reference"], answer) / 100
        return 0.5 * earned * (1 - 0.5 * overlap(step["challenge"], answer))

    return [total(answer) for answer in step["answers"]]


def strings(args, step):
    """Measures the step round by round, and prints both times."""
    pipe = subprocess.PIPE
    ours = subprocess.Popen([args.sn1, "bench", "rewards"], stdin=pipe, stdout=pipe, text=True)

    def measured():
        print(json.dumps(step), file=ours.stdin, flush=True)
        return json.loads(ours.stdout.readline())

    # Once for warming up, and to see that both do the same.
    pairs = list(zip(measured()["totals"], totals(step)))
    assert len(pairs) == ANSWERS
    difference = max(abs(our - their) for our, their in pairs)
    rounds = [
        (measured()["seconds"], timed(lambda: totals(step))) for _ in range(args.rounds)
    ]
    ours.stdin.close()
    ours.wait()

    print(
        f"strings: {ANSWERS} answers of {LENGTH} words; totals differ by {difference:.0e} at most; "
        f"medians of {args.rounds} rounds in turn"
    )
    for name, pick in [("median", statistics.median), ("best", min)]:
        our_seconds, their_seconds = (pick(seconds) for seconds in zip(*rounds))
        print(
            f"{name:6}  sn1 {our_seconds * 1e3:7.2f} ms  rouge and rapidfuzz "
            f"{their_seconds * 1e3:7.0f} ms  ratio {their_seconds / our_seconds:.0f}"
        )


def main():
    args = arguments()
    made = step()
    strings(args, made)
    print("embeddings of the same answers:")
    compare(args, made["answers"])


if __name__ == "__main__":
    main()
