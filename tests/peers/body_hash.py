"""How Python writes lists of texts, and what the SDK hashes of a synapse with them.

Usage: body_hash.py, with a JSON list of texts in each line of standard input

Prints the version of Unicode that this Python knows, then for each line a JSON list: the text that
`str` makes of the list, and the body hash of SN1's synapse.
"""

import json
import sys
import unicodedata

from glue import PromptingSynapse


def main() -> None:
    print(unicodedata.unidata_version)
    for line in sys.stdin.buffer:
        messages = json.loads(line)
        synapse = PromptingSynapse(roles=[], messages=messages)
        print(json.dumps([str(messages), synapse.body_hash]))


if __name__ == "__main__":
    main()
