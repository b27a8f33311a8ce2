"""MaskGIT's tokenizer as open-muse has it (`muse/modeling_maskgit_vqgan.py`), which no package
holds: written out from the published architecture, over taming-transformers' quantizer."""

from functools import partial

import torch
from taming.modules.vqvae.quantize import VectorQuantizer2
from torch import nn
from torch.nn.functional import avg_pool2d, interpolate, silu


def conv(width_in: int, width: int, side: int, bias: bool = True) -> nn.Conv2d:
    return nn.Conv2d(width_in, width, side, padding=side // 2, bias=bias)


class Block(nn.Module):
    def __init__(self, width_in: int, width: int, norm):
        super().__init__()
        self.norm1 = norm(width_in)
        self.conv1 = conv(width_in, width, 3, bias=False)
        self.norm2 = norm(width)
        self.conv2 = conv(width, width, 3, bias=False)
        if width_in != width:
            self.nin_shortcut = conv(width, width, 1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.conv1(silu(self.norm1(x)))
        h = self.conv2(silu(self.norm2(h)))
        # The published weights were trained so: where the width changes, the input is not added,
        # and the shortcut is taken of the block's own result.
        return h + (self.nin_shortcut(h) if hasattr(self, "nin_shortcut") else x)


def blocks(width_in: int, width: int, c: dict) -> nn.ModuleList:
    norm = partial(nn.GroupNorm, c["norm_groups"], eps=c["norm_eps"])
    starts = [width_in] + [width] * (c["num_res_blocks"] - 1)
    return nn.ModuleList(Block(start, width, norm) for start in starts)


def run(part: nn.ModuleList, h: torch.Tensor) -> torch.Tensor:
    for block in part:
        h = block(h)
    return h


def widths(c: dict) -> list[int]:
    return [c["ch"] * m for m in c["ch_mult"]]


class Encoder(nn.Module):
    def __init__(self, c: dict):
        super().__init__()
        w = widths(c)
        self.conv_in = conv(c["in_channels"], c["ch"], 3, bias=False)
        self.down = nn.ModuleList()
        for width_in, width in zip([c["ch"], *w], w):
            level = nn.Module()
            level.block = blocks(width_in, width, c)
            self.down.append(level)
        self.mid = blocks(w[-1], w[-1], c)
        self.norm_out = nn.GroupNorm(c["norm_groups"], w[-1], eps=c["norm_eps"])
        self.conv_out = conv(w[-1], c["z_channels"], 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.conv_in(x)
        for i, level in enumerate(self.down):
            h = run(level.block, h if i == 0 else avg_pool2d(h, 2))
        return self.conv_out(silu(self.norm_out(run(self.mid, h))))


class Decoder(nn.Module):
    """As many blocks a level as the encoder; the levels are stored finest first."""

    def __init__(self, c: dict):
        super().__init__()
        w = widths(c)
        self.conv_in = conv(c["z_channels"], w[-1], 3)
        self.mid = blocks(w[-1], w[-1], c)
        self.up = nn.ModuleList()
        for i, (width_in, width) in enumerate(zip([*w[1:], w[-1]], w)):
            level = nn.Module()
            level.block = blocks(width_in, width, c)
            if i > 0:
                level.upsample_conv = conv(width, width, 3)
            self.up.append(level)
        self.norm_out = nn.GroupNorm(c["norm_groups"], w[0], eps=c["norm_eps"])
        self.conv_out = conv(w[0], c["out_ch"], 3)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        h = run(self.mid, self.conv_in(z))
        for level in reversed(self.up):
            h = run(level.block, h)
            if hasattr(level, "upsample_conv"):
                h = level.upsample_conv(interpolate(h, scale_factor=2.0, mode="nearest"))
        return self.conv_out(silu(self.norm_out(h)))


class MaskGit(nn.Module):
    """The codebook stands between encoder and decoder without a convolution on either side."""

    def __init__(self, c: dict):
        super().__init__()
        self.encoder = Encoder(c)
        self.decoder = Decoder(c)
        self.quantize = VectorQuantizer2(
            c["n_embed"], c["embed_dim"], 0.25, legacy=False, sane_index_shape=True
        )

    def latents(self, x: torch.Tensor) -> torch.Tensor:
        return self.encoder(x)

    def decode(self, z_q: torch.Tensor) -> torch.Tensor:
        return self.decoder(z_q)
