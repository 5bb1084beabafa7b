"""What the Python packages `rouge` 1.0.1 and `rapidfuzz` 3.14 make of pairs of texts, called as the
original validator calls them: the reference first.

    python3 -m venv /tmp/rewards
    /tmp/rewards/bin/pip install --no-deps -r tests/peers/rewards.txt
    /tmp/rewards/bin/python scripts/oracles/rewards.py fixture

    rewards.py fixture        writes actors/tests/fixtures/rewards.json: a fixed set of awkward pairs
    rewards.py drawn SEED N   prints N pairs that are drawn, each a line of JSON

Each pair has `rouge`, the precision, recall and F of ROUGE-1, of ROUGE-2 and of ROUGE-L, and the
three ratios of rapidfuzz, divided by 100. `rouge` is null where the package raises, and where one
of the texts has no word: the package then compares empty words with each other.
"""
import json
import pathlib
import random
import sys

from rapidfuzz import fuzz
from rouge import Rouge

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
    # no word in one text or in both
    ("", ""),
    ("", "one. two"),
    ("one. two", ""),
    (".", "one"),
    ("one", "..."),
    ("...", "..."),
    (" ", "\n\t"),
    (" . ", "one. . two"),
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
    # spaces that Python's splitting takes for such only beside letters past U+00FF
    ("b\u00a0a", "a b"),
    ("b\u0085a", "a b"),
    ("b\u00a0a \u0101", "a b \u0101"),
    ("\u0101\u0085b\u00a0a", "a b \u0101"),
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
    # the better window lies at an end, in the middle, or is the other text's
    ("of the river", "river"),
    ("abcd", "xxabcdxx"),
    ("abcd", "cdxxxxxab"),
    ("xaby", "abxy"),
    ("ab", "ba"),
]

WORDS = (
    "the of and to in is that it for was on are as with his they at be this from have or by one had "
    "not but what all were when we there can an your which their said if do will each about how up "
    "out them then she many some so these would other into has more her two like him see time could "
    "river bridge city engine harbour water treaty 1919 3.5 12,000 U.S. e.g. I.e. Paris London "
    "Danube's co-operate (approx.) \"quoted\" however, therefore; finally: why? yes! — e-mail"
).split()
FAR = "Łódź żubr naïve 東京 日本語 の は Привет мир سلام नमस्ते 🦀 👩‍👩‍👧 e\u0301 \u00e9 ﬁ İ ß 𝔘𝔫𝔦 \u200b".split()
SPACES = [" ", "  ", "\n", "\t", "\r\n", "\u00a0", "\u0085", "\u2003", "\u3000", "\u001c", "\u001f", "\u2028", ". ", ".", " . ", "..."]
CODE = [
    "def mean(values):", "    total = 0", "    for value in values:", "        total += value",
    "    return total / len(values)", "if (a[i] != b[j]) { i++; }", "let x: Vec<u32> = vec![];",
    "print(f\"{x:.2f}\")", "# TODO: no. 1", "assert x == y, 'e.g.'", "", "}", "self.close()",
]


def fixed_pairs():
    pairs = list(PAIRS)
    pairs += [(a, b) for i, a in enumerate(SENTENCES) for b in SENTENCES[i % 3 :: 4]]
    rng = random.Random(1)

    def numbered(words, sentences):
        return ". ".join(
            " ".join(f"w{rng.randrange(words)}" for _ in range(rng.randint(1, 14)))
            for _ in range(sentences)
        )

    pairs += [(numbered(n, s), numbered(n, t)) for n, s, t in
              [(5, 3, 4), (10, 6, 2), (20, 8, 9), (40, 12, 12), (60, 1, 20), (60, 20, 1)]]
    # long sentences without a full stop: several machine words of bits in one sentence
    for words, left, right in [(30, 150, 200), (90, 70, 65), (12, 64, 63)]:
        pairs.append(tuple(
            " ".join(f"v{rng.randrange(words)}" for _ in range(n)) for n in (left, right)))
    return pairs


def sentence(rng, least=3, most=18, words=WORDS):
    made = [rng.choice(words) for _ in range(rng.randint(least, most))]
    return " ".join(made)


def paragraph(rng, sentences, words=WORDS):
    return ". ".join(sentence(rng, words=words) for _ in range(sentences)) + rng.choice([".", "", ". "])


def shuffled(rng, text, separator):
    parts = text.split(separator) if separator else list(text)
    rng.shuffle(parts)
    return separator.join(parts)


def near(rng, text):
    """A copy with some words left out, put in, changed or said twice."""
    made = []
    for word in text.split(" "):
        change = rng.random()
        if change < 0.05:
            continue
        if change < 0.1:
            made.append(rng.choice(WORDS))
        made.append(rng.choice(WORDS) if 0.1 <= change < 0.15 else word)
        if change > 0.96:
            made.append(word)
    return " ".join(made)


def mistyped(rng, text):
    letters = list(text)
    for _ in range(1 + len(letters) // 20):
        at = rng.randrange(len(letters) + 1)
        letters[at : at + rng.randint(0, 2)] = rng.choice(["", "x", "é", " ", ".", "🦀"])
    return "".join(letters)


def two_paragraphs(rng):
    return paragraph(rng, rng.randint(1, 6)), paragraph(rng, rng.randint(1, 6))


def copies(rng):
    text = paragraph(rng, rng.randint(1, 6))
    return text, rng.choice([near, mistyped])(rng, text)


def orders(rng):
    text = paragraph(rng, rng.randint(1, 5))
    return text, shuffled(rng, text, rng.choice([" ", ". ", ""]))


def parts(rng):
    """One text holds a part of the other, as it is or nearly."""
    text = paragraph(rng, rng.randint(1, 6))
    start = rng.randrange(len(text))
    part = text[start : start + rng.randint(1, 120)]
    if rng.random() < 0.5:
        part = mistyped(rng, part)
    if rng.random() < 0.3:
        part = sentence(rng) + part
    pair = [part, text]
    rng.shuffle(pair)
    return tuple(pair)


def far(rng):
    words = FAR + WORDS[: rng.choice([0, 30])]
    return paragraph(rng, rng.randint(1, 4), words), paragraph(rng, rng.randint(1, 4), words)


def spaced(rng):
    words = rng.choice([["a", "b", "c"], WORDS[:12], WORDS[:12] + FAR])

    def text():
        made = [rng.choice(words) + rng.choice(SPACES) for _ in range(rng.randint(0, 25))]
        return rng.choice(["", " ", "."]) + "".join(made)

    return text(), text()


def repeated(rng):
    words = rng.sample(WORDS, rng.randint(1, 4))
    return paragraph(rng, rng.randint(1, 5), words), paragraph(rng, rng.randint(1, 5), words)


def code(rng):
    lines = [rng.choice(CODE) for _ in range(rng.randint(1, 14))]
    other = [line for line in lines if rng.random() < 0.8] + rng.sample(CODE, 2)
    return "\n".join(lines), "\n".join(other)


def few_letters(rng):
    """Where it matters most which window and which subsequence is taken."""
    letters = "abcde. "[: rng.randint(2, 7)]
    texts = ["".join(rng.choice(letters) for _ in range(rng.randint(0, 90))) for _ in range(2)]
    if rng.random() < 0.2:
        texts = [text[: min(map(len, texts))] for text in texts]
    return tuple(texts)


def without_words(rng):
    nothing = rng.choice(["", ".", "...", " ", "\n", " . . ", "\u3000", "\u001c"]) * rng.randint(1, 3)
    pair = [nothing, rng.choice(["", ".", " . ", sentence(rng)])]
    rng.shuffle(pair)
    return tuple(pair)


def long(rng):
    """Long texts of few full stops."""
    words = [f"w{n}" for n in range(rng.choice([20, 80, 300]))] + WORDS[:40]

    def text():
        some = (sentence(rng, 60, 160, words) for _ in range(rng.randint(1, 2)))
        return ". ".join(some)

    reference = text()
    return reference, near(rng, reference) if rng.random() < 0.5 else text()


KINDS = [
    (two_paragraphs, 4), (copies, 5), (orders, 4), (parts, 5), (far, 3), (spaced, 4), (repeated, 3),
    (code, 3), (few_letters, 5), (without_words, 2), (long, 2),
]


def has_words(text):
    return any(part.split() for part in text.split("."))


def case(reference, completion):
    rouge = None
    if has_words(reference) and has_words(completion):
        try:
            scores = Rouge().get_scores(reference, completion)[0]
            names = ("rouge-1", "rouge-2", "rouge-l")
            rouge = [[scores[name][part] for part in "prf"] for name in names]
        except (ValueError, RecursionError):
            pass
    return {
        "reference": reference,
        "completion": completion,
        "rouge": rouge,
        "ratio": fuzz.ratio(reference, completion) / 100,
        "partial_ratio": fuzz.partial_ratio(reference, completion) / 100,
        "token_sort_ratio": fuzz.token_sort_ratio(reference, completion) / 100,
    }


def main():
    arguments = sys.argv[1:]
    if arguments == ["fixture"]:
        cases = [case(*pair) for pair in fixed_pairs()]
        path = pathlib.Path(__file__).resolve().parents[2] / "actors/tests/fixtures/rewards.json"
        path.write_text("[\n" + ",\n".join(map(json.dumps, cases)) + "\n]\n")
        print(f"{len(cases)} pairs in {path}")
    elif len(arguments) == 3 and arguments[0] == "drawn":
        rng = random.Random(int(arguments[1]))
        makers, weights = zip(*KINDS)
        for maker in rng.choices(makers, weights, k=int(arguments[2])):
            print(json.dumps({"kind": maker.__name__, **case(*maker(rng))}))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
