"""Checkpoints of VQ-VAE-2, which has two grids of codes."""

import torch

from gen_quantizers import rows_of
from golden import WIDE, Golden, clear, randn, randomise
from vqvae2 import Quantizer, VqVae2

SEARCH = 2000


def place_codebook(quantizer: Quantizer, z: torch.Tensor) -> None:
    """A codebook where the latents are, such that every choice is clear, and the averages that
    would have led there."""
    rows = rows_of(z)
    mean, std = rows.mean(0)[:, None], rows.std(0)[:, None]
    for _ in range(SEARCH):
        quantizer.embed.copy_((mean + std * randn(*quantizer.embed.shape)).float())
        if clear(quantizer.nearest(rows)):
            break
    else:
        raise RuntimeError("no codebook with clear choices was found")
    quantizer.cluster_size.copy_(1 + torch.rand(quantizer.cluster_size.shape))
    quantizer.embed_avg.copy_((quantizer.embed * quantizer.cluster_size).float())


@torch.no_grad()
def vqvae2(*shape: int, **settings) -> Golden:
    config = {"kind": "vqvae2", "in_channels": 3, **settings, "input": [-1.0, 1.0]}
    model = VqVae2(config)
    randomise(model)
    x = (-1 + 2 * torch.rand(*shape)).to(WIDE)
    golden = Golden({"model": config})
    golden.put("square.input", x)
    bottom = model.bottom(x)
    z_q, given = [], []
    for name, quantizer in (("top", model.quantize_t), ("bottom", model.quantize_b)):
        z = model.latents_bottom(bottom, z_q[0]) if z_q else model.latents_top(bottom)
        place_codebook(quantizer, z)
        indices = quantizer.choose(z)
        used = indices.unique().numel()
        assert used * 5 >= config["n_embed"], f"only {used} codes used"
        z_q.append(quantizer.look_up(indices))
        others = torch.randint(0, config["n_embed"], indices.shape)
        given.append(quantizer.look_up(others))
        for key, value in {
            "z": z,
            "nearest": quantizer.nearest(rows_of(z)),
            "indices": indices,
            "z_q": z_q[-1],
            "decode_indices": others,
        }.items():
            golden.put(f"square.{key}_{name}", value)
    golden.put("square.output", model.decode(*z_q))
    golden.put("square.decode_output", model.decode(*given))
    for name, value in model.state_dict().items():
        golden.put(f"param.{name}", value)
    return golden


def tiny() -> Golden:
    return vqvae2(
        *(1, 3, 32, 48),
        hidden=16,
        residual_hidden=6,
        residual_layers=2,
        embed_dim=8,
        n_embed=16,
    )


def deep() -> Golden:
    return vqvae2(
        *(1, 3, 24, 40),
        hidden=12,
        residual_hidden=5,
        residual_layers=3,
        embed_dim=5,
        n_embed=12,
    )


GOLDENS = {"checkpoint_vqvae2": tiny, "checkpoint_vqvae2_deep": deep}
