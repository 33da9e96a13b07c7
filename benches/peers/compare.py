"""Runs the step timers of optlab and PyTorch in turn and prints both side by side."""

import argparse
import statistics
import subprocess
import sys
from pathlib import Path

NETWORKS = ("mlp", "cnn6", "cnn6-64")
# Rows: a name, the arm of optlab, the map of PyTorch.
ROWS = (
    ("plain", "baseline", "plain"),
    ("cayley", "cayley", "cayley"),
    ("householder", "householder", "householder"),
    ("matrix exponential", None, "matrix_exp"),
)


class Timer:
    """A process that reads N on its input and answers with the seconds of N steps."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def steps(self, count):
        print(count, file=self.process.stdin, flush=True)
        return float(self.process.stdout.readline()) / count

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def medians(timers, rounds):
    """Milliseconds per step of each timer; every round runs all of them."""
    for timer in timers:
        timer.steps(2)
    times = [[timer.steps(1 if slow else 3) for timer, slow in timers.items()] for _ in range(rounds)]
    return [1000 * statistics.median(column) for column in zip(*times)]


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("bench", help="the program of `cargo bench --bench step_cost`")
    arguments.add_argument("--network", action="append", choices=NETWORKS)
    arguments.add_argument("--rounds", type=int, default=15)
    arguments.add_argument("--plain-only", action="store_true", help="leave the orthogonal maps out")
    given = arguments.parse_args()
    peer = [sys.executable, str(Path(__file__).with_name("torch_step.py"))]
    rows = ROWS[:1] if given.plain_only else ROWS

    print(f"{'network':10} {'way':20} {'optlab ms':>10} {'pytorch ms':>11} {'ratio':>6}")
    for network in given.network or NETWORKS:
        for name, ours, theirs in rows:
            # PyTorch's Householder map takes a quarter of a minute per step for d = 2048.
            if theirs == "householder" and network != "mlp":
                continue
            slow = theirs != "plain" and network != "mlp"
            timers = {}
            if ours:
                timers[Timer([given.bench, "--serve", network, ours])] = slow
            timers[Timer([*peer, network, theirs])] = slow
            found = medians(timers, max(3, given.rounds // 5) if slow else given.rounds)
            for timer in timers:
                timer.close()
            ours_ms, theirs_ms = found if ours else (None, *found)
            shown, ratio = (f"{ours_ms:.2f}", f"{ours_ms / theirs_ms:.2f}") if ours else ("-", "-")
            print(f"{network:10} {name:20} {shown:>10} {theirs_ms:11.2f} {ratio:>6}", flush=True)


main()
