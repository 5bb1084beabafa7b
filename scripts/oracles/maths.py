"""Checks maths problems against sympy: reads JSON lines {"kind", "problem", "solution"} from a file
or from the standard input, and says for each kind how many samples are wrong.

    python3 -m venv /tmp/sympy && /tmp/sympy/bin/pip install sympy==1.14.0
    /tmp/sympy/bin/python scripts/oracles/maths.py problems.jsonl

What a kind asks is read from the statement, and worked out here by other means than the generator's
(src/tools/maths). `maths_checks` has one file a field; each names its kinds in CHECKS, with a
function of the statement and the solution that says whether the solution is right. tests/it/maths.rs
writes the problems and runs this. Exits with 1 if a sample is wrong or a kind has no check.
"""
import collections
import importlib
import json
import pathlib
import sys

SHOWN = 3  # wrong samples of a kind that are printed


def checks():
    """Every kind's check."""
    found = {}
    for path in sorted((pathlib.Path(__file__).parent / "maths_checks").glob("*.py")):
        module = importlib.import_module(f"maths_checks.{path.stem}")
        for kind, check in getattr(module, "CHECKS", {}).items():
            if kind in found:
                sys.exit(f"{kind} has two checks")
            found[kind] = check
    return found


def is_right(check, sample):
    try:
        return bool(check(sample["problem"], sample["solution"]))
    except Exception as error:  # a statement or a solution that cannot be read is wrong
        print(f"  {type(error).__name__}: {error}", file=sys.stderr)
        return False


def main():
    known = checks()
    samples, wrong = collections.Counter(), collections.defaultdict(list)
    with open(sys.argv[1], encoding="utf-8") if len(sys.argv) > 1 else sys.stdin as lines:
        for line in lines:
            sample = json.loads(line)
            kind = sample["kind"]
            samples[kind] += 1
            if kind in known and not is_right(known[kind], sample):
                wrong[kind].append(sample)
    unknown = [kind for kind in samples if kind not in known]
    for kind in samples:
        says = "no check" if kind in unknown else f"{len(wrong[kind])} wrong"
        print(f"{kind}: {samples[kind]} samples, {says}")
        for sample in wrong[kind][:SHOWN]:
            print(f"  {sample['problem']}\n  -> {sample['solution']}")
    errors = sum(map(len, wrong.values()))
    print(
        f"{len(samples)} kinds, {sum(samples.values())} samples, {errors} wrong, "
        f"{len(unknown)} kinds without a check"
    )
    return 1 if errors or unknown or not samples else 0


if __name__ == "__main__":
    sys.exit(main())
