"""A second reference for VQ-GAN: diffusers' `VQModel`, which names and stacks the same layers in its
own way."""

import torch
from diffusers import VQModel
from torch import nn

from golden import WIDE, Golden


@torch.no_grad()
def agree_with_diffusers(model: nn.Module, c: dict, golden: Golden) -> None:
    """The same weights in diffusers' `VQModel` give the same latents and pictures."""
    levels = len(c["ch_mult"])
    attends = [(c["resolution"] >> i) in c["attn_resolutions"] for i in range(levels)]
    other = (
        VQModel(
            down_block_types=[
                "AttnDownEncoderBlock2D" if a else "DownEncoderBlock2D" for a in attends
            ],
            up_block_types=[
                "AttnUpDecoderBlock2D" if a else "UpDecoderBlock2D" for a in attends[::-1]
            ],
            block_out_channels=[c["ch"] * m for m in c["ch_mult"]],
            layers_per_block=c["num_res_blocks"],
            latent_channels=c["z_channels"],
            num_vq_embeddings=c["n_embed"],
            norm_num_groups=c["norm_groups"],
            vq_embed_dim=c["embed_dim"],
            mid_block_add_attention=c["mid_attention"],
        )
        .to(WIDE)
        .eval()
    )
    target = other.state_dict()
    mapped = {}
    for name, value in model.state_dict().items():
        name = diffusers_name(name, levels)
        mapped[name] = value.reshape(target[name].shape)  # Its 1×1 convolutions are linear.
    other.load_state_dict(mapped)
    for name in ("square", "wide"):
        if f"{name}.input" in golden.tensors:
            x = golden.tensors[f"{name}.input"].to(WIDE)
            torch.testing.assert_close(other.encode(x).latents.float(), golden.tensors[f"{name}.z"])
            torch.testing.assert_close(other(x).sample.float(), golden.tensors[f"{name}.output"])


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
