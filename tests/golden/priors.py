"""Two transformers over grids of codes, which no package holds: Halton-MaskGIT's
(`Network/transformer.py`) and LlamaGen's of classes (`autoregressive/models/gpt.py`), written out
from the published architectures under their parameters' names. Without dropout.

In both, attention is softmax(q·k / √head width), and RMS norms take ε inside the root. Halton's
last norm is such a one too, with a bias, though its parameters look like those of a LayerNorm."""

import torch
from torch import nn
from torch.nn.functional import silu

EPS = 1e-5
ROPE_BASE = 10_000.0


def rms(x: torch.Tensor) -> torch.Tensor:
    return x * (x.square().mean(-1, keepdim=True) + EPS).rsqrt()


class RmsNorm(nn.Module):
    def __init__(self, width: int, bias: bool = False):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width)) if bias else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = rms(x) * self.weight
        return x if self.bias is None else x + self.bias


class FeedForward(nn.Module):
    def __init__(self, width: int, hidden: int):
        super().__init__()
        self.w1 = nn.Linear(width, hidden, bias=False)
        self.w2 = nn.Linear(hidden, width, bias=False)
        self.w3 = nn.Linear(width, hidden, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.w2(silu(self.w1(x)) * self.w3(x))


def split(x: torch.Tensor, heads: int) -> torch.Tensor:
    """`[b, n, heads · h]` to `[b, heads, n, h]`."""
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def attend(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, causal: bool) -> torch.Tensor:
    """Of `[b, heads, n, h]`; the heads are joined again."""
    scores = q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5
    if causal:
        later = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
        scores = scores.masked_fill(later, float("-inf"))
    return (scores.softmax(-1) @ v).transpose(1, 2).flatten(2)


class HaltonAttention(nn.Module):
    """Heads are ⌊width / heads⌋ wide, so together they may be narrower than the network. Queries
    and keys are normalised over all heads at once."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        inner = width // heads * heads
        self.wq = nn.Linear(width, inner, bias=False)
        self.wk = nn.Linear(width, inner, bias=False)
        self.wv = nn.Linear(width, inner, bias=False)
        self.wo = nn.Linear(inner, width, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        parts = (rms(self.wq(x)), rms(self.wk(x)), self.wv(x))
        return self.wo(attend(*(split(part, self.heads) for part in parts), causal=False))


def from_class(width: int, parts: int) -> nn.Sequential:
    return nn.Sequential(nn.SiLU(), nn.Linear(width, parts * width))


def modulate(x: torch.Tensor, shift: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    return x * (1 + scale) + shift


class HaltonBlock(nn.Module):
    def __init__(self, c: dict):
        super().__init__()
        width = c["width"]
        self.mlp = from_class(width, 6)
        self.ln1 = RmsNorm(width)
        self.attn = HaltonAttention(width, c["heads"])
        self.ln2 = RmsNorm(width)
        self.ff = FeedForward(width, c["hidden"])

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        shift_1, scale_1, gate_1, shift_2, scale_2, gate_2 = self.mlp(y).chunk(6, dim=-1)
        x = x + gate_1 * self.attn(modulate(self.ln1(x), shift_1, scale_1))
        return x + gate_2 * self.ff(modulate(self.ln2(x), shift_2, scale_2))


class HaltonLastNorm(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.norm_final = RmsNorm(width, bias=True)
        self.mlp = from_class(width, 2)

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        shift, scale = self.mlp(y).chunk(2, dim=-1)
        return modulate(self.norm_final(x), shift, scale)


class HaltonMaskGit(nn.Module):
    """Tokens in row order, the mask being the token after the last code, and a class each, none
    being the class after the last. The published grids are square; nothing here asks for that."""

    def __init__(self, c: dict):
        super().__init__()
        width = c["width"]
        self.cls_emb = nn.Embedding(c["classes"] + 1, width)
        self.tok_emb = nn.Embedding(c["codes"] + 1, width)
        self.pos_emb = nn.Embedding(c["rows"] * c["columns"], width)
        self.transformer = nn.Module()
        self.transformer.layers = nn.ModuleList(HaltonBlock(c) for _ in range(c["layers"]))
        self.last_norm = HaltonLastNorm(width)
        self.head = nn.Linear(width, c["codes"] + 1)
        self.head.weight = self.tok_emb.weight
        self.reg_tokens = nn.Embedding(1, width)

    def forward(self, tokens: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
        y = self.cls_emb(classes)[:, None]
        x = self.tok_emb(tokens) + self.pos_emb.weight
        x = torch.cat([x, self.reg_tokens.weight.expand(len(x), 1, -1)], 1)
        for layer in self.transformer.layers:
            x = layer(x, y)
        return self.head(self.last_norm(x[:, :-1], y))


def rope_table(side: int, head: int, dtype: torch.dtype) -> torch.Tensor:
    """Cosines and sines by position and pair, `[1 + side², head / 2, 2]`. The first half of the
    pairs turns by row, the other by column. The class has zeros, cosines too, as published."""
    thetas = ROPE_BASE ** (-2 * torch.arange(head // 4, dtype=dtype) / (head // 2))
    angles = torch.arange(side, dtype=dtype)[:, None] * thetas
    rows = angles[:, None].expand(-1, side, -1)
    columns = angles[None].expand(side, -1, -1)
    grid = torch.cat([rows, columns], -1).flatten(0, 1)
    turns = torch.stack([grid.cos(), grid.sin()], -1)
    return torch.cat([torch.zeros_like(turns[:1]), turns])


def turn(x: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
    """Turns neighbouring values of `[b, heads, n, h]` as pairs."""
    a, b = x.unflatten(-1, (-1, 2)).unbind(-1)
    cos, sin = table.unbind(-1)
    return torch.stack([a * cos - b * sin, b * cos + a * sin], -1).flatten(-2)


class LlamaGenAttention(nn.Module):
    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.wqkv = nn.Linear(width, 3 * width, bias=False)
        self.wo = nn.Linear(width, width, bias=False)

    def project(self, x: torch.Tensor, table: torch.Tensor):
        q, k, v = (split(part, self.heads) for part in self.wqkv(x).chunk(3, dim=-1))
        return turn(q, table), turn(k, table), v

    def forward(self, x: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
        return self.wo(attend(*self.project(x, table), causal=True))


class LlamaGenBlock(nn.Module):
    def __init__(self, c: dict):
        super().__init__()
        self.attention = LlamaGenAttention(c["width"], c["heads"])
        self.feed_forward = FeedForward(c["width"], c["hidden"])
        self.attention_norm = RmsNorm(c["width"])
        self.ffn_norm = RmsNorm(c["width"])

    def forward(self, x: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
        x = x + self.attention(self.attention_norm(x), table)
        return x + self.feed_forward(self.ffn_norm(x))


class LlamaGenGpt(nn.Module):
    """The class, then tokens in row order; each position gives the logits of the token after it.
    The class after the last is none. Norms and turns are in single precision there, not here."""

    def __init__(self, c: dict):
        super().__init__()
        assert c["rows"] == c["columns"], "its grids are square"
        self.side, self.head = c["rows"], c["width"] // c["heads"]
        self.cls_embedding = nn.Module()
        self.cls_embedding.embedding_table = nn.Embedding(c["classes"] + 1, c["width"])
        self.tok_embeddings = nn.Embedding(c["codes"], c["width"])
        self.layers = nn.ModuleList(LlamaGenBlock(c) for _ in range(c["layers"]))
        self.norm = RmsNorm(c["width"])
        self.output = nn.Linear(c["width"], c["codes"], bias=False)

    def forward(self, tokens: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
        """Of the tokens before the one to be predicted, one more logits than tokens."""
        first = self.cls_embedding.embedding_table(classes)[:, None]
        x = torch.cat([first, self.tok_embeddings(tokens)], 1)
        table = rope_table(self.side, self.head, x.dtype)[: x.shape[1]]
        for layer in self.layers:
            x = layer(x, table)
        return self.output(self.norm(x))
