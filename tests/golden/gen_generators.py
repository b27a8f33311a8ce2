"""The U-Net of a diffusion model: diffusers' `UNet2DModel`, under this project's names."""

import torch
from diffusers import UNet2DModel

from golden import WIDE, Golden, randn, randomise

CLASSES = 3
# diffusers' attention by linear layers, and this project's by 1×1 convolutions.
ATTENTION = {
    "mid_block.attentions.0.group_norm.": "mid_block.attention.norm.",
    "mid_block.attentions.0.to_q.": "mid_block.attention.q.",
    "mid_block.attentions.0.to_k.": "mid_block.attention.k.",
    "mid_block.attentions.0.to_v.": "mid_block.attention.v.",
    "mid_block.attentions.0.to_out.0.": "mid_block.attention.proj_out.",
}


def ours(name: str) -> str:
    for theirs, here in ATTENTION.items():
        name = name.replace(theirs, here)
    return f"unet.{name}"


# Largest error of a gradient in single precision. More would say nothing of the tested code: a bias
# before a normalisation hardly counts, so its gradient may be what is left of much larger ones.
CONDITION = 5e-6


def conditioned(model: UNet2DModel, loss) -> bool:
    """Whether single precision is enough for all gradients of `loss(model, dtype)`."""

    def grads(dtype: torch.dtype) -> list[torch.Tensor]:
        model.to(dtype).zero_grad()
        loss(model, dtype).backward()
        return [p.grad.to(WIDE, copy=True) for p in model.parameters()]

    single, double = grads(torch.float32), grads(WIDE)
    largest = max(grad.abs().max() for grad in double)
    return all(
        (a - b).abs().max() < CONDITION * b.abs().max() or b.abs().max() < 1e-9 * largest
        for a, b in zip(single, double)
    )


def unet(attention: bool) -> Golden:
    # One row more of the classes' table stands for no class.
    model = UNet2DModel(
        sample_size=8,
        in_channels=2,
        out_channels=2,
        down_block_types=["DownBlock2D"] * 2,
        up_block_types=["UpBlock2D"] * 2,
        block_out_channels=[4, 8],
        layers_per_block=2,
        attention_head_dim=8,
        norm_num_groups=2,
        add_attention=attention,
        num_class_embeds=CLASSES + 1,
    )
    model = randomise(model)
    config = {
        "kind": "diffusion",
        "channels": 2,
        "classes": CLASSES,
        "width": 4,
        "multipliers": [1, 2],
        "blocks": 2,
        "attention": attention,
        "groups": 2,
        "side": 8,
    }
    golden = Golden(config)
    x = randn(2, 2, 8, 8).requires_grad_()
    times = torch.tensor([0.25, 0.75], dtype=WIDE)
    classes = torch.tensor([1, CLASSES])
    cotangent = randn(2, 2, 8, 8)

    def loss(model: UNet2DModel, dtype: torch.dtype) -> torch.Tensor:
        given, steps = x.detach().to(dtype), 1000 * times.to(dtype)
        made = model(given, steps, class_labels=classes).sample
        return (made * cotangent.to(dtype)).mean()

    assert conditioned(model, loss)
    model.zero_grad()
    output = model(x, 1000 * times, class_labels=classes).sample
    (output * cotangent).mean().backward()
    for name, value in {
        "input": x,
        "times": times,
        "classes": classes,
        "cotangent": cotangent,
        "output": output,
        "grad.input": x.grad,
    }.items():
        golden.put(name, value)

    def shaped(name: str, value: torch.Tensor) -> torch.Tensor:
        convolution = ".mid_block.attention." in name and value.dim() == 2
        return value[:, :, None, None] if convolution else value

    largest = max(p.grad.abs().max() for p in model.parameters())
    for theirs, value in model.named_parameters():
        name, grad = ours(theirs), value.grad
        # The bias of attention's keys shifts all scores of a query alike.
        if grad.abs().max() < 1e-12 * largest:
            grad = torch.zeros_like(grad)
        golden.put(f"param.{name}", shaped(name, value))
        golden.put(f"grad.{name}", shaped(name, grad))
    return golden


GOLDENS = {
    "unet": lambda: unet(attention=False),
    "unet_attention": lambda: unet(attention=True),
}
