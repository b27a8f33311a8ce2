"""Whole models: taming's VQ-GAN, checked against diffusers on the way, and VQ-VAE."""

import taming.modules.diffusionmodules.model as taming_model
import torch
from taming.modules.vqvae.quantize import GumbelQuantize, VectorQuantizer2
from torch import nn
from torch.nn.functional import mse_loss

import vqvae
from gen_quantizers import look_up, rows_of
from llamagen import SphereQuantizer
from golden import WIDE, Golden, clear, norm_groups, randn, randomise, two_nearest
from with_diffusers import agree_with_diffusers

BETA = 0.25
SEARCH = 2000


class VqGan(nn.Module):
    """The parts of taming's `VQModel` and `GumbelVQ` that make pictures."""

    def __init__(self, c: dict):
        super().__init__()
        dd = {
            k: c[k]
            for k in (
                "ch",
                "out_ch",
                "ch_mult",
                "num_res_blocks",
                "attn_resolutions",
                "in_channels",
                "resolution",
                "z_channels",
            )
        }
        with norm_groups(c["norm_groups"], c["norm_eps"]):
            self.encoder = taming_model.Encoder(**dd, double_z=False)
            self.decoder = taming_model.Decoder(**dd)
        if c["quantizer"] == "gumbel":
            self.quantize = GumbelQuantize(c["z_channels"], c["embed_dim"], c["n_embed"])
        else:
            self.quantize = VectorQuantizer2(
                c["n_embed"], c["embed_dim"], BETA, legacy=False, sane_index_shape=True
            )
        self.quant_conv = nn.Conv2d(c["z_channels"], c["embed_dim"], 1)
        self.post_quant_conv = nn.Conv2d(c["embed_dim"], c["z_channels"], 1)

    def latents(self, x: torch.Tensor) -> torch.Tensor:
        return self.quant_conv(self.encoder(x))

    def decode(self, z_q: torch.Tensor) -> torch.Tensor:
        return self.decoder(self.post_quant_conv(z_q))


class VqVae(nn.Module):
    def __init__(self, c: dict):
        super().__init__()
        self.encoder = vqvae.Encoder(c)
        self.pre_quant = nn.Conv2d(c["hidden"], c["embed_dim"], 1)
        self.quantize = VectorQuantizer2(
            c["n_embed"], c["embed_dim"], BETA, legacy=False, sane_index_shape=True
        )
        self.decoder = vqvae.Decoder(c)

    def latents(self, x: torch.Tensor) -> torch.Tensor:
        return self.pre_quant(self.encoder(x))

    def decode(self, z_q: torch.Tensor) -> torch.Tensor:
        return self.decoder(z_q)


@torch.no_grad()
def place_codebook(
    model: nn.Module, latents: list[torch.Tensor], stored: torch.dtype = torch.float32
) -> None:
    """A codebook where the latents are, such that every choice is clear and many codes are used."""
    rows = torch.cat([rows_of(z) for z in latents])
    mean, std = rows.mean(0), rows.std(0)
    if isinstance(model.quantize, GumbelQuantize):
        proj = model.quantize.proj
        model.quantize.embed.weight.copy_(randn(*model.quantize.embed.weight.shape))
        for _ in range(SEARCH):
            # Scores of centred latents, or one code would win everywhere.
            weight = randn(*proj.weight.shape) / std[:, None, None]
            proj.weight.copy_(weight.float())
            proj.bias.copy_((-(weight[:, :, 0, 0] @ mean)).float())
            top = proj(rows[:, :, None, None])[:, :, 0, 0].topk(2, dim=1).values
            if ((top[:, 0] - top[:, 1]) > 2e-3 * top.abs().max()).all():
                return
    else:
        weight = model.quantize.embedding.weight
        for _ in range(SEARCH):
            weight.copy_((mean + std * randn(*weight.shape)).to(stored))
            if clear(nearest_two(model.quantize, rows)):
                return
    raise RuntimeError("no codebook with clear choices was found")


def nearest_two(quantizer: nn.Module, rows: torch.Tensor) -> torch.Tensor:
    """Squared distances to the two nearest entries, both as the quantizer compares them."""
    if isinstance(quantizer, SphereQuantizer):
        return two_nearest(quantizer.prepare(rows), quantizer.codebook())
    return two_nearest(rows, quantizer.embedding.weight)


def choose(model: nn.Module, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Codes, their entries, and the two nearest squared distances (Gumbel: two largest logits)."""
    if isinstance(model.quantize, GumbelQuantize):
        logits = model.quantize.proj(z)
        indices, nearest = logits.argmax(1), rows_of(logits).topk(2, dim=1).values
    else:
        _, _, (_, _, indices) = model.quantize(z)
        nearest = nearest_two(model.quantize, rows_of(z))
    return indices, look_up(model.quantize, indices, z.shape[1]), nearest


def model_golden(
    model: nn.Module,
    config: dict,
    inputs: dict,
    train: str | None = None,
    stored: torch.dtype = torch.float32,
) -> Golden:
    """`inputs` by prefix; `train` names the one whose loss and gradients are stored: mean squared
    error + codebook term + β · commitment term. The parameters are values that `stored` holds."""
    golden = Golden(config)
    randomise(model)
    for p in model.parameters():
        p.data.copy_(p.data.to(stored))
    low, high = config["input"]
    inputs = {
        name: (low + (high - low) * torch.rand(*shape)).to(WIDE) for name, shape in inputs.items()
    }
    with torch.no_grad():
        place_codebook(model, [model.latents(x) for x in inputs.values()], stored)
    golden.put_params(model)
    for name, x in inputs.items():
        with torch.no_grad():
            z = model.latents(x)
            indices, z_q, nearest = choose(model, z)
            used = indices.unique().numel()
            assert used * 5 >= config["n_embed"], f"only {used} codes used"
            given = torch.randint(0, config["n_embed"], indices.shape)
            for key, value in {
                "input": x,
                "z": z,
                "nearest": nearest,
                "indices": indices,
                "z_q": z_q,
                "output": model.decode(z_q),
                "decode_indices": given,
                "decode_output": model.decode(look_up(model.quantize, given, z.shape[1])),
            }.items():
                golden.put(f"{name}.{key}", value)
        if name == train:
            z_q, terms, _ = model.quantize(model.latents(x))
            loss = mse_loss(model.decode(z_q), x) + terms
            loss.backward()
            golden.put(f"{name}.loss", loss.reshape(1))
            golden.put_grads(model, f"{name}.grad.")
    return golden


def vqgan(inputs: dict, train: str | None = None, **changes) -> Golden:
    config = {
        "kind": "vqgan",
        "ch": 8,
        "ch_mult": [1, 2, 2],
        "num_res_blocks": 1,
        "attn_resolutions": [8],
        "mid_attention": True,
        "resolution": 32,
        "in_channels": 3,
        "out_ch": 3,
        "z_channels": 8,
        "embed_dim": 8,
        "n_embed": 32,
        "norm_groups": 4,
        "norm_eps": 1e-6,
        "quantizer": "vq",
        "input": [-1.0, 1.0],
    } | changes
    model = VqGan(config)
    golden = model_golden(model, config, inputs, train)
    if config["quantizer"] == "vq" and config["ch_mult"][0] == 1:
        agree_with_diffusers(model, config, golden)
    return golden


def gan_tiny() -> Golden:
    # In the wide one no level has the nominal side 8, but attention is still where it was.
    return vqgan({"square": (1, 3, 32, 32), "wide": (2, 3, 24, 40)}, train="wide")


def gan_groups() -> Golden:
    return vqgan(
        {"square": (1, 3, 16, 16)},
        ch=6,
        ch_mult=[1, 3],
        num_res_blocks=2,
        attn_resolutions=[],
        resolution=16,
        z_channels=5,
        embed_dim=4,
        n_embed=16,
        norm_groups=2,
    )


def gan_gumbel() -> Golden:
    return vqgan(
        {"square": (1, 3, 16, 24)},
        ch=4,
        ch_mult=[2, 2],
        attn_resolutions=[16],
        n_embed=24,
        norm_eps=0.01,  # Large enough to show, unlike the published one.
        quantizer="gumbel",
        norm_groups=2,
    )


def vae(inputs: dict, train: str | None = None, **changes) -> Golden:
    config = {
        "kind": "vqvae",
        "in_channels": 3,
        "hidden": 16,
        "residual_hidden": 6,
        "residual_layers": 2,
        "downsamplings": 2,
        "embed_dim": 8,
        "n_embed": 32,
        "input": [-0.5, 0.5],
    } | changes
    return model_golden(VqVae(config), config, inputs, train)


def vae_tiny() -> Golden:
    return vae({"square": (1, 3, 32, 32), "wide": (2, 3, 24, 40)}, train="wide")


def vae_deep() -> Golden:
    return vae(
        {"square": (1, 3, 32, 48)},
        downsamplings=3,
        hidden=8,
        residual_layers=1,
        n_embed=16,
        embed_dim=6,
    )


GOLDENS = {
    "vqgan_tiny": gan_tiny,
    "vqgan_groups": gan_groups,
    "vqgan_gumbel_tiny": gan_gumbel,
    "vqvae_tiny": vae_tiny,
    "vqvae_deep": vae_deep,
}
