"""VQ-VAE (van den Oord 2017, DeepMind sonnet `examples/vqvae_example.ipynb`) in PyTorch, under this
project's parameter names."""

from itertools import pairwise

import torch
from torch import nn
from torch.nn.functional import relu


class Residual(nn.Module):
    def __init__(self, hidden: int, inner: int):
        super().__init__()
        self.conv_1 = nn.Conv2d(hidden, inner, 3, padding=1)
        self.conv_2 = nn.Conv2d(inner, hidden, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.conv_2(relu(self.conv_1(relu(x))))


def stack(residual: nn.ModuleList, x: torch.Tensor) -> torch.Tensor:
    for layer in residual:
        x = layer(x)
    return relu(x)


def widths(config: dict) -> list[int]:
    """Picture, hidden/2, then hidden; a single down-sampling goes to hidden at once."""
    hidden, n = config["hidden"], config["downsamplings"]
    inner = [hidden] if n == 1 else [hidden // 2] + [hidden] * (n - 1)
    return [config["in_channels"], *inner]


class Encoder(nn.Module):
    def __init__(self, config: dict):
        super().__init__()
        hidden, w = config["hidden"], widths(config)
        self.down = nn.ModuleList(nn.Conv2d(a, b, 4, stride=2, padding=1) for a, b in pairwise(w))
        self.conv_out = nn.Conv2d(hidden, hidden, 3, padding=1)
        self.residual = nn.ModuleList(
            Residual(hidden, config["residual_hidden"]) for _ in range(config["residual_layers"])
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for conv in self.down:
            x = relu(conv(x))
        return stack(self.residual, self.conv_out(x))


class Decoder(nn.Module):
    def __init__(self, config: dict):
        super().__init__()
        hidden, w = config["hidden"], widths(config)[::-1]
        self.conv_in = nn.Conv2d(config["embed_dim"], hidden, 3, padding=1)
        self.residual = nn.ModuleList(
            Residual(hidden, config["residual_hidden"]) for _ in range(config["residual_layers"])
        )
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(a, b, 4, stride=2, padding=1) for a, b in pairwise(w)
        )

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        h = stack(self.residual, self.conv_in(z))
        for conv in self.up[:-1]:
            h = relu(conv(h))
        return self.up[-1](h)
