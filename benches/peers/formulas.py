"""Milliseconds from dL/dW to the raw parameter's gradient and the next W, over the hidden layers of `cnn6`.

The formulas that optlab uses, written down in PyTorch: what the machine's linear algebra asks for, whatever the language.
"""

import statistics
import time

import torch

# Length d and number n of the neurons of each layer, widths 32, 64 and 128.
LAYERS = [(27, 32), (288, 32), (288, 64), (576, 64), (576, 128), (1152, 128), (2048, 128)]
ROUNDS = 5


def sign_of_diagonal(factors):
    return torch.sign(torch.diag(factors))


def triangle_gradient(factors, tau, signs, product):
    """The backward pass of a QR factorisation, from the gradient's product with W."""
    skew = torch.triu(product - product.T, 1)
    solved = torch.linalg.solve_triangular(factors, signs[:, None] * skew, upper=True)
    return torch.ormqr(factors, tau, solved * signs[None, :], left=False, transpose=True)


def gram_schmidt(raw, neurons, gradient):
    factors, tau = torch.geqrf(raw.T)
    signs = sign_of_diagonal(factors)
    weight = signs[:, None] * torch.ormqr(factors, tau, neurons, transpose=True)
    return triangle_gradient(factors, tau, signs, gradient @ weight.T)


def householder(raw, neurons, gradient):
    factors, tau = torch.geqrf(raw)
    signs = sign_of_diagonal(factors)
    signs[-1] = signs[:-1].prod()
    torch.ormqr(factors, tau, signs[:, None] * neurons)
    turned = signs[:, None] * torch.ormqr(factors, tau, gradient, transpose=True)
    return triangle_gradient(factors, tau, signs, neurons @ turned.T)


def lowdin(raw, neurons, gradient):
    left, values, right = torch.linalg.svd(raw)
    turned = right @ neurons
    left @ turned
    product = (left.T @ gradient) @ turned.T
    return left @ ((product - product.T) / (values[:, None] + values[None, :])) @ right


def seconds(transform, d, n):
    draw = torch.Generator().manual_seed(d)
    raw = torch.randn(d, d, generator=draw)
    neurons, gradient = (torch.randn(n, d, generator=draw).T for _ in range(2))
    momentum = torch.zeros_like(raw)

    def step():
        started = time.perf_counter()
        momentum.mul_(0.9).add_(transform(raw, neurons, gradient))
        raw.add_(momentum, alpha=-1e-9)
        return time.perf_counter() - started

    step()
    return statistics.median(step() for _ in range(ROUNDS))


def main():
    torch.set_num_threads(1)
    for transform in (gram_schmidt, householder, lowdin):
        each = [1000 * seconds(transform, d, n) for d, n in LAYERS]
        print(f"{transform.__name__:14} {sum(each):8.1f} ms   " + " ".join(f"{ms:.1f}" for ms in each))


main()
