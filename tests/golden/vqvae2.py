"""VQ-VAE-2 (Razavi 2019) as rosinality/vq-vae-2-pytorch builds and names it (`vqvae.py`), which no
package holds: written out from the published architecture."""

import torch
from torch import nn

from golden import two_nearest


class Residual(nn.Module):
    def __init__(self, hidden: int, inner: int):
        super().__init__()
        self.conv = nn.Sequential(
            nn.ReLU(),
            nn.Conv2d(hidden, inner, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(inner, hidden, 1),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.conv(x)


def residuals(c: dict) -> list[nn.Module]:
    return [Residual(c["hidden"], c["residual_hidden"]) for _ in range(c["residual_layers"])]


class Part(nn.Module):
    """A chain whose layers are numbered by their place, ReLUs counted."""

    def __init__(self, *layers: nn.Module):
        super().__init__()
        self.blocks = nn.Sequential(*layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.blocks(x)


def halve(start: int, end: int) -> nn.Module:
    return nn.Conv2d(start, end, 4, stride=2, padding=1)


def double(start: int, end: int) -> nn.Module:
    return nn.ConvTranspose2d(start, end, 4, stride=2, padding=1)


def same(start: int, end: int) -> nn.Module:
    return nn.Conv2d(start, end, 3, padding=1)


class Quantizer(nn.Module):
    """Entries are columns. All of it is buffers, which training moves by averages."""

    def __init__(self, dim: int, codes: int):
        super().__init__()
        self.register_buffer("embed", torch.zeros(dim, codes))
        self.register_buffer("cluster_size", torch.zeros(codes))
        self.register_buffer("embed_avg", torch.zeros(dim, codes))

    def nearest(self, rows: torch.Tensor) -> torch.Tensor:
        return two_nearest(rows, self.embed.T)

    def choose(self, z: torch.Tensor) -> torch.Tensor:
        rows = z.permute(0, 2, 3, 1)
        return torch.cdist(rows.flatten(0, 2), self.embed.T).argmin(1).reshape(rows.shape[:3])

    def look_up(self, indices: torch.Tensor) -> torch.Tensor:
        return self.embed.T[indices].permute(0, 3, 1, 2)


class VqVae2(nn.Module):
    def __init__(self, c: dict):
        super().__init__()
        hidden, dim, half = c["hidden"], c["embed_dim"], c["hidden"] // 2
        relu = nn.ReLU
        self.enc_b = Part(
            halve(c["in_channels"], half),
            relu(),
            halve(half, hidden),
            relu(),
            same(hidden, hidden),
            *residuals(c),
            relu(),
        )
        self.enc_t = Part(halve(hidden, half), relu(), same(half, hidden), *residuals(c), relu())
        self.quantize_conv_t = nn.Conv2d(hidden, dim, 1)
        self.quantize_t = Quantizer(dim, c["n_embed"])
        self.dec_t = Part(same(dim, hidden), *residuals(c), relu(), double(hidden, dim))
        self.quantize_conv_b = nn.Conv2d(dim + hidden, dim, 1)
        self.quantize_b = Quantizer(dim, c["n_embed"])
        self.upsample_t = double(dim, dim)
        self.dec = Part(
            same(2 * dim, hidden),
            *residuals(c),
            relu(),
            double(hidden, half),
            relu(),
            double(half, c["in_channels"]),
        )

    def bottom(self, x: torch.Tensor) -> torch.Tensor:
        """What both latents are made from, at a quarter of the picture's side."""
        return self.enc_b(x)

    def latents_top(self, bottom: torch.Tensor) -> torch.Tensor:
        return self.quantize_conv_t(self.enc_t(bottom))

    def latents_bottom(self, bottom: torch.Tensor, z_q_top: torch.Tensor) -> torch.Tensor:
        """The bottom codes are chosen knowing the top ones."""
        return self.quantize_conv_b(torch.cat([self.dec_t(z_q_top), bottom], dim=1))

    def decode(self, z_q_top: torch.Tensor, z_q_bottom: torch.Tensor) -> torch.Tensor:
        return self.dec(torch.cat([self.upsample_t(z_q_top), z_q_bottom], dim=1))
