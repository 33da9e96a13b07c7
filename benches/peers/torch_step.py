"""Times training steps of PyTorch: torch_step.py NETWORK WAY [--device DEVICE] [--fused], then numbers of steps on standard input.

The networks, data and optimizer are those of optlab's benchmark of the same names. WAY is `plain`, or a map of
`torch.nn.utils.parametrizations.orthogonal` that turns frozen neurons in every hidden layer.
"""

import argparse
import sys
import time

import torch
from torch import nn
from torch.nn.functional import conv2d, cross_entropy, linear, pad, relu
from torch.nn.utils.parametrizations import orthogonal

BATCH = 128
SAMPLES = 2560


class Turned(nn.Module):
    """A linear or convolutional layer W = R V with V frozen and R kept orthogonal by one of PyTorch's maps."""

    def __init__(self, layer, way):
        super().__init__()
        d = layer.weight[0].numel()
        self.register_buffer("frozen", layer.weight.detach().flatten(1))
        self.rotation = orthogonal(nn.Linear(d, d, bias=False), orthogonal_map=way)
        self.shape, self.padding, self.bias = layer.weight.shape, getattr(layer, "padding", None), layer.bias

    def forward(self, xs):
        weight = self.frozen @ self.rotation.weight.T
        if self.padding is None:
            return linear(xs, weight, self.bias)
        return conv2d(xs, weight.view(self.shape), self.bias, padding=self.padding)


def hidden(layer, way):
    return layer if way == "plain" else Turned(layer, way)


def mlp(way):
    layers, width = [nn.Flatten()], 784
    for _ in range(2):
        layers += [hidden(nn.Linear(width, 256), way), nn.ReLU()]
        width = 256
    return nn.Sequential(*layers, nn.Linear(width, 10)), (1, 28, 28), 10


def cnn6(way, widths):
    layers, channels = [], 3
    for width in widths:
        for _ in range(2):
            conv = nn.Conv2d(channels, width, 3, padding=1, bias=False)
            layers += [hidden(conv, way), nn.BatchNorm2d(width), nn.ReLU()]
            channels = width
        layers.append(nn.MaxPool2d(2))
    layers += [hidden(nn.Conv2d(channels, widths[-1], 4, bias=False), way), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(widths[-1], 100)), (3, 32, 32), 100


class Block(nn.Module):
    """A residual block with a shortcut of option A."""

    def __init__(self, way, c_in, c_out, stride):
        super().__init__()
        self.stride, self.more = stride, c_out - c_in
        self.branch = nn.Sequential(
            hidden(nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1, bias=False), way),
            nn.BatchNorm2d(c_out),
            nn.ReLU(),
            hidden(nn.Conv2d(c_out, c_out, 3, padding=1, bias=False), way),
            nn.BatchNorm2d(c_out),
        )

    def forward(self, xs):
        short = xs[:, :, :: self.stride, :: self.stride]
        return relu(self.branch(xs) + pad(short, (0, 0, 0, 0, 0, self.more)))


def resnet20(way, width):
    layers = [hidden(nn.Conv2d(3, width, 3, padding=1, bias=False), way), nn.BatchNorm2d(width), nn.ReLU()]
    channels = width
    for stage in range(3):
        for block in range(3):
            c_out = width << stage
            layers.append(Block(way, channels, c_out, 2 if stage and not block else 1))
            channels = c_out
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10)]
    return nn.Sequential(*layers), (3, 32, 32), 10


NETWORKS = {
    "mlp": mlp,
    "cnn6": lambda way: cnn6(way, (32, 64, 128)),
    "cnn6-64": lambda way: cnn6(way, (64, 64, 64)),
    "resnet20": lambda way: resnet20(way, 16),
}


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("network", choices=NETWORKS)
    arguments.add_argument("way")
    arguments.add_argument("--device", default="cpu")
    arguments.add_argument("--fused", action="store_true", help="use the fused optimizer instead of the default")
    given = arguments.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    device = torch.device(given.device)
    model, shape, classes = NETWORKS[given.network](given.way)
    model.to(device)
    pixels = torch.randint(0, 256, (SAMPLES, *shape), dtype=torch.uint8, device=device)
    labels = torch.randint(0, classes, (SAMPLES,), device=device)
    rates = {"lr": 0.01, "momentum": 0.9, "weight_decay": 5e-4}
    # By default, PyTorch steps all tensors by `foreach` on a GPU, and one after another on a CPU.
    optimizer = torch.optim.SGD(model.parameters(), **rates, fused=given.fused or None)
    for line in sys.stdin:
        began = time.perf_counter()
        for _ in range(int(line)):
            chosen = torch.randint(0, SAMPLES, (BATCH,), device=device)
            xs = (pixels[chosen].float() - 127.5) / 128
            optimizer.zero_grad()
            cross_entropy(model(xs), labels[chosen]).backward()
            optimizer.step()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        print(time.perf_counter() - began, flush=True)


main()
