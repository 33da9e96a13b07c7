"""Writes tuning.json: the choices and the best of k trials that follow from some validation errors.

    python3 tuning.py

The best of k is computed from its definition, in exact fractions: its distribution over all n^k ways to draw k of n
trials with replacement. Of few draws they are listed; of many the distribution is that of the lower of a further draw
and the best of k - 1. The closed forms are those of Dodge et al. (2019) and of order statistics.
"""

import json
from collections import Counter
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
    # Tenths and twentieths, of which both ends of the interval of a single draw are met exactly.
    [[float(error)] for error in (7, 3, 9, 1, 10, 5, 2, 8, 4, 6)],
    [[2.0 + 0.25 * (error * error % 23)] for error in range(19)] + [[None]],
]
WORST = Fraction(100)
LOW, HIGH = Fraction(1, 10), Fraction(9, 10)
FEW_DRAWS = 50_000


def score(errors):
    return None if None in errors else sum(map(Fraction, errors)) / len(errors)


def listed(errors, k):
    counts = Counter(map(min, product(errors, repeat=k)))
    return {error: Fraction(count, len(errors) ** k) for error, count in counts.items()}


def lower(one, other):
    """The distribution of the lower of two independent draws."""
    both = Counter()
    for (a, p), (b, q) in product(one.items(), other.items()):
        both[min(a, b)] += p * q
    return dict(both)


def distributions(scores):
    errors = [WORST if score is None else score for score in scores]
    single = listed(errors, 1)
    last = single
    for k in range(1, len(errors) + 1):
        if k > 1:
            last = lower(last, single)
        if len(errors) ** k <= FEW_DRAWS:
            assert last == listed(errors, k)
        yield last


def percentile(distribution, level):
    below = Fraction(0)
    for error, probability in sorted(distribution.items()):
        below += probability
        if below >= level:
            return error


def case(runs):
    scores = [score(errors) for errors in runs]
    order = sorted(range(len(runs)), key=lambda trial: (scores[trial] is None, scores[trial] or 0, trial))
    best = list(distributions(scores))
    return {
        "runs": runs,
        "scores": [None if score is None else float(score) for score in scores],
        "order": order,
        "expected": [float(sum(error * p for error, p in one.items())) for one in best],
        "low": [float(percentile(one, LOW)) for one in best],
        "high": [float(percentile(one, HIGH)) for one in best],
    }


cases = ",\n".join(json.dumps(case(runs)) for runs in CASES)
Path(__file__).with_suffix(".json").write_text(f"[\n{cases}\n]\n")
