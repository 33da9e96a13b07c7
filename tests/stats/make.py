"""Writes golden.json: what SciPy and NumPy say of small sets of paired differences.

    pip install numpy scipy && python3 make.py

Tests and distributions are SciPy's. It has no bootstrap with a generator that others have too: here indices come from
the raw output of NumPy's PCG64, whose state is set as PCG's reference code sets it. Holm's procedure follows from
another definition than the usual one: it is the closed test by Bonferroni, so an adjusted p is the largest that any set
of hypotheses with this one in it has.
"""

import json
from bisect import bisect_left
from itertools import combinations
from pathlib import Path

import numpy as np
from scipy import stats
from scipy.integrate import quad

RESAMPLES = 10_000
DRAWS = 100_000
MULTIPLIER = 0x2360ED051FC65DA44385DF649FCCF645


def generator(seed):
    """PCG64 on stream 0."""
    increment = 1
    state = ((seed + increment) * MULTIPLIER + increment) % 2**128
    bits = np.random.PCG64()
    bits.state = {**bits.state, "state": {"state": state, "inc": increment}}
    return bits


def bootstrap(d):
    n = len(d)
    raw = generator(0).random_raw(RESAMPLES * n)
    index = np.array([int(r) * n >> 64 for r in raw]).reshape(RESAMPLES, n)
    return list(np.quantile(d[index].mean(axis=1), [0.025, 0.975]))


def sign_flip(d):
    """SciPy's where all signs can be tried, else random signs, the lowest bit of each word first."""
    if len(d) <= 20:
        test = stats.permutation_test((d,), np.sum, permutation_type="samples", n_resamples=np.inf)
        return test.pvalue
    words = -(-len(d) // 64)
    raw = generator(0).random_raw(DRAWS * words).reshape(DRAWS, words)
    minus = np.unpackbits(raw.view(np.uint8), axis=1, bitorder="little")[:, : len(d)]
    sums = np.where(minus == 1, -d, d).sum(axis=1)
    far = abs(d.sum()) - 1e-12 * np.abs(d).sum()
    return (np.count_nonzero(np.abs(sums) >= far) + 1) / (DRAWS + 1)


def power(n, effect_size, alpha=0.05):
    """By the definition of t: over all standard deviations that the sample may have, how often the mean is beyond."""
    critical, mean, spread = stats.t.ppf(1 - alpha / 2, n - 1), effect_size * np.sqrt(n), stats.chi(n - 1, scale=(n - 1) ** -0.5)

    def found(std):
        return spread.pdf(std) * (stats.norm.sf(critical * std - mean) + stats.norm.cdf(-critical * std - mean))

    low, high = spread.ppf(1e-15), spread.isf(1e-15)
    return quad(found, low, high, epsabs=1e-13, epsrel=1e-12, limit=500, points=[spread.median()])[0]


def seeds_needed(effect_size):
    n = bisect_left(range(10_001), 0.8, lo=2, key=lambda n: power(n, effect_size))
    return n if n <= 10_000 else None


def wins(d):
    """P(d < 0), with SciPy's exact interval; with ties, which it does not count as halves, the same by the beta
    distribution."""
    won, n = np.count_nonzero(d < 0) + np.count_nonzero(d == 0) / 2, len(d)
    low = stats.beta.ppf(0.025, won, n - won + 1) if won else 0.0
    high = stats.beta.isf(0.025, won + 1, n - won) if won < n else 1.0
    if won == int(won):
        exact = stats.binomtest(int(won), n).proportion_ci(0.95, method="exact")
        assert np.allclose([low, high], [exact.low, exact.high], rtol=1e-12, atol=0)
    return [won / n, low, high]


def holm(p):
    sets = [s for size in range(1, len(p) + 1) for s in combinations(range(len(p)), size)]
    bonferroni = {s: min(1.0, len(s) * min(p[i] for i in s)) for s in sets}
    return [max(value for s, value in bonferroni.items() if i in s) for i in range(len(p))]


def case(d):
    d = np.array(d)
    t = stats.ttest_1samp(d, 0.0)
    interval = t.confidence_interval(0.95)
    effect_size = d.mean() / d.std(ddof=1)
    return {
        "differences": list(d),
        "mean": d.mean(),
        "std": d.std(ddof=1),
        "interval": [interval.low, interval.high],
        "bootstrap": bootstrap(d),
        "p_value": t.pvalue,
        "sign_flip": sign_flip(d),
        "effect_size": effect_size,
        "wins": wins(d),
        "seeds_needed": seeds_needed(effect_size),
    }


def percents(rng, n, size=10_000, mean=-0.4):
    """Differences of accuracies over a test set: many are the same number."""
    return np.round(rng.normal(mean, 0.5, n) * size / 100) * 100 / size


def main():
    rng = np.random.default_rng(7)
    cases = [
        [1.0, 2.0],
        [1.0, 2.0, 3.0],
        [-0.31, -0.62, -1.05, -0.12, -0.44],
        [0.25, -0.5, 0.0, 0.75, -0.25, 0.5],
        [1e-9, 3e-9, -2e-9, 4e-9],
        percents(rng, 8),
        percents(rng, 8, size=100),
        percents(rng, 10, size=360, mean=0.02),
        rng.standard_t(2, 16),
        rng.normal(0.3, 1.0, 20),
        rng.normal(0.1, 1.0, 70),
        rng.normal(0.5, 1.0, 200),
    ]
    effects = [(2, 0.5), (2, 20.0), (3, 1.0), (5, 0.0), (5, 1.5), (8, -1.0), (30, 0.4), (500, 0.1), (9_999, 0.03)]
    tests = [(n, d, 0.05) for n, d in effects] + [(5, 1.5, 0.0125), (8, -1.0, 0.025), (30, 0.4, 0.005)]
    families = [[0.03], [0.01, 0.04, 0.03], [0.2, 0.2, 0.001, 0.5], [0.02, 0.01, 0.02, 0.9, 0.013]]
    golden = {
        "cases": [case(d) for d in cases],
        "power": [{"n": n, "effect_size": d, "alpha": a, "power": power(n, d, a)} for n, d, a in tests],
        "holm": [{"p": p, "adjusted": holm(p)} for p in families],
    }
    Path(__file__).with_name("golden.json").write_text(json.dumps(golden, indent=1, allow_nan=False) + "\n")


main()
