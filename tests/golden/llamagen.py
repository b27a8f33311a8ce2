"""LlamaGen's tokenizer, which no package holds: its stacking and quantizer written out from the
published architecture (`tokenizer/tokenizer_image/vq_model.py`), over the layers that it took from
taming-transformers."""

import taming.modules.diffusionmodules.model as taming_model
import torch
from taming.modules.diffusionmodules.model import AttnBlock, Downsample, ResnetBlock, Upsample
from torch import nn
from torch.nn.functional import normalize, silu


def resnet(width_in: int, width_out: int) -> nn.Module:
    return ResnetBlock(in_channels=width_in, out_channels=width_out, temb_channels=0, dropout=0.0)


def level(width_in: int, width: int, blocks: int, attention: bool) -> nn.Module:
    part = nn.Module()
    part.res = nn.ModuleList(resnet(width_in if i == 0 else width, width) for i in range(blocks))
    part.attn = nn.ModuleList(AttnBlock(width) for _ in range(blocks if attention else 0))
    return part


def middle(width: int) -> nn.ModuleList:
    return nn.ModuleList([resnet(width, width), AttnBlock(width), resnet(width, width)])


def run(part: nn.Module, h: torch.Tensor) -> torch.Tensor:
    for i, block in enumerate(part.res):
        h = block(h, None)
        if len(part.attn):
            h = part.attn[i](h)
    return h


def through_middle(mid: nn.ModuleList, h: torch.Tensor) -> torch.Tensor:
    return mid[2](mid[1](mid[0](h, None)), None)


class Encoder(nn.Module):
    def __init__(self, c: dict):
        super().__init__()
        widths = [c["ch"] * m for m in c["ch_mult"]]
        self.conv_in = nn.Conv2d(c["in_channels"], c["ch"], 3, padding=1)
        self.conv_blocks = nn.ModuleList()
        for i, width in enumerate(widths):
            last = i == len(widths) - 1
            part = level(c["ch"] if i == 0 else widths[i - 1], width, c["num_res_blocks"], last)
            if not last:
                part.downsample = Downsample(width, True)
            self.conv_blocks.append(part)
        self.mid = middle(widths[-1])
        self.norm_out = taming_model.Normalize(widths[-1])
        self.conv_out = nn.Conv2d(widths[-1], c["z_channels"], 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.conv_in(x)
        for part in self.conv_blocks:
            h = run(part, h)
            if hasattr(part, "downsample"):
                h = part.downsample(h)
        return self.conv_out(silu(self.norm_out(through_middle(self.mid, h))))


class Decoder(nn.Module):
    """Its levels are stored in the order in which they run, coarsest first."""

    def __init__(self, c: dict):
        super().__init__()
        widths = [c["ch"] * m for m in c["ch_mult"]]
        self.conv_in = nn.Conv2d(c["z_channels"], widths[-1], 3, padding=1)
        self.mid = middle(widths[-1])
        self.conv_blocks = nn.ModuleList()
        width_in = widths[-1]
        for i in reversed(range(len(widths))):
            coarsest = i == len(widths) - 1
            part = level(width_in, widths[i], c["num_res_blocks"] + 1, coarsest)
            width_in = widths[i]
            if i > 0:
                part.upsample = Upsample(width_in, True)
            self.conv_blocks.append(part)
        self.norm_out = taming_model.Normalize(width_in)
        self.conv_out = nn.Conv2d(width_in, c["out_ch"], 3, padding=1)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        h = through_middle(self.mid, self.conv_in(z))
        for part in self.conv_blocks:
            h = run(part, h)
            if hasattr(part, "upsample"):
                h = part.upsample(h)
        return self.conv_out(silu(self.norm_out(h)))


class SphereQuantizer(nn.Module):
    """Latents and entries are compared at unit length, and the entries are given out so."""

    def __init__(self, codes: int, dim: int):
        super().__init__()
        self.embedding = nn.Embedding(codes, dim)

    def codebook(self) -> torch.Tensor:
        return normalize(self.embedding.weight, dim=-1)

    def prepare(self, rows: torch.Tensor) -> torch.Tensor:
        return normalize(rows, dim=-1)

    def forward(self, z: torch.Tensor):
        rows = self.prepare(z.permute(0, 2, 3, 1))
        indices = torch.cdist(rows.flatten(0, 2), self.codebook()).argmin(1)
        indices = indices.reshape(rows.shape[:3])
        return self.codebook()[indices].permute(0, 3, 1, 2), None, (None, None, indices)

    def get_codebook_entry(self, indices: torch.Tensor, shape) -> torch.Tensor:
        return self.codebook()[indices].reshape(shape).permute(0, 3, 1, 2)


class LlamaGen(nn.Module):
    def __init__(self, c: dict):
        super().__init__()
        self.encoder = Encoder(c)
        self.decoder = Decoder(c)
        self.quantize = SphereQuantizer(c["n_embed"], c["embed_dim"])
        self.quant_conv = nn.Conv2d(c["z_channels"], c["embed_dim"], 1)
        self.post_quant_conv = nn.Conv2d(c["embed_dim"], c["z_channels"], 1)

    def latents(self, x: torch.Tensor) -> torch.Tensor:
        return self.quant_conv(self.encoder(x))

    def decode(self, z_q: torch.Tensor) -> torch.Tensor:
        return self.decoder(self.post_quant_conv(z_q))
