"""A second reference for VQ-GAN and its KL kin: diffusers' `VQModel` and `AutoencoderKL`, which name
and stack the same layers in their own way."""

import json
import tempfile
from pathlib import Path

import torch
from diffusers import AutoencoderKL, ModelMixin, VQModel
from torch import nn

from golden import WIDE, Golden


@torch.no_grad()
def agree_with_diffusers(model: nn.Module, c: dict, golden: Golden) -> None:
    """The same weights in diffusers' `VQModel` give the same latents and pictures."""
    other = VQModel(**layers(c), num_vq_embeddings=c["n_embed"], vq_embed_dim=c["embed_dim"])
    take_weights(other, model, len(c["ch_mult"]))
    for name in ("square", "wide"):
        if f"{name}.input" in golden.tensors:
            x = golden.tensors[f"{name}.input"].to(WIDE)
            same(other.encode(x).latents, golden, f"{name}.z")
            same(other(x).sample, golden, f"{name}.output")


@torch.no_grad()
def agree_with_diffusers_kl(model: nn.Module, c: dict, golden: Golden) -> None:
    """The same weights in diffusers' `AutoencoderKL` give the same moments and pictures."""
    other = AutoencoderKL(**layers(c))
    # There the latent has as many channels as the decoder takes; latent-diffusion sets both.
    z, embed = c["z_channels"], c["embed_dim"]
    other.quant_conv = nn.Conv2d(2 * z, 2 * embed, 1)
    other.post_quant_conv = nn.Conv2d(embed, z, 1)
    take_weights(other, model, len(c["ch_mult"]))
    x = golden.tensors["square.input"].to(WIDE)
    posterior = other.encode(x).latent_dist
    same(posterior.parameters, golden, "square.moments")
    same(posterior.mode(), golden, "square.z")
    same(other(x).sample, golden, "square.output")
    sampled = golden.tensors["square.sampled"].to(WIDE)
    same(other.decode(sampled).sample, golden, "square.sampled_output")


def same(value: torch.Tensor, golden: Golden, name: str) -> None:
    torch.testing.assert_close(value.float(), golden.tensors[name])


def layers(c: dict) -> dict:
    levels = len(c["ch_mult"])
    attends = [(c["resolution"] >> i) in c["attn_resolutions"] for i in range(levels)]
    return {
        "down_block_types": [
            "AttnDownEncoderBlock2D" if a else "DownEncoderBlock2D" for a in attends
        ],
        "up_block_types": [
            "AttnUpDecoderBlock2D" if a else "UpDecoderBlock2D" for a in attends[::-1]
        ],
        "block_out_channels": [c["ch"] * m for m in c["ch_mult"]],
        "layers_per_block": c["num_res_blocks"],
        "latent_channels": c["z_channels"],
        "norm_num_groups": c["norm_groups"],
        "mid_block_add_attention": c["mid_attention"],
    }


def take_weights(other: nn.Module, model: nn.Module, levels: int) -> None:
    other.to(WIDE).eval()
    target = other.state_dict()
    mapped = {}
    for name, value in model.state_dict().items():
        name = diffusers_name(name, levels)
        mapped[name] = value.reshape(target[name].shape)  # Its 1×1 convolutions are linear.
    other.load_state_dict(mapped)


def saved_config(model: ModelMixin) -> dict:
    """The config.json that `save_pretrained` writes for the class that `model` was made from."""
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        own = json.loads((Path(folder) / "config.json").read_text())
    return own | {"_class_name": type(model).__base__.__name__}


def diffusers_name(name: str, levels: int) -> str:
    parts = name.split(".")
    if parts[0] not in ("encoder", "decoder"):
        return name
    if parts[1] in ("down", "up"):
        level = int(parts[2]) if parts[1] == "down" else levels - 1 - int(parts[2])
        rest = ".".join(parts[3:])
        rest = rest.replace("block.", "resnets.").replace("attn.", "attentions.")
        rest = rest.replace("downsample.", "downsamplers.0.").replace("upsample.", "upsamplers.0.")
        name = f"{parts[0]}.{parts[1]}_blocks.{level}.{rest}"
    for ours, theirs in {
        "mid.block_1": "mid_block.resnets.0",
        "mid.block_2": "mid_block.resnets.1",
        "mid.attn_1": "mid_block.attentions.0",
        "nin_shortcut": "conv_shortcut",
        "norm_out": "conv_norm_out",
    }.items():
        name = name.replace(ours, theirs)
    if ".attentions." in name:
        for ours, theirs in {
            ".norm.": ".group_norm.",
            ".q.": ".to_q.",
            ".k.": ".to_k.",
            ".v.": ".to_v.",
            ".proj_out.": ".to_out.0.",
        }.items():
            name = name.replace(ours, theirs)
    return name
