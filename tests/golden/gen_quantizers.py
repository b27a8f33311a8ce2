"""Quantizers: taming's two, and the moving-average codebook of van den Oord 2017."""

import copy

import torch
from taming.modules.vqvae.quantize import GumbelQuantize, VectorQuantizer2

from golden import WIDE, Golden, clear, randn, two_nearest


def rows_of(z: torch.Tensor) -> torch.Tensor:
    return z.permute(0, 2, 3, 1).reshape(-1, z.shape[1])


def look_up(quantizer: torch.nn.Module, indices: torch.Tensor, dim: int) -> torch.Tensor:
    # taming's Gumbel look-up works in single precision only; entries pass through it unchanged.
    narrow = copy.deepcopy(quantizer).float()
    entries = narrow.get_codebook_entry(indices.flatten().long(), (*indices.shape, dim))
    return entries.to(WIDE)


def clear_pair(shape, codes: int):
    """Latents and a codebook between which every choice is clear."""
    while True:
        z, codebook = randn(*shape), randn(codes, shape[1], scale=0.8)
        if clear(two_nearest(rows_of(z), codebook)):
            return z, codebook


def vq() -> Golden:
    beta, codes = 0.25, 24
    z0, codebook = clear_pair((2, 6, 4, 5), codes)
    cotangent = randn(*z0.shape)
    golden = Golden({"beta": beta, "n_embed": codes, "embed_dim": z0.shape[1]})
    golden.put("input", z0)
    golden.put("param.embedding.weight", codebook)
    golden.put("cotangent", cotangent)
    for legacy in (True, False):
        quantizer = VectorQuantizer2(
            codes, z0.shape[1], beta, legacy=legacy, sane_index_shape=True
        ).to(WIDE)
        quantizer.embedding.weight.data.copy_(codebook)
        z = z0.clone().requires_grad_()
        z_q, loss, (_, _, indices) = quantizer(z)
        (loss + (z_q * cotangent).mean()).backward()
        case = "legacy" if legacy else "paper"
        golden.put(f"{case}.loss", loss.reshape(1))
        golden.put(f"{case}.grad.input", z.grad)
        golden.put_grads(quantizer, f"{case}.grad.")
        if legacy:  # The rest is the same for both.
            golden.put("output", z_q)
            golden.put("indices", indices)
            golden.put("nearest", two_nearest(rows_of(z0), codebook))
            share = torch.bincount(indices.flatten(), minlength=codes).to(WIDE) / indices.numel()
            entropy = -torch.special.xlogy(share, share).sum()
            golden.put("perplexity", entropy.exp().reshape(1), exact=True)
    return golden


def gumbel() -> Golden:
    width, codes = 6, 20
    quantizer = GumbelQuantize(width, width, codes).to(WIDE).eval()
    z = randn(2, width, 4, 5).requires_grad_()
    with torch.no_grad():
        while True:
            quantizer.proj.weight.copy_(randn(*quantizer.proj.weight.shape, scale=0.6))
            quantizer.proj.bias.copy_(randn(codes, scale=0.3))
            top = quantizer.proj(z).topk(2, dim=1).values
            if ((top[:, 0] - top[:, 1]) > 5e-3 * top.abs().max()).all():
                break
        quantizer.embed.weight.copy_(randn(codes, width))
    # Even in eval mode taming samples; the deterministic code is the largest logit. The
    # divergence from uniform does not depend on the sample.
    _, divergence, _ = quantizer(z)
    divergence = divergence / quantizer.kl_weight
    divergence.backward()
    indices = quantizer.proj(z).argmax(1)
    z_q = look_up(quantizer, indices, width)
    golden = Golden({"n_embed": codes, "embed_dim": width})
    golden.put_params(quantizer)
    golden.put("input", z)
    golden.put("logits", quantizer.proj(z))
    golden.put("indices", indices)
    golden.put("output", z_q)
    golden.put("divergence", divergence.reshape(1))
    golden.put("grad.input", z.grad)
    golden.put("grad.proj.weight", quantizer.proj.weight.grad)
    golden.put("grad.proj.bias", quantizer.proj.bias.grad)
    return golden


def ema() -> Golden:
    """Two steps of appendix A.1 with sonnet's Laplace smoothing:
    N ← γN + (1−γ)n,  m ← γm + (1−γ)Σz,  e = m / N̂,  N̂ = (N + ε) / (ΣN + Kε) · ΣN."""
    decay, codes, dim, n = 0.99, 12, 5, 40
    epsilon = 0.01  # Large enough to show, unlike the published 1e-5.
    embedding = randn(codes, dim)
    size = torch.rand(codes, dtype=torch.float32).to(WIDE) * 3
    size[3] = 0.0  # A dead code: it divides by the smoothing constant alone.
    total = (embedding * size[:, None]).float().to(WIDE)
    total[3] = randn(dim, scale=epsilon)
    embedding = (total / (size[:, None] + epsilon)).float().to(WIDE)
    golden = Golden({"decay": decay, "epsilon": epsilon, "n_embed": codes, "embed_dim": dim})
    golden.put("embedding.0", embedding)
    golden.put("cluster_size.0", size)
    golden.put("embed_sum.0", total)
    for step in (1, 2):
        while True:
            z = randn(n, dim)
            if clear(two_nearest(z, embedding)):
                break
        indices = torch.cdist(z, embedding).argmin(1)
        chosen = torch.nn.functional.one_hot(indices, codes).to(WIDE)
        size = decay * size + (1 - decay) * chosen.sum(0)
        total = decay * total + (1 - decay) * chosen.T @ z
        smoothed = (size + epsilon) / (size.sum() + codes * epsilon) * size.sum()
        embedding = total / smoothed[:, None]
        golden.put(f"input.{step}", z)
        golden.put(f"indices.{step}", indices)
        golden.put(f"embedding.{step}", embedding)
        golden.put(f"cluster_size.{step}", size)
        golden.put(f"embed_sum.{step}", total)
    return golden


GOLDENS = {"quantize_vq": vq, "quantize_gumbel": gumbel, "quantize_ema": ema}
