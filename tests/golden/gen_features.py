"""The networks whose features compare pictures: torchvision's Inception-v3 and MobileNetV2, set as
Keras sets them, with norms that only add a bias.

Their millions of weights are not stored; `gen_losses.hashed` makes them of their published names,
`<layer>.weight` and `<layer>.bias` with Keras's names of layers:

    <layer>.weight    (u − 0.5) * 2 * sqrt(6 / fan_in)
    <layer>.bias      (u − 0.5) * 2 * 0.1
"""

import math
from unittest import mock

import torch
from torch import nn
from torch.nn import functional as F
from torchvision.models import inception_v3, mobilenet_v2
from torchvision.models.inception import BasicConv2d

from gen_losses import unit_hash
from golden import WIDE, Golden, randn

EPSILON = 1e-6


def hashed(name: str, shape: torch.Size) -> torch.Tensor:
    bound = math.sqrt(6 / shape[1:].numel()) if name.endswith("weight") else 0.1
    values = (unit_hash(name, shape.numel()) - 0.5) * 2 * bound
    return torch.from_numpy(values.astype("float32")).reshape(shape).to(WIDE)


@torch.no_grad()
def fill(name: str, conv: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
    conv.weight.copy_(hashed(f"{name}.weight", conv.weight.shape))
    norm.weight.fill_(1)
    norm.bias.copy_(hashed(f"{name}.bias", norm.bias.shape))
    norm.running_mean.zero_()
    norm.running_var.fill_(1 - norm.eps)


def unit(x: torch.Tensor) -> torch.Tensor:
    return x / (x.square().sum(1, keepdim=True) + EPSILON).sqrt()


def distance(a: list[torch.Tensor], b: list[torch.Tensor]) -> torch.Tensor:
    layers = [(p - q).square().sum(1).mean((1, 2)) for p, q in zip(a, b, strict=True)]
    return torch.stack(layers).mean(0)


def measured(network, config: dict, shape: tuple[int, ...]) -> Golden:
    golden = Golden(config | {"eps": EPSILON})
    a = (torch.randint(0, 257, shape) / 256).to(WIDE)
    b = ((a + 0.1 * randn(*shape)).clamp(0, 1) * 256).round() / 256
    a.requires_grad_()
    features = [unit(f) for f in network(a)]
    found = distance(features, [unit(f) for f in network(b)])
    found.mean().backward()
    golden.put("input", a)
    golden.put("target", b)
    golden.put("distance", found)
    for layer, feature in enumerate(features):
        # Every so many-th channel: enough to tell a wrong layer.
        golden.put(f"layer.{layer}", feature[:, :: max(1, feature.shape[1] // 8)])
    golden.put("grad.input", a.grad)
    return golden


def inception() -> Golden:
    with torch.random.fork_rng():
        model = inception_v3(weights=None, aux_logits=False, init_weights=False).to(WIDE).eval()
    # Keras's order within the blocks of each kind.
    plain = [
        "Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "Conv2d_3b_1x1", "Conv2d_4a_3x3",
    ]  # fmt: skip
    a = [
        "branch1x1", "branch5x5_1", "branch5x5_2",
        "branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3", "branch_pool",
    ]  # fmt: skip
    b = ["branch3x3", "branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"]
    c = [
        "branch1x1", "branch7x7_1", "branch7x7_2", "branch7x7_3",
        "branch7x7dbl_1", "branch7x7dbl_2", "branch7x7dbl_3", "branch7x7dbl_4", "branch7x7dbl_5",
        "branch_pool",
    ]  # fmt: skip
    names = plain + [f"Mixed_5{block}.{part}" for block in "bcd" for part in a]
    names += [f"Mixed_6a.{part}" for part in b] + [f"Mixed_6b.{part}" for part in c]
    for index, name in enumerate(names):
        layer = model.get_submodule(name)
        assert isinstance(layer, BasicConv2d), name
        fill(f"conv2d_{index + 1}", layer.conv, layer.bn)

    def features(x: torch.Tensor) -> list[torch.Tensor]:
        def average(x, kernel_size, stride, padding):
            return F_avg_pool2d(x, kernel_size, stride, padding, count_include_pad=False)

        # Keras leaves padding out of the mean.
        F_avg_pool2d = F.avg_pool2d
        with mock.patch.object(F, "avg_pool2d", average):
            x = model.Conv2d_2a_3x3(model.Conv2d_1a_3x3(x))
            third = model.Conv2d_2b_3x3(x)
            fifth = model.Conv2d_4a_3x3(model.Conv2d_3b_1x1(model.maxpool1(third)))
            mixed_0 = model.Mixed_5b(model.maxpool2(fifth))
            mixed_2 = model.Mixed_5d(model.Mixed_5c(mixed_0))
            mixed_4 = model.Mixed_6b(model.Mixed_6a(mixed_2))
        return [third, fifth, mixed_0, mixed_2, mixed_4]

    return measured(features, {"network": "inception_v3"}, (2, 3, 47, 52))


def mobilenet() -> Golden:
    with torch.random.fork_rng():
        model = mobilenet_v2(weights=None).to(WIDE).eval()
    layers = list(model.features)[:15]
    for module in model.modules():
        # Keras pads the bottom and the right only.
        if isinstance(module, nn.Conv2d) and module.stride == (2, 2):
            module.padding = (0, 0)
            module.register_forward_pre_hook(lambda _, args: (F.pad(args[0], (0, 1, 0, 1)),))
    fill("Conv1", layers[0][0], layers[0][1])
    first = layers[1].conv
    fill("expanded_conv_depthwise", first[0][0], first[0][1])
    fill("expanded_conv_project", first[1], first[2])
    for index, layer in enumerate(layers[2:], 1):
        expand, depthwise, project, norm = layer.conv
        fill(f"block_{index}_expand", expand[0], expand[1])
        fill(f"block_{index}_depthwise", depthwise[0], depthwise[1])
        fill(f"block_{index}_project", project, norm)

    def features(x: torch.Tensor) -> list[torch.Tensor]:
        found = [x := layers[0](x)]
        x = layers[1](x)
        for index, layer in enumerate(layers[2:], 1):
            if index in (1, 3, 6, 13):
                found.append(layer.conv[0](x))
            x = layer(x)
        return found

    return measured(features, {"network": "mobilenet_v2"}, (2, 3, 32, 36))


GOLDENS = {"features_inception": inception, "features_mobilenet": mobilenet}
