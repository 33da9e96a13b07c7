"""Writes golden.json: what each transform makes of small inputs, by another route than the library's.

Needs NumPy and SciPy alone. Forward passes follow the published definitions, row by row and column by column.
Gradients come from them by complex steps (Squire and Trapp, SIAM Review 1998): for a real analytic f,
Im f(x + ih) / h is its derivative to the last digit when h is tiny, so no formula for a gradient is used here.
That needs every step to be analytic: transposes are not conjugated, norms are roots of sums of squares.

    pip install numpy scipy && python3 make.py

Matrices hold neurons as columns, as the paper does: V, G and W are d x n. G is dL/dW of some loss.
"""

import json
from pathlib import Path

import numpy as np
from scipy.linalg import polar

SIZES = [(2, 3), (3, 1), (5, 4), (4, 6), (7, 5)]
BETA = 0.1
LEARNING_RATE = 0.02


def norm(x):
    return np.sqrt(np.sum(x * x))


def determinant_sign(r):
    return np.sign(np.linalg.det(np.real(r)))


def cayley(a):
    s = np.triu(a, 1) - np.triu(a, 1).T
    eye = np.eye(len(a))
    return (eye + s) @ np.linalg.inv(eye - s)


def gram_schmidt(p):
    """Row by row; the last row's sign gives determinant 1, which is the library's departure."""
    rows = []
    for row in p:
        rest = row
        for q in rows:
            rest = rest - q * np.sum(q * row)
        rows.append(rest / norm(rest))
    rows[-1] = rows[-1] * determinant_sign(np.array(rows))
    return np.array(rows)


def householder(p):
    """One reflection for each column but the last."""
    d = len(p)
    r, rest = np.eye(d), p
    for i in range(d - 1):
        normal = np.concatenate([np.zeros(i), rest[i:, i]])
        normal[i] = normal[i] - norm(rest[i:, i])
        reflection = np.eye(d) - 2 * np.outer(normal, normal) / np.sum(normal * normal)
        r, rest = r @ reflection, reflection @ rest
    return r


def householder_rotation(p):
    r = householder(p)
    r[:, -1] = r[:, -1] * determinant_sign(r)
    return r


def lowdin(p):
    """The polar factor by Newton's iteration, which is analytic as singular vectors are not."""
    x = p
    for _ in range(60):
        x = (x + np.linalg.inv(x).T) / 2
    return x


def free(p):
    return p


def loss(r_of, raw, v, g, penalty):
    r = r_of(raw)
    value = np.sum(g * (r @ v))
    if penalty:
        value = value + BETA * norm(r @ r.T - np.eye(len(r)))
    return value


def complex_step(f, x):
    h = 1e-40
    gradient = np.zeros_like(x)
    for index in np.ndindex(*x.shape):
        shifted = x.astype(complex)
        shifted[index] += 1j * h
        gradient[index] = np.imag(f(shifted)) / h
    return gradient


def describe(r_of, raw, v, g, penalty=False):
    r = r_of(raw)
    return {
        "weight": r @ v,
        "raw_gradient": complex_step(lambda x: loss(r_of, x, v, g, penalty), raw),
        "frozen_gradient": complex_step(lambda x: loss(r_of, raw, x, g, penalty), v),
    }


def momentum_step(omega):
    """1e-8 as in the public code."""
    return min(LEARNING_RATE, 1 / (norm(omega) + 1e-8))


def descent(w, gradients, turn):
    """W after each gradient: the momentum is Omega, and `turn` makes the next W of half a step's matrix and W."""
    omega = np.zeros((len(w), len(w)))
    weights = []
    for g in gradients:
        omega = 0.9 * omega - (g @ w.T - w @ g.T) / 2
        w = turn(momentum_step(omega) / 2 * omega, w)
        weights.append(w)
    return weights


def two_passes(half_step, w):
    """The fixed point of the Cayley transform from half an explicit step, as crates/opt departs from the public code."""
    y = w + half_step @ w
    for _ in range(2):
        y = w + half_step @ (w + y)
    return y


def exact_cayley(half_step, w):
    eye = np.eye(len(w))
    return np.linalg.solve(eye - half_step, (eye + half_step) @ w)


def case(d, n, random):
    def draw(*size):
        return np.round(random.standard_normal(size), 3)

    raw, v, g = draw(d, d), draw(d, n), draw(d, n)
    # Large, so that the first steps have the length 1 / ||Omega||, and later ones may be shorter.
    gradients = [draw(d, n) * scale for scale in (20, 5, 1)]
    assert np.allclose(lowdin(raw), polar(raw)[0], atol=1e-13)
    return {
        "d": d,
        "n": n,
        "raw": raw,
        "frozen_weight": v,
        "weight_gradient": g,
        "cayley": describe(cayley, raw, v, g),
        "gram_schmidt": describe(gram_schmidt, raw, v, g),
        "householder": describe(householder, raw, v, g),
        "householder_rotation": describe(householder_rotation, raw, v, g),
        "lowdin": describe(lowdin, raw, v, g),
        "unconstrained": describe(free, raw, v, g),
        "relaxed": describe(free, raw, v, g, penalty=True),
        "descent": {
            "weight_gradients": gradients,
            "omega": descent(v, gradients, two_passes),
            "low_rank": descent(v, gradients, exact_cayley),
        },
    }


def plain(value):
    if isinstance(value, np.ndarray):
        return np.real(value).tolist()
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [plain(entry) for entry in value]
    return value


def line(key, value):
    return f' "{key}": {json.dumps(value, separators=(",", ":"))}'


def main():
    random = np.random.default_rng(20210620)
    cases = [case(d, n, random) for d, n in SIZES]
    lines = ["{\n" + ",\n".join(line(*entry) for entry in plain(c).items()) + "\n}" for c in cases]
    head = f'"beta": {BETA},\n"learning_rate": {LEARNING_RATE},\n'
    path = Path(__file__).with_name("golden.json")
    path.write_text("{\n" + head + '"cases": [\n' + ",\n".join(lines) + "\n]\n}\n")
    print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
