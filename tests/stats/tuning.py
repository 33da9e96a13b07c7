"""Writes tuning.json: the choices and the expected best of k trials that follow from some validation errors.

    python3 tuning.py

The expected best of k is computed from its definition: the mean of the lowest score over all n^k ways to draw k of n
trials with replacement, in exact fractions. The formula of Dodge et al. (2019) is a closed form of it.
"""

import json
from fractions import Fraction
from itertools import product
from pathlib import Path

# The errors of each trial, by seed. None is a run that failed.
CASES = [
    [[3.5, 4.5], [2.25, 2.5], [9.0, 1.0]],
    [[3.5], [None], [3.5], [8.125]],
    [[12.0, 11.0, None], [90.1, 89.9, 90.0], [88.0, 90.0, 91.0]],
    [[None, None], [None, 1.0]],
    [[6.76], [5.63], [7.04], [5.63], [88.17], [6.2]],
    [[1.125]],
]
WORST = Fraction(100)


def score(errors):
    return None if None in errors else sum(map(Fraction, errors)) / len(errors)


def best_of(scores, k):
    draws = list(product([WORST if score is None else score for score in scores], repeat=k))
    return sum(map(min, draws)) / len(draws)


def case(runs):
    scores = [score(errors) for errors in runs]
    order = sorted(range(len(runs)), key=lambda trial: (scores[trial] is None, scores[trial] or 0, trial))
    return {
        "runs": runs,
        "scores": [None if score is None else float(score) for score in scores],
        "order": order,
        "best_of": [float(best_of(scores, k)) for k in range(1, len(runs) + 1)],
    }


cases = ",\n".join(json.dumps(case(runs)) for runs in CASES)
Path(__file__).with_suffix(".json").write_text(f"[\n{cases}\n]\n")
