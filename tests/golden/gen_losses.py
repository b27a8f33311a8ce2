"""What a VQ-GAN is trained by: taming's discriminator and its losses, LPIPS, and MS-SSIM.

LPIPS has 14.7 million weights, too many to store; `hashed` makes them of their names, in a way that
is easily repeated. All integers are of 32 bits and wrap.

    fnv1a(name):  h = 0x811C9DC5; for each byte of the name: h = (h ^ byte) * 0x01000193
    mix(x):       x ^= x >> 16; x *= 0x85EBCA6B; x ^= x >> 13; x *= 0xC2B2AE35; x ^= x >> 16
    u(name, i) =  mix(fnv1a(name) + i * 0x9E3779B9) / 2³², in double precision, 0 ≤ u < 1

where i counts the values of the tensor in row-major order and the name is the one in the published
files: torchvision's `features.<n>.weight` and `features.<n>.bias`, lpips' `lin<n>.model.1.weight`.
The values are computed in double precision and then rounded to single:

    features.<n>.weight    (u − 0.5) * 2 * sqrt(6 / fan_in), with fan_in = channels in * 3 * 3
    features.<n>.bias      (u − 0.5) * 2 * 0.1
    lin<n>.model.1.weight  u
"""

import math
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace
from unittest import mock

import lpips as lpips_package
import numpy as np
import pytorch_msssim
import taming.modules.losses.lpips as taming_lpips
import torch
from pytorch_msssim.ssim import _ssim
from taming.modules.discriminator.model import NLayerDiscriminator
from taming.modules.losses.vqperceptual import (
    VQLPIPSWithDiscriminator,
    hinge_d_loss,
    vanilla_d_loss,
)
from torch import nn
from torch.nn import functional as F

from golden import WIDE, Golden, randn, randomise

SEARCH = 2000
WEIGHTS = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333]
# Of the gradients a square is stored, and every so many-th value of every so many-th row.
CROP, SPREAD = 16, 11
SSIM = {
    "sigma": 1.5,
    "data_range": 1.0,
    "k1": 0.01,
    "k2": 0.03,
    "weights": WEIGHTS,
    "crop_side": CROP,
    "spread": SPREAD,
}


def scalar(value: torch.Tensor) -> torch.Tensor:
    return value.reshape(1)


@contextmanager
def bends(module: nn.Module):
    """How near the passes through the module came to where its gradient jumps: to the zero of a
    rectifier, or to two largest values in a window, over the root mean square of the layer."""
    found = []

    def rectifier(_, inputs):
        x = inputs[0].detach()
        found.append(float(x.abs().min() / x.square().mean().sqrt()))

    def pool(_, inputs):
        x = inputs[0].detach()
        windows = F.unfold(x.flatten(0, 1)[:, None], 2, stride=2)
        first, second = windows.topk(2, dim=1).values.unbind(1)
        apart = torch.where(first > 0, first - second, math.inf)
        found.append(float(apart.min() / x.square().mean().sqrt()))

    hooks = []
    for part in module.modules():
        if isinstance(part, (nn.ReLU, nn.LeakyReLU)):
            hooks.append(part.register_forward_pre_hook(rectifier))
        elif isinstance(part, nn.MaxPool2d):
            hooks.append(part.register_forward_pre_hook(pool))
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()


def norms_of(module: nn.Module) -> dict[str, nn.BatchNorm2d]:
    return {n: m for n, m in module.named_modules() if isinstance(m, nn.BatchNorm2d)}


@torch.no_grad()
def discriminator(ndf: int, n_layers: int) -> Golden:
    shape = (2, 3, 32, 34)
    model = randomise(NLayerDiscriminator(ndf=ndf, n_layers=n_layers))
    norms = norms_of(model)
    # Small values, whose variance does not hide the ε added to it.
    model.main[2].weight.copy_((0.02 * model.main[2].weight).float())

    # Running statistics of other pictures, exactly.
    model.train()
    for norm in norms.values():
        norm.momentum = 1.0
    model(randn(*shape, mean=-0.4, scale=1.5))
    for norm in norms.values():
        norm.momentum = 0.1
        norm.running_mean.copy_(norm.running_mean.float())
        norm.running_var.copy_(norm.running_var.float())
    before = {name: value.clone() for name, value in model.state_dict().items()}

    with bends(model) as near:
        for _ in range(SEARCH):
            x = randn(*shape, mean=0.2, scale=0.6)
            near.clear()
            model(x)
            model.load_state_dict(before)
            model.eval()
            evaluated = model(x)
            model.train()
            if min(near) > 1e-4:
                break
        else:
            raise RuntimeError("no picture that is clear of the rectifiers was found")

    seen = {}
    for name, norm in norms.items():
        norm.register_forward_pre_hook(lambda _, x, name=name: seen.update({name: x[0].detach()}))
    with torch.enable_grad():
        x.requires_grad_()
        output = model(x)
        cotangent = randn(*output.shape)
        (output * cotangent).mean().backward()

    one = next(iter(norms.values()))
    golden = Golden(
        {
            "layer": "NLayerDiscriminator",
            "input_nc": 3,
            "ndf": ndf,
            "n_layers": n_layers,
            "negative_slope": 0.2,
            "norm_eps": one.eps,
            "momentum": one.momentum,
        }
    )
    golden.put_params(model)
    golden.put("input", x)
    golden.put("cotangent", cotangent)
    golden.put("output", output)
    golden.put("eval.output", evaluated)
    golden.put("grad.input", x.grad)
    golden.put_grads(model)
    for name, norm in norms.items():
        mean, var = f"{name}.running_mean", f"{name}.running_var"
        golden.put(f"param.{mean}", before[mean])
        golden.put(f"param.{var}", before[var])
        golden.put(f"after.{mean}", norm.running_mean)
        golden.put(f"after.{var}", norm.running_var)
        # Torch divides by one sample less; others do not.
        biased = seen[name].var((0, 2, 3), correction=0)
        golden.put(f"biased.{var}", 0.9 * before[var] + 0.1 * biased)
        samples = seen[name][:, 0].numel()
        unbiased = biased * samples / (samples - 1)
        assert torch.allclose(norm.running_var, 0.9 * before[var] + 0.1 * unbiased)
    return golden


def gan_losses() -> Golden:
    while True:
        real, fake = randn(2, 1, 6, 6, scale=1.5, mean=0.5), randn(2, 1, 6, 6, scale=1.5, mean=-0.5)
        # What a softplus by its formula overflows at.
        real[0, 0, 1, 2], real[1, 0, 3, 0] = -100.0, 100.0
        fake[0, 0, 4, 5], fake[1, 0, 0, 3] = 100.0, -100.0
        if min((1 - real).abs().min(), (1 + fake).abs().min()) > 1e-3:
            break
    golden = Golden({})
    golden.put("logits_real", real)
    golden.put("logits_fake", fake)
    losses = {
        "hinge": hinge_d_loss,
        "vanilla": vanilla_d_loss,
        "generator": lambda _, fake: -torch.mean(fake),
    }
    for name, loss in losses.items():
        logits = {"real": real.clone().requires_grad_(), "fake": fake.clone().requires_grad_()}
        value = loss(logits["real"], logits["fake"])
        value.backward()
        golden.put(f"{name}.loss", scalar(value))
        for of, logit in logits.items():
            if logit.grad is not None:
                golden.put(f"{name}.grad.logits_{of}", logit.grad)
    return golden


def adaptive_case(golden: Golden, case: str, features: float, judged: float, weigh) -> float:
    """`features` and `judged` scale the features and the judge's last layer."""
    judge = nn.Sequential(
        nn.Conv2d(3, 4, 4, stride=2, padding=1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(4, 1, 4, stride=1, padding=1),
    )
    with bends(judge) as near:
        for _ in range(SEARCH):
            randomise(judge)
            judge[2].weight.data.copy_((judged * judge[2].weight).float())
            h = randn(1, 4, 8, 8, scale=features)
            weight = randn(3, 4, 3, 3, scale=1 / 6).requires_grad_()
            target = randn(1, 3, 8, 8, scale=features)
            made = F.conv2d(h, weight, padding=1)
            near.clear()
            g = -judge(made).mean()
            clear = (made - target).abs().min() > 1e-3 * features
            if clear and min(near) > 1e-3:
                break
        else:
            raise RuntimeError("no features that are clear of the rectifiers were found")
    nll = (made - target).abs().mean()
    factor = weigh(nll, g, last_layer=weight)
    total = nll + factor * g
    grads = {
        name: torch.autograd.grad(loss, weight, retain_graph=True)[0]
        for name, loss in {"nll": nll, "g": g, "total": total}.items()
    }
    golden.put(f"{case}.input", h)
    golden.put(f"{case}.weight", weight)
    golden.put(f"{case}.target", target)
    for name, value in judge.named_parameters():
        golden.put(f"{case}.disc.{name}", value)
    golden.put(f"{case}.lambda", scalar(factor))
    for name, loss in {"nll": nll, "g": g, "total": total}.items():
        golden.put(f"{case}.{name}", scalar(loss))
        golden.put(f"{case}.{name}_norm", scalar(grads[name].norm()))
        golden.put(f"{case}.grad.{name}", grads[name])
    return float(grads["nll"].norm() / (grads["g"].norm() + 1e-4))


def adaptive_weight() -> Golden:
    settings = SimpleNamespace(discriminator_weight=0.8)
    weigh = partial(VQLPIPSWithDiscriminator.calculate_adaptive_weight, settings)
    golden = Golden(
        {"discriminator_weight": 0.8, "eps": 1e-4, "largest": 1e4, "negative_slope": 0.2}
    )
    # A gradient that the ε of the quotient counts against.
    assert 1.0 < adaptive_case(golden, "normal", 1.0, 0.03, weigh) < 1e3
    assert adaptive_case(golden, "clamped", 16.0, 1e-5, weigh) > 1.5e4
    return golden


def unit_hash(name: str, count: int) -> np.ndarray:
    """The u of that name; see above."""
    start = 0x811C9DC5
    for byte in name.encode():
        start = (start ^ byte) * 0x01000193 % 2**32
    x = (np.arange(count, dtype=np.uint64) * 0x9E3779B9 + start).astype(np.uint32)
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x85EBCA6B)
    x ^= x >> np.uint32(13)
    x *= np.uint32(0xC2B2AE35)
    x ^= x >> np.uint32(16)
    return x.astype(np.float64) / 2**32


def hashed(name: str, shape: torch.Size) -> torch.Tensor:
    """The tensor of that name; see above."""
    u = unit_hash(name, shape.numel())
    if name.startswith("features."):
        bound = math.sqrt(6 / shape[1:].numel()) if name.endswith("weight") else 0.1
        u = (u - 0.5) * 2 * bound
    return torch.from_numpy(u.astype(np.float32)).reshape(shape)


def published(name: str) -> str:
    """What lpips calls `net.slice<m>.<n>.weight` is torchvision's `features.<n>.weight`."""
    if name.startswith("net."):
        _, _, rest = name.split(".", 2)
        return f"features.{rest}"
    return name


def perceptual() -> tuple[nn.Module, nn.Module]:
    """lpips' own module and taming's, with the same weights."""
    vgg16 = taming_lpips.models.vgg16
    with (
        torch.random.fork_rng(),
        mock.patch.object(taming_lpips.models, "vgg16", lambda pretrained: vgg16()),
        mock.patch.object(taming_lpips.LPIPS, "load_from_pretrained"),
    ):
        own = lpips_package.LPIPS(net="vgg", pretrained=False, pnet_rand=True, verbose=False)
        taming = taming_lpips.LPIPS()
    for model in (own, taming):
        model.requires_grad_(False).eval()
        for name, value in model.named_parameters():
            value.copy_(hashed(published(name), value.shape))
        model.to(WIDE)
    return own, taming


def lpips() -> Golden:
    own, taming = perceptual()
    shape = (2, 3, 32, 40)  # A side that is odd at the deepest pooling.
    noise = torch.tensor([0.15, 0.5], dtype=WIDE).reshape(2, 1, 1, 1)
    with bends(own.net) as near:
        for _ in range(SEARCH):
            # In steps of 1/128, which single precision holds.
            a = torch.randint(-128, 129, shape).to(WIDE) / 128
            b = ((a + noise * randn(*shape)).clamp(-1, 1) * 128).round() / 128
            near.clear()
            own.net(own.scaling_layer(a))
            if min(near) > 5e-6:
                break
        else:
            raise RuntimeError("no pictures that are clear of the rectifiers were found")
    a.requires_grad_()
    distance, terms = own(a, b, retPerLayer=True)
    assert torch.allclose(distance, taming(a, b), rtol=1e-12)
    distance.mean().backward()

    golden = Golden(
        {
            "net": "vgg",
            "version": "0.1",
            "shift": [-0.030, -0.088, -0.188],
            "scale": [0.458, 0.448, 0.450],
            "eps": 1e-10,
        }
    )
    golden.put("input", a)
    golden.put("target", b)
    golden.put("output", distance)
    for layer, term in enumerate(terms):
        golden.put(f"term.{layer}", term)
    golden.put("grad.input", a.grad)
    params = {published(name): value for name, value in own.named_parameters()}
    for name in (
        "features.0.weight",
        "features.0.bias",
        "features.14.weight",
        "features.28.weight",
        "lin4.model.1.weight",
    ):
        flat = params[name].flatten()
        golden.put(f"ends.{name}", torch.cat([flat[:3], flat[-3:]]))
    return golden


def pair(*shape: int) -> list[torch.Tensor]:
    """Smooth pictures with an edge in them, and the same with less contrast, darker, and with
    noise of several sizes, so that each scale and each factor of the similarity counts."""
    batch, channels, height, width = shape
    y = torch.arange(height, dtype=WIDE)[:, None] / height
    x = torch.arange(width, dtype=WIDE)[None, :] / width
    a = torch.empty(shape, dtype=WIDE)
    for n in range(batch):
        for c in range(channels):
            wave = torch.sin((9 + 4 * c) * x + n) * torch.cos((7 + 3 * n) * y + c)
            a[n, c] = 110 + 70 * wave + 50 * (x - y)
            a[n, c, height // 3 :, width // 2 :] *= 0.6
    a += 4 * randn(*shape)
    b = 0.8 * a - 10
    for size in (1, 4, 16):
        coarse = randn(batch, channels, -(-height // size), -(-width // size), scale=9)
        fine = coarse.repeat_interleave(size, 2).repeat_interleave(size, 3)
        b += fine[:, :, :height, :width]
    return [picture.round().clamp(0, 255).to(torch.uint8) for picture in (a, b)]


def gaussian(size: int, sigma: float) -> torch.Tensor:
    """pytorch-msssim's window, in double precision."""
    at = torch.arange(size, dtype=WIDE) - size // 2
    window = torch.exp(-at.square() / (2 * sigma**2))
    return window / window.sum()


def similarity(golden: Golden, case: str, shape: tuple[int, ...], window: int, crop) -> None:
    """`crop` is the row and the column where a square of the gradients begins."""
    pictures = pair(*shape)
    a, b = [(picture.float() / 255).to(WIDE) for picture in pictures]
    win = gaussian(window, 1.5).repeat(shape[1], 1, 1, 1)
    settings = {"data_range": 1.0, "win": win}
    golden.config[f"{case}window"] = window
    golden.config[f"{case}crop"] = list(crop)
    golden.put(f"{case}a", pictures[0])
    golden.put(f"{case}b", pictures[1])
    for name, measure in {
        "ssim": pytorch_msssim.ssim,
        "ms_ssim": pytorch_msssim.ms_ssim,
    }.items():
        x = a.clone().requires_grad_()
        value = measure(x, b, **settings)
        (1 - value).backward()
        golden.put(f"{case}{name}", scalar(value))
        golden.put(f"{case}{name}.each", measure(a, b, size_average=False, **settings))
        top, left = crop
        golden.put(f"{case}{name}.grad.crop", x.grad[:, :, top : top + CROP, left : left + CROP])
        golden.put(f"{case}{name}.grad.spread", x.grad[:, :, ::SPREAD, ::SPREAD])

    # By hand as well: contrast and structure at each scale, and the whole at the last.
    levels = []
    x, y = a, b
    for level in range(5):
        ssim, cs = _ssim(x, y, **settings)
        levels.append(ssim if level == 4 else cs)
        padding = [side % 2 for side in x.shape[2:]]
        x, y = [F.avg_pool2d(p, 2, padding=padding) for p in (x, y)]
    levels = torch.stack(levels)
    assert levels.min() > 0.05 and levels.max() < 0.99, levels
    weights = torch.tensor(WEIGHTS, dtype=WIDE).reshape(5, 1, 1)
    assert torch.allclose((levels**weights).prod(0).mean(), value)
    golden.put(f"{case}levels", levels)


def ms_ssim() -> Golden:
    golden = Golden(dict(SSIM))
    similarity(golden, "", (1, 1, 176, 176), 11, crop=(80, 64))
    return golden


def ms_ssim_small() -> Golden:
    """Several pictures and channels, in a window that smaller sides are enough for."""
    golden = Golden(dict(SSIM))
    similarity(golden, "", (2, 3, 80, 96), 5, crop=(64, 80))
    # Odd sides are padded with zeros, which count, before they are halved.
    similarity(golden, "odd.", (1, 1, 67, 70), 5, crop=(51, 54))
    return golden


GOLDENS = {
    "discriminator": partial(discriminator, 8, 2),
    "discriminator_3": partial(discriminator, 4, 3),
    "gan_losses": gan_losses,
    "adaptive_weight": adaptive_weight,
    "lpips": lpips,
    "ms_ssim": ms_ssim,
    "ms_ssim_small": ms_ssim_small,
}
