"""Writes actors/tests/fixtures/rouge_1_0_1.json: what the Python package `rouge` 1.0.1 gives for
a fixed set of text pairs, called as the original validator calls it (reference first).

    python3 -m venv /tmp/rouge && /tmp/rouge/bin/pip install rouge==1.0.1
    /tmp/rouge/bin/python scripts/oracles/rouge.py
"""
import json
import pathlib
import random
import sys

sys.path.pop(0)  # this file's own folder, where `rouge` would be this file
from rouge import Rouge  # noqa: E402

sys.setrecursionlimit(20_000)

SENTENCES = [
    "The Seine runs through Paris and reaches the sea at Le Havre.",
    "Paris lies on the Seine. The river reaches the sea at Le Havre.",
    "the seine runs through paris",
    "A heron stood in the shallow water. It waited. Then it struck!",
    "Then it struck. It waited. A heron stood in the shallow water",
    "One two three four five six seven eight nine ten",
    "ten nine eight seven six five four three two one",
    "w1 w2 w3 w4 w5",
    "w1 w2 w6 w7 w8. w1 w3 w8 w9 w5",
    "a a a a b a a a. b b b a",
    "b a b a b a. a b",
]

PAIRS = [
    # casing, punctuation, white space
    ("Paris", "paris"),
    ("Paris", "Paris"),
    ("Paris.", "Paris"),
    ("Paris. ", "Paris. "),
    ("Paris!", "Paris"),
    ("a,b,c", "a, b, c"),
    ("e.g. this, i.e. that", "e.g. that, i.e. this"),
    ("3.14 is pi", "pi is 3.14"),
    ("one  two\tthree\nfour", "one two three four"),
    ("one\u00a0two\u2003three", "one two three"),
    ("one\u001ctwo\u001fthree\u0085four", "one two three four"),
    ("one\u200btwo", "one two"),
    ("...one...two...", "one two"),
    ("one. . two", "one. two. "),
    ("one . two . ", " . one"),
    (" one. ", "two. "),
    ("\n\nanswer.\n", "answer.\n\n"),
    # beyond ASCII
    ("Łódź is a city. Żubr is a bison.", "Żubr is a bison. Łódź is large."),
    ("東京 は 日本 の 首都 です。", "首都 は 東京 です。"),
    ("crab 🦀 and crab 🦀🦀", "🦀 crab and 🦀🦀 dance"),
    ("e\u0301tude", "\u00e9tude"),
    ("Ünï cödé. tèxt", "tèxt Ünï. cödé"),
    # one word, no overlap, no bigram
    ("yes", "no"),
    ("yes", "yes it is indeed"),
    ("alpha beta", "gamma delta. epsilon"),
    # repetition and ties between equally long subsequences
    ("a b c d", "a b d c"),
    ("a b d c", "a b c d"),
    ("a b c. c b a", "c a b"),
    ("x y z x y z", "z y x z y x"),
    ("the the the the", "the"),
    ("the cat the dog the bird", "the bird the dog the cat"),
    ("a b. c d. e f", "f e. d c. b a"),
    ("a b c d e f", "a. b. c. d. e. f"),
    ("a. b. c. d. e. f", "a b c d e f"),
]


def drawn(rng, words, sentences):
    return ". ".join(
        " ".join(f"w{rng.randrange(words)}" for _ in range(rng.randint(1, 14)))
        for _ in range(sentences)
    )


def main():
    pairs = list(PAIRS)
    pairs += [(a, b) for i, a in enumerate(SENTENCES) for b in SENTENCES[i % 3 :: 4]]
    rng = random.Random(1)
    pairs += [(drawn(rng, n, s), drawn(rng, n, t)) for n, s, t in
              [(5, 3, 4), (10, 6, 2), (20, 8, 9), (40, 12, 12), (60, 1, 20), (60, 20, 1)]]
    # long sentences without a full stop: several machine words of bits in one sentence
    for words, left, right in [(30, 150, 200), (90, 70, 65), (12, 64, 63)]:
        pairs.append(tuple(
            " ".join(f"v{rng.randrange(words)}" for _ in range(n)) for n in (left, right)))
    rouge = Rouge()
    cases = []
    for reference, completion in pairs:
        scores = rouge.get_scores(reference, completion)[0]
        cases.append({
            "reference": reference,
            "completion": completion,
            **{name: scores[name.replace("_", "-")]["f"]
               for name in ("rouge_1", "rouge_2", "rouge_l")},
        })
    root = pathlib.Path(__file__).resolve().parents[2]
    path = root / "actors/tests/fixtures/rouge_1_0_1.json"
    lines = ",\n".join(json.dumps(case, ensure_ascii=True) for case in cases)
    path.write_text(f"[\n{lines}\n]\n")
    print(f"{len(cases)} pairs in {path}")


if __name__ == "__main__":
    main()
