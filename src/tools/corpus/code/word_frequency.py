# Count the most common words in text read from standard input.
import argparse
import re
import sys
from collections import Counter

WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")


def count_words(lines):
    counts = Counter()
    for line in lines:
        counts.update(word.lower() for word in WORD.findall(line))
    return counts


def main():
    parser = argparse.ArgumentParser(description="List the most common words.")
    parser.add_argument("-n", "--top", type=int, default=10, help="how many to list")
    args = parser.parse_args()
    for word, count in count_words(sys.stdin).most_common(args.top):
        print(f"{count:6d}  {word}")


if __name__ == "__main__":
    main()
