"""Checkpoints as people have them: each family's own classes, names and, where it has one, config.

The header's `config` holds the config that this project has to arrive at under `model`, and the
family's own, to be given beside the weights, under `config.json`."""

import json
import sys
import tempfile
from pathlib import Path

import pytorch_lightning.utilities.rank_zero
import torch
from diffusers import VQModel
from taming.modules.discriminator.model import NLayerDiscriminator
from torch import nn

from gen_models import model_golden
from golden import Golden, norm_groups, randn
from llamagen import LlamaGen
from with_diffusers import agree_with_diffusers

# taming-transformers looks for this where Lightning had it before version 2.
sys.modules["pytorch_lightning.utilities.distributed"] = pytorch_lightning.utilities.rank_zero
import taming.models.vqgan as taming_vqgan  # noqa: E402

# What no shape tells, as the published models have it.
PUBLISHED = {"resolution": 256, "norm_groups": 32, "norm_eps": 1e-6, "input": [-1.0, 1.0]}
NOTHING = {"target": "torch.nn.Identity"}
DDCONFIG = ("ch", "out_ch", "ch_mult", "num_res_blocks", "attn_resolutions", "in_channels")


class Vq(taming_vqgan.VQModel):
    def latents(self, x: torch.Tensor) -> torch.Tensor:
        return self.quant_conv(self.encoder(x))


class Gumbel(taming_vqgan.GumbelVQ):
    def latents(self, x: torch.Tensor) -> torch.Tensor:
        return self.quant_conv(self.encoder(x))


class Diffusers(VQModel):
    def latents(self, x: torch.Tensor) -> torch.Tensor:
        return self.encode(x).latents

    def decode(self, z_q: torch.Tensor) -> torch.Tensor:
        return super().decode(z_q, force_not_quantize=True).sample


def expected(**changes) -> dict:
    return {
        "kind": "vqgan",
        "ch": 8,
        "ch_mult": [1, 2],
        "num_res_blocks": 1,
        "attn_resolutions": [],
        "mid_attention": True,
        "in_channels": 3,
        "out_ch": 3,
        "z_channels": 8,
        "embed_dim": 8,
        "n_embed": 16,
        "quantizer": "vq",
        **PUBLISHED,
    } | changes


def taming_model(c: dict) -> nn.Module:
    ddconfig = {k: c[k] for k in (*DDCONFIG, "resolution", "z_channels")} | {"double_z": False}
    args = {"lossconfig": NOTHING, "n_embed": c["n_embed"], "embed_dim": c["embed_dim"]}
    with norm_groups(c["norm_groups"], c["norm_eps"]):
        if c["quantizer"] == "gumbel":
            return Gumbel(ddconfig, temperature_scheduler_config=NOTHING, **args)
        return Vq(ddconfig, sane_index_shape=True, **args)


def inputs(*shape: int) -> dict:
    return {"square": shape}


def taming() -> Golden:
    """Groups as published, in half precision, with what training leaves beside the autoencoder."""
    config = expected(ch=32, ch_mult=[1, 1, 1], z_channels=6, embed_dim=5)
    model = taming_model(config)
    golden = model_golden(model, config, inputs(1, 3, 24, 32), stored=torch.float16)
    agree_with_diffusers(model, config, golden)
    for name in [name for name in golden.tensors if name.startswith("param.")]:
        narrow = golden.tensors[name].half()
        assert torch.equal(narrow.float(), golden.tensors[name]), name
        golden.tensors[name] = narrow
    discriminator = NLayerDiscriminator(ndf=2, n_layers=1)
    for name, value in discriminator.state_dict().items():
        golden.tensors[f"param.loss.discriminator.{name}"] = value
    golden.config = {"model": config}
    return golden


def latent_diffusion() -> Golden:
    """A first stage without attention inside a larger checkpoint."""
    config = expected(ch=4, norm_groups=2, mid_attention=False, z_channels=3, embed_dim=3)
    model = taming_model(config)
    model.encoder.mid.attn_1 = nn.Identity()
    model.decoder.mid.attn_1 = nn.Identity()
    golden = model_golden(model, config, inputs(1, 3, 16, 24))
    agree_with_diffusers(model, config, golden)
    golden.tensors = {
        name.replace("param.", "param.first_stage_model."): value
        for name, value in golden.tensors.items()
    }
    golden.put("param.betas", randn(4))
    golden.put("param.model_ema.decay", randn(1))
    golden.put("param.model.diffusion_model.out.2.weight", randn(3, 4, 3, 3))
    golden.put("param.cond_stage_model.embedding.weight", randn(4, 6))
    golden.put("param.first_stage_model.loss.discriminator.main.0.bias", randn(2))
    golden.config = {"model": config, "config.json": {"norm_groups": 2}}
    return golden


def gumbel() -> Golden:
    hints = {"norm_groups": 2, "norm_eps": 0.01}
    config = expected(ch=4, n_embed=24, quantizer="gumbel", **hints)
    golden = model_golden(taming_model(config), config, inputs(1, 3, 16, 24))
    golden.config = {"model": config, "config.json": hints}
    return golden


def diffusers() -> Golden:
    model = Diffusers(
        down_block_types=["DownEncoderBlock2D"] * 2 + ["AttnDownEncoderBlock2D"],
        up_block_types=["AttnUpDecoderBlock2D"] + ["UpDecoderBlock2D"] * 2,
        block_out_channels=[8, 16, 24],
        layers_per_block=1,
        latent_channels=6,
        num_vq_embeddings=16,
        norm_num_groups=4,
        vq_embed_dim=4,
        sample_size=64,
    )
    model.quantize.sane_index_shape = True
    config = expected(
        ch_mult=[1, 2, 3],
        z_channels=6,
        embed_dim=4,
        norm_groups=4,
        resolution=64,
        attn_resolutions=[16],
    )
    golden = model_golden(model, config, inputs(1, 3, 24, 32))
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        own = json.loads((Path(folder) / "config.json").read_text())
    golden.config = {"model": config, "config.json": own | {"_class_name": "VQModel"}}
    return golden


def llamagen() -> Golden:
    """Attention at the coarsest level, a codebook on the unit sphere, and a buffer of its training."""
    hints = {"norm_groups": 2}
    config = expected(
        ch=4, ch_mult=[1, 2, 2], embed_dim=4, quantizer="cosine", attn_resolutions=[64], **hints
    )
    with norm_groups(config["norm_groups"], config["norm_eps"]):
        model = LlamaGen(config)
    golden = model_golden(model, config, inputs(1, 3, 24, 32))
    golden.put("param.quantize.codebook_used", torch.zeros(64))
    golden.config = {"model": config, "config.json": hints}
    return golden


GOLDENS = {
    "checkpoint_taming": taming,
    "checkpoint_latent_diffusion": latent_diffusion,
    "checkpoint_gumbel": gumbel,
    "checkpoint_diffusers": diffusers,
    "checkpoint_llamagen": llamagen,
}
