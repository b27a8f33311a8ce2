"""Checkpoints of diffusers' `VQModel`, with the config.json that it writes beside them."""

import torch
from diffusers import VQModel

from gen_checkpoints import expected, inputs
from gen_models import model_golden
from golden import Golden, store_as
from with_diffusers import saved_config


class Diffusers(VQModel):
    def latents(self, x: torch.Tensor) -> torch.Tensor:
        return self.encode(x).latents

    def decode(self, z_q: torch.Tensor) -> torch.Tensor:
        return super().decode(z_q, force_not_quantize=True).sample


def model_of(**settings) -> Diffusers:
    model = Diffusers(**settings)
    model.quantize.sane_index_shape = True
    return model


def diffusers() -> Golden:
    model = model_of(
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
    config = expected(
        ch_mult=[1, 2, 3],
        z_channels=6,
        embed_dim=4,
        norm_groups=4,
        resolution=64,
        attn_resolutions=[16],
    )
    golden = model_golden(model, config, inputs(1, 3, 24, 32))
    golden.config = {"model": config, "config.json": saved_config(model)}
    return golden


def plain() -> Golden:
    """No attention anywhere and a code as wide as the latent, with the settings of aMUSEd."""
    model = model_of(
        down_block_types=["DownEncoderBlock2D"] * 3,
        up_block_types=["UpDecoderBlock2D"] * 3,
        block_out_channels=[4, 4, 12],
        layers_per_block=2,
        latent_channels=5,
        num_vq_embeddings=16,
        norm_num_groups=2,
        sample_size=32,
        mid_block_add_attention=False,
        force_upcast=True,
    )
    config = expected(
        ch=4,
        ch_mult=[1, 1, 3],
        num_res_blocks=2,
        mid_attention=False,
        z_channels=5,
        embed_dim=5,
        norm_groups=2,
        resolution=32,
    )
    golden = model_golden(model, config, inputs(1, 3, 24, 32))
    # As published. It changes what `decode` takes, so it is set only now.
    model.register_to_config(lookup_from_codebook=True)
    golden.config = {"model": config, "config.json": saved_config(model)}
    return golden


def movq() -> Golden:
    """Kandinsky's MoVQ: the decoder's norms are scaled and shifted by the code at each place. They
    have 32 groups whatever the config says, so the widths are multiples of 32."""
    model = model_of(
        down_block_types=["DownEncoderBlock2D", "AttnDownEncoderBlock2D"],
        up_block_types=["AttnUpDecoderBlock2D", "UpDecoderBlock2D"],
        block_out_channels=[32, 32],
        layers_per_block=1,
        latent_channels=4,
        num_vq_embeddings=16,
        vq_embed_dim=4,
        norm_type="spatial",
        sample_size=32,
    )
    config = expected(
        ch=32,
        ch_mult=[1, 1],
        z_channels=4,
        embed_dim=4,
        resolution=32,
        attn_resolutions=[16],
        decoder_norm="spatial",
    )
    golden = model_golden(model, config, inputs(1, 3, 16, 24), stored=torch.float16)
    store_as(golden, torch.float16)
    golden.config = {"model": config, "config.json": saved_config(model)}
    return golden


GOLDENS = {
    "checkpoint_diffusers": diffusers,
    "checkpoint_diffusers_plain": plain,
    "checkpoint_movq": movq,
}
