"""Checkpoints of KL autoencoders, which have no codebook: the encoder gives a mean and a
log-variance for each value of the latent, and the decoder takes the mean or a sample."""

import taming.modules.diffusionmodules.model as taming_model
import torch
from diffusers import AutoencoderKL
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution
from taming.modules.discriminator.model import NLayerDiscriminator
from torch import nn
from torch.nn.functional import mse_loss

from gen_checkpoints import DDCONFIG, PUBLISHED, inside_latent_diffusion
from golden import WIDE, Golden, norm_groups, randn, randomise
from with_diffusers import agree_with_diffusers_kl, saved_config


class Diffusers(AutoencoderKL):
    def moments(self, x: torch.Tensor) -> torch.Tensor:
        return self.encode(x).latent_dist.parameters

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        return super().decode(z).sample


class LatentDiffusion(nn.Module):
    """The parts of latent-diffusion's `AutoencoderKL` that make pictures, which are taming's with
    twice the channels at the encoder's end."""

    def __init__(self, c: dict):
        super().__init__()
        dd = {k: c[k] for k in (*DDCONFIG, "resolution", "z_channels")}
        with norm_groups(c["norm_groups"], c["norm_eps"]):
            self.encoder = taming_model.Encoder(**dd, double_z=True)
            self.decoder = taming_model.Decoder(**dd)
        self.quant_conv = nn.Conv2d(2 * c["z_channels"], 2 * c["embed_dim"], 1)
        self.post_quant_conv = nn.Conv2d(c["embed_dim"], c["z_channels"], 1)

    def moments(self, x: torch.Tensor) -> torch.Tensor:
        return self.quant_conv(self.encoder(x))

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        return self.decoder(self.post_quant_conv(z))


def expected(**changes) -> dict:
    return {
        "kind": "kl",
        "ch": 4,
        "ch_mult": [1, 2],
        "num_res_blocks": 1,
        "attn_resolutions": [],
        "mid_attention": True,
        "in_channels": 3,
        "out_ch": 3,
        "z_channels": 4,
        "embed_dim": 4,
        "quant_conv": True,
        **PUBLISHED,
    } | changes


def kl_golden(model: nn.Module, config: dict, *shape: int, train: bool = False) -> Golden:
    """One picture of this shape, through the mean and through a sample. Where `train`, with the
    gradients of mean squared error + the mean of z²."""
    golden = Golden(config)
    randomise(model)
    golden.put_params(model)
    low, high = config["input"]
    x = (low + (high - low) * torch.rand(*shape)).to(WIDE)
    posterior = DiagonalGaussianDistribution(model.moments(x))
    z = posterior.mode()
    output = model.decode(z)
    noise = randn(*z.shape)
    sampled = posterior.mean + posterior.std * noise
    for key, value in {
        "input": x,
        "moments": posterior.parameters,
        "z": z,
        "output": output,
        "noise": noise,
        "sampled": sampled,
        "sampled_output": model.decode(sampled),
    }.items():
        golden.put(f"square.{key}", value)
    if train:
        loss = mse_loss(output, x) + z.square().mean()
        loss.backward()
        golden.put("square.loss", loss.reshape(1))
        golden.put_grads(model, "square.grad.")
    return golden


def diffusers() -> Golden:
    """Uneven widths and attention in one level; and log-variances past the largest allowed."""
    model = Diffusers(
        down_block_types=["DownEncoderBlock2D", "AttnDownEncoderBlock2D", "DownEncoderBlock2D"],
        up_block_types=["UpDecoderBlock2D", "AttnUpDecoderBlock2D", "UpDecoderBlock2D"],
        block_out_channels=[4, 12, 8],
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=4,
        sample_size=32,
    )
    config = expected(ch_mult=[1, 3, 2], norm_groups=4, resolution=32, attn_resolutions=[16])
    golden = kl_golden(model, config, 1, 3, 24, 32, train=True)
    mean, noise = randn(1, 4, 2, 3), randn(1, 4, 2, 3)
    posterior = DiagonalGaussianDistribution(
        torch.cat([mean, 21 + 5 * torch.rand(mean.shape).to(WIDE)], dim=1)
    )
    golden.put("clamped.moments", posterior.parameters)
    golden.put("clamped.noise", noise)
    golden.put("clamped.sampled", posterior.mean + posterior.std * noise)
    golden.config = {"model": config, "config.json": saved_config(model)}
    return golden


def no_quant() -> Golden:
    """Neither 1×1 convolution around the latent, no attention, and a scale and shift of the latent
    that only a diffusion model heeds."""
    model = Diffusers(
        down_block_types=["DownEncoderBlock2D"] * 3,
        up_block_types=["UpDecoderBlock2D"] * 3,
        block_out_channels=[4, 8, 8],
        layers_per_block=2,
        latent_channels=5,
        norm_num_groups=2,
        sample_size=64,
        scaling_factor=0.3611,
        shift_factor=0.1159,
        use_quant_conv=False,
        use_post_quant_conv=False,
        mid_block_add_attention=False,
    )
    config = expected(
        ch_mult=[1, 2, 2],
        num_res_blocks=2,
        mid_attention=False,
        z_channels=5,
        embed_dim=5,
        quant_conv=False,
        norm_groups=2,
        resolution=64,
    )
    golden = kl_golden(model, config, 1, 3, 24, 32)
    golden.config = {"model": config, "config.json": saved_config(model)}
    return golden


def latent_diffusion() -> Golden:
    """A first stage inside a larger checkpoint, with a latent narrower than the decoder's input."""
    config = expected(
        ch_mult=[1, 3, 2], norm_groups=2, z_channels=3, embed_dim=2, attn_resolutions=[64]
    )
    model = LatentDiffusion(config)
    golden = kl_golden(model, config, 1, 3, 24, 32)
    agree_with_diffusers_kl(model, config, golden)
    golden.put("param.loss.logvar", torch.tensor(0.5))
    discriminator = NLayerDiscriminator(ndf=2, n_layers=1)
    for name, value in discriminator.state_dict().items():
        golden.tensors[f"param.loss.discriminator.{name}"] = value
    inside_latent_diffusion(golden)
    golden.put("param.scale_factor", torch.tensor(0.18215))
    golden.config = {"model": config, "config.json": {"norm_groups": 2}}
    return golden


GOLDENS = {
    "checkpoint_kl_diffusers": diffusers,
    "checkpoint_kl_no_quant": no_quant,
    "checkpoint_kl_ldm": latent_diffusion,
}
