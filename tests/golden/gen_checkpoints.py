"""Checkpoints as people have them: each family's own classes, names and, where it has one, config.

The header's `config` holds the config that this project has to arrive at under `model`, and the
family's own, to be given beside the weights, under `config.json`."""

import sys

import pytorch_lightning.utilities.rank_zero
import torch
from taming.modules.discriminator.model import NLayerDiscriminator
from torch import nn

from gen_models import model_golden
from golden import Golden, norm_groups, randn, store_as
from llamagen import LlamaGen
from maskgit import MaskGit
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
    store_as(golden, torch.float16)
    discriminator = NLayerDiscriminator(ndf=2, n_layers=1)
    for name, value in discriminator.state_dict().items():
        golden.tensors[f"param.loss.discriminator.{name}"] = value
    golden.config = {"model": config}
    return golden


def inside_latent_diffusion(golden: Golden) -> None:
    """Makes the parameters those of a first stage, with a few of what else such a file holds."""
    golden.tensors = {
        name.replace("param.", "param.first_stage_model."): value
        for name, value in golden.tensors.items()
    }
    golden.put("param.betas", randn(4))
    golden.put("param.model_ema.decay", randn(1))
    golden.put("param.model.diffusion_model.out.2.weight", randn(3, 4, 3, 3))
    golden.put("param.cond_stage_model.embedding.weight", randn(4, 6))


def latent_diffusion() -> Golden:
    """A first stage without attention inside a larger checkpoint."""
    config = expected(ch=4, norm_groups=2, mid_attention=False, z_channels=3, embed_dim=3)
    model = taming_model(config)
    model.encoder.mid.attn_1 = nn.Identity()
    model.decoder.mid.attn_1 = nn.Identity()
    golden = model_golden(model, config, inputs(1, 3, 16, 24))
    agree_with_diffusers(model, config, golden)
    inside_latent_diffusion(golden)
    golden.put("param.first_stage_model.loss.discriminator.main.0.bias", randn(2))
    golden.config = {"model": config, "config.json": {"norm_groups": 2}}
    return golden


def gumbel() -> Golden:
    hints = {"norm_groups": 2, "norm_eps": 0.01}
    config = expected(ch=4, n_embed=24, quantizer="gumbel", **hints)
    golden = model_golden(taming_model(config), config, inputs(1, 3, 16, 24))
    golden.config = {"model": config, "config.json": hints}
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


def maskgit(config_json: dict, **changes) -> Golden:
    config = expected(layers="maskgit", mid_attention=False, input=[0.0, 1.0], **changes)
    config["embed_dim"] = config["z_channels"]
    golden = model_golden(MaskGit(config), config, inputs(1, 3, 24, 32))
    golden.config = {"model": config, "config.json": config_json}
    return golden


def maskgit_tiny() -> Golden:
    """With the fields of open-muse's own config, which has no group count."""
    own = {
        "_class_name": "MaskGitVQGAN",
        "_version": "0.0.1",
        "attn_resolutions": [16],
        "channel_mult": [1, 2],
        "commitment_cost": 0.25,
        "dropout": 0.0,
        "hidden_channels": 8,
        "num_channels": 3,
        "num_embeddings": 16,
        "num_res_blocks": 1,
        "quantized_embed_dim": 6,
        "resample_with_conv": True,
        "resolution": 64,
        "z_channels": 6,
    }
    return maskgit(own | {"norm_groups": 4}, z_channels=6, norm_groups=4, resolution=64)


def maskgit_deep() -> Golden:
    return maskgit(
        {"norm_groups": 2},
        ch=4,
        ch_mult=[1, 1, 2],
        num_res_blocks=2,
        z_channels=5,
        norm_groups=2,
    )


GOLDENS = {
    "checkpoint_taming": taming,
    "checkpoint_latent_diffusion": latent_diffusion,
    "checkpoint_gumbel": gumbel,
    "checkpoint_llamagen": llamagen,
    "checkpoint_maskgit": maskgit_tiny,
    "checkpoint_maskgit_deep": maskgit_deep,
}
