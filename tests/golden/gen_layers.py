"""Layers of taming-transformers, each with the gradients of mean(output · cotangent)."""

from functools import partial

import taming.modules.diffusionmodules.model as taming_model
import torch
from torch import nn

from golden import Golden, norm_groups, randn, randomise


def layer(build, shape, groups=4, spread=1.0, call=lambda module, x: module(x)) -> Golden:
    if groups == 32:  # taming as it is
        module = randomise(build())
    else:
        with norm_groups(groups):
            module = randomise(build())
    golden = Golden({"layer": type(module).__name__, "norm_groups": groups, "norm_eps": 1e-6})
    # The mean is off zero, which a normalisation over the wrong axes would not survive.
    x = randn(*shape, mean=0.3 * spread, scale=spread).requires_grad_()
    output = call(module, x)
    cotangent = randn(*output.shape)
    (output * cotangent).mean().backward()
    golden.put_params(module)
    golden.put("input", x)
    golden.put("output", output)
    golden.put("cotangent", cotangent)
    golden.put("grad.input", x.grad)
    golden.put_grads(module)
    return golden


class NormSwish(nn.Module):
    """taming's normalisation and its `nonlinearity`."""

    def __init__(self, channels: int):
        super().__init__()
        self.norm = taming_model.Normalize(channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return taming_model.nonlinearity(self.norm(x))


def resnet(start: int, end: int) -> nn.Module:
    return taming_model.ResnetBlock(
        in_channels=start, out_channels=end, temb_channels=0, dropout=0.0
    )


def without_time(module: nn.Module, x: torch.Tensor) -> torch.Tensor:
    return module(x, None)


GOLDENS = {
    # Small values, whose variance does not hide the ε added to it.
    "norm_swish": partial(layer, partial(NormSwish, 8), (2, 8, 5, 7), spread=0.01),
    "resnet_same": partial(layer, partial(resnet, 8, 8), (2, 8, 6, 5), call=without_time),
    "resnet_shortcut": partial(layer, partial(resnet, 8, 12), (2, 8, 6, 5), call=without_time),
    "resnet_32_groups": partial(
        layer, partial(resnet, 32, 32), (1, 32, 5, 4), groups=32, call=without_time
    ),
    "attn": partial(layer, partial(taming_model.AttnBlock, 8), (2, 8, 4, 7)),
    "downsample": partial(layer, partial(taming_model.Downsample, 6, True), (2, 6, 8, 10)),
    "upsample": partial(layer, partial(taming_model.Upsample, 6, True), (2, 6, 4, 5)),
}
