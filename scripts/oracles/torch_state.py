"""Writes tests/fixtures/state/state.pt and state_wide.pt: what the original validator at 1.0.0 saves
(original-system.md 1.4), made by torch itself.

    apt-get install python3-torch      (Debian 12: torch 1.13.1)
    python3 scripts/oracles/torch_state.py

The keys are those of the validator: `step`, `scores`, a row of float32 with a score a neuron, and
`hotkeys`, in order of uid. `state_wide.pt` has what else may come: the default protocol's long counts
(300 neurons), float64, scores that are part of a longer row, and a step beyond 32 bits.
"""
import pathlib

import torch


def hotkey(number):
    """As `sn1_actors::testkit::hotkey`: well-formed, of no known key."""
    return "5" + f"{number:047}".replace("0", "A")


def save(name, step, scores):
    hotkeys = [hotkey(number) for number in range(len(scores))]
    folder = pathlib.Path(__file__).parents[2] / "tests/fixtures/state"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    torch.save({"step": step, "scores": scores, "hotkeys": hotkeys}, path)
    print(f"{path}: {path.stat().st_size:,} bytes by torch {torch.__version__}")


def main():
    scores = torch.zeros(8)
    alpha = 0.05
    for step in range(1, 5):
        rewards = torch.zeros(8)
        rewards[step] = step / 4
        scores = alpha * rewards + (1 - alpha) * scores
    save("state.pt", 812, scores)
    wide = torch.arange(310, dtype=torch.float64) / 310
    wide[5] = float("nan")
    save("state_wide.pt", 2**40, wide[5:305])


main()
