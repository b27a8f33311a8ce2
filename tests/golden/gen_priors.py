"""Transformers over grids of codes, and the rules by which codes are drawn from them."""

import json
import math
import sys
import types
from pathlib import Path

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from golden import WIDE, Golden, randn, randomise
from priors import HaltonMaskGit, LlamaGenGpt, rope_table

# taming's minGPT imports a function that transformers has dropped and that only its sampling calls.
# Nothing here needs transformers, so a module of that name stands in while the import lasts.
sys.modules["transformers"] = types.ModuleType("transformers")
sys.modules["transformers"].top_k_top_p_filtering = None
from taming.modules.transformer.mingpt import GPT  # noqa: E402

del sys.modules["transformers"]


@torch.no_grad()
def rescale(model: nn.Module, scales: dict[str, float]) -> None:
    """Draws matrices again, by the ends of their names. Small ones let a norm's ε show."""
    for end, scale in scales.items():
        found = [p for name, p in model.named_parameters() if name.endswith(end)]
        assert found, end
        for p in found:
            p.copy_(randn(*p.shape, scale=scale))


def prior_golden(
    model: nn.Module, config: dict, inputs: dict, logits: torch.Tensor, targets: torch.Tensor
) -> Golden:
    """The parameters are all that a checkpoint's state has: tied ones twice, and buffers."""
    golden = Golden(config)
    for name, value in inputs.items():
        golden.put(name, value)
    loss = cross_entropy(logits.flatten(0, 1), targets.flatten())
    loss.backward()
    golden.put("logits", logits)
    golden.put("loss", loss[None])
    for name, value in model.state_dict().items():
        golden.put(f"param.{name}", value)
    golden.put_grads(model)
    return golden


def sizes(kind: str, rows: int, columns: int, classes: int, width: int, heads: int, **more) -> dict:
    return {
        "kind": kind,
        "codes": 12,
        "rows": rows,
        "columns": columns,
        "classes": classes,
        "width": width,
        "layers": 2,
        "heads": heads,
        **more,
    }


def halton() -> Golden:
    """Three heads of six values in a network of twenty. One picture is all masked, of no class."""
    config = sizes("maskgit", 3, 4, classes=5, width=20, heads=3, hidden=24)
    model = randomise(HaltonMaskGit(config))
    rescale(
        model,
        {
            "tok_emb.weight": 0.15,
            "pos_emb.weight": 0.1,
            "reg_tokens.weight": 0.2,
            "cls_emb.weight": 1.0,
            "wq.weight": 0.03,
            "wk.weight": 0.03,
        },
    )
    targets = torch.randint(0, 12, (3, 12))
    masked = torch.rand(3, 12) < torch.tensor([[0.3], [1.0], [0.6]])
    tokens = torch.where(masked, 12, targets)
    classes = torch.tensor([1, 5, 4])
    assert masked[1].all()
    assert all(0 < row.sum() < 12 for row in masked[[0, 2]])
    inputs = {"tokens": tokens, "classes": classes, "targets": targets}
    return prior_golden(model, config, inputs, model(tokens, classes), targets)


@torch.no_grad()
def check_llamagen(model: LlamaGenGpt, tokens: torch.Tensor, classes: torch.Tensor) -> None:
    """That no position sees a later one, and that the class neither asks nor is asked for."""
    full = model(tokens[:, :-1], classes)
    for n in range(tokens.shape[1]):
        torch.testing.assert_close(model(tokens[:, :n], classes), full[:, : n + 1])
    attention = model.layers[0].attention
    table = rope_table(model.side, model.head, WIDE)
    q, k, v = attention.project(randn(2, len(table), attention.wo.in_features), table)
    for part in (q, k):
        assert (part[:, :, 0] == 0).all()
        assert (part[:, :, 1:] != 0).all()
    assert (v != 0).all()


def llamagen() -> Golden:
    config = sizes("llamagen", 3, 3, classes=5, width=16, heads=2, hidden=24)
    model = randomise(LlamaGenGpt(config))
    rescale(
        model,
        {
            "embedding_table.weight": 0.1,
            "tok_embeddings.weight": 0.1,
            "wqkv.weight": 0.4,
        },
    )
    tokens = torch.randint(0, 12, (3, 9))
    classes = torch.tensor([2, 5, 0])
    check_llamagen(model, tokens, classes)
    inputs = {"tokens": tokens, "classes": classes}
    return prior_golden(model, config, inputs, model(tokens[:, :-1], classes), tokens)


class Net2Net(nn.Module):
    """The part of taming's `Net2NetTransformer` that is trained."""

    def __init__(self, c: dict):
        super().__init__()
        self.transformer = GPT(
            c["codes"],
            c["rows"] * c["columns"],
            n_layer=c["layers"],
            n_head=c["heads"],
            n_embd=c["width"],
        )

    def forward(self, first: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        """`first` is a token each: what the codes are conditioned on, or the start."""
        return self.transformer(torch.cat([first[:, None], tokens[:, :-1]], 1))[0]


def mingpt(classes: list[int]) -> Golden:
    """A class is the token of the same number; without classes token 0 starts each picture."""
    config = sizes("mingpt", 3, 3, classes=5 if classes else 0, width=16, heads=2)
    model = randomise(Net2Net(config))
    rescale(model, {"tok_emb.weight": 0.1, "pos_emb": 0.1, "query.weight": 0.4, "key.weight": 0.4})
    tokens = torch.randint(0, 12, (3, 9))
    inputs = {"tokens": tokens}
    if classes:
        inputs["classes"] = torch.tensor(classes)
    first = inputs.get("classes", torch.zeros(3, dtype=torch.int64))
    return prior_golden(model, config, inputs, model(first, tokens), tokens)


class Plain:
    """A JSON file, each value of its lists on a line."""

    def __init__(self, value: dict):
        self.tensors = value

    def save(self, path: Path) -> None:
        parts = []
        for name, many in self.tensors.items():
            lines = ",\n".join(json.dumps(one) for one in many)
            parts.append(f"{json.dumps(name)}: [\n{lines}\n]")
        path.write_text("{\n" + ",\n".join(parts) + "\n}\n")
        path.chmod(0o644)

    def same(self, path: Path) -> bool:
        return alike(self.tensors, json.loads(path.read_text()))


def alike(a, b) -> bool:
    """Up to the last bits that another processor may differ in."""
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-15)
    if isinstance(a, dict):
        return list(a) == list(b) and all(alike(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(alike(*pair) for pair in zip(a, b, strict=True))
    return a == b


def radical_inverse(i: int, base: int) -> tuple[int, int]:
    """The digits of i mirrored at the point, as a fraction: 6 = 110₂ gives 0.011₂ = 3/8."""
    above, below = 0, 1
    while i:
        i, digit = divmod(i, base)
        above, below = above * base + digit, below * base
    return above, below


def halton_order(side: int) -> tuple[list, int]:
    """The cells as the points reach them, and how many points it took."""
    order, last = {}, 0
    for i in range(1, 10_001):
        cell = tuple(
            side * above // below for above, below in (radical_inverse(i, base) for base in (2, 3))
        )
        if cell not in order:
            order[cell], last = None, i
    return [list(cell) for cell in order], last


def halton_cases() -> list[dict]:
    begins = {16: [[8, 5], [4, 10], [12, 1], [2, 7]], 24: [[12, 8], [6, 16]]}
    points = {16: 685, 24: 2201}
    cases = []
    for side in (3, 7, 16, 24, 64):
        order, last = halton_order(side)
        begin = begins.get(side, [])
        assert order[: len(begin)] == begin, side
        assert points.get(side, last) == last, side
        case = {"size": side, "reached": len(order)}
        if side < 64:
            assert len(order) == side**2, side
            case["order"] = order
        cases.append(case)
    assert cases[-1]["reached"] == 4090
    return cases


def floor(x: float) -> int:
    """Of a value that is a whole number, but for rounding, only where it is one."""
    near = round(x)
    if abs(x - near) < 1e-9:
        return near
    assert abs(x - near) > 1e-4, f"{x} is too close to a whole number"
    return math.floor(x)


def known_after(n: int, steps: int) -> dict:
    arccos, cosine = [], []
    for s in range(1, steps + 1):
        arccos.append(max(s, floor(n * (1 - math.acos(s / steps) / (math.pi / 2)))))
        cosine.append(n - floor(n * math.cos(math.pi / 2 * s / steps)))
    return {"tokens": n, "steps": steps, "arccos": arccos, "cosine": cosine}


def known_cases() -> list[dict]:
    cases = [known_after(*pair) for pair in ((256, 32), (49, 8), (256, 12), (16, 16))]
    assert cases[0]["arccos"][:8] == [5, 10, 15, 20, 25, 30, 35, 41]
    assert cases[0]["arccos"][-3:] == [198, 215, 256]
    return cases


def short(values: torch.Tensor) -> torch.Tensor:
    """Multiples of 1/64, which are exact in any precision and short to write."""
    return (values * 64).round().to(WIDE) / 64


def filtered(logits: torch.Tensor, temperature: float, top_k: int, top_p: float) -> list[float]:
    """As LlamaGen has it: temperature, then the largest k and what equals the least of them, then
    the largest that reach p together."""
    logits = logits / temperature
    kept = torch.ones_like(logits, dtype=torch.bool)
    if top_k > 0:
        kept &= logits >= logits.topk(min(top_k, len(logits))).values[-1]
    if top_p < 1:
        p, order = logits.masked_fill(~kept, -math.inf).softmax(0).sort(descending=True)
        before = p.cumsum(0) - p
        assert ((before - top_p).abs() > 1e-4).all(), "a rounding could turn this"
        kept[order[before > top_p]] = False
        # Among equals it would be the sort's whim which is kept.
        assert not torch.isin(logits[~kept], logits[kept]).any()
    return logits.masked_fill(~kept, -math.inf).softmax(0).tolist()


def filter_cases() -> list[dict]:
    plain = short(2 * torch.randn(10))
    assert plain.unique().numel() == 10
    # The third to the fifth are equal.
    ties = short(torch.tensor([0.5, 2.0, -1.0, 1.25, 0.25, 1.25, 3.0, 1.25, -0.5, 0.0]))
    long = short(1.5 * torch.randn(24))
    cases = [
        (plain, 1.0, 0, 1.0),
        (plain, 0.5, 0, 1.0),
        (plain, 1.0, 4, 1.0),
        (plain, 1.0, 1, 1.0),
        (plain, 1.0, 50, 1.0),
        (ties, 1.0, 3, 1.0),
        (ties, 0.75, 4, 1.0),
        (ties, 1.0, 3, 0.7),
        (plain, 1.0, 0, 0.0625),
        (plain, 1.0, 0, 0.5),
        (plain, 1.5, 0, 0.875),
        (long, 1.0, 0, 0.9),
        (long, 0.8, 6, 0.75),
        (long, 2.0, 12, 0.5),
    ]
    made = []
    for logits, temperature, top_k, top_p in cases:
        made.append(
            {
                "logits": logits.tolist(),
                "temperature": temperature,
                "top_k": top_k,
                "top_p": top_p,
                "probabilities": filtered(logits, temperature, top_k, top_p),
            }
        )
    kept = [sum(p > 0 for p in case["probabilities"]) for case in made]
    assert kept[:7] == [10, 10, 4, 1, 10, 5, 5], kept
    assert kept[8] == 1, kept
    # Where both are set, each takes some away.
    assert kept[7] < 5, kept
    assert kept[12] < 6, kept
    assert kept[13] < 12, kept
    return made


def guidance_cases() -> list[dict]:
    cases = []
    for scale in (0.0, 1.0, 1.75, 4.0):
        conditional, unconditional = short(2 * torch.randn(8)), short(2 * torch.randn(8))
        guided = unconditional + scale * (conditional - unconditional)
        # Halton-MaskGIT's weight is one less.
        w = scale - 1
        torch.testing.assert_close(guided, (1 + w) * conditional - w * unconditional)
        cases.append(
            {
                "conditional": conditional.tolist(),
                "unconditional": unconditional.tolist(),
                "scale": scale,
                "guided": guided.tolist(),
            }
        )
    return cases


def confidence_case(s: int, steps: int, known: list[int], keep: int) -> dict:
    """One step, the s-th from 0, of twelve positions, after which `keep` are known."""
    p = torch.randint(1, 64, (12,)).to(WIDE) / 64
    gumbel = short(-(-torch.rand(12, dtype=WIDE).log()).log())
    randomness = 4.5 * (1 - s / (steps - 1))
    confidence = p.log() + randomness * gumbel
    confidence[known] = math.inf
    ranked, order = confidence.sort(descending=True)
    assert len(known) < keep
    assert keep == 12 or ranked[keep - 1] - ranked[keep] > 1e-2, "a rounding could turn this"
    return {
        "probabilities": p.tolist(),
        "gumbel": gumbel.tolist(),
        "randomness": randomness,
        "known": [i in known for i in range(12)],
        "keep": keep,
        "known_after": sorted(order[:keep].tolist()),
    }


def confidence_cases() -> list[dict]:
    return [
        confidence_case(0, 12, [], 1),
        confidence_case(0, 5, [], 4),
        confidence_case(2, 5, [1, 6, 7, 11], 7),
        confidence_case(3, 4, [0, 2, 3, 8], 9),
        confidence_case(4, 5, [0, 1, 4, 5, 8, 10], 12),
    ]


def samplers() -> Plain:
    return Plain(
        {
            "halton": halton_cases(),
            "known": known_cases(),
            "filters": filter_cases(),
            "guidance": guidance_cases(),
            "confidence": confidence_cases(),
        }
    )


GOLDENS = {
    "prior_halton": halton,
    "prior_llamagen": llamagen,
    "prior_mingpt": lambda: mingpt([3, 0, 4]),
    "prior_mingpt_uncond": lambda: mingpt([]),
}
PLAIN = {"samplers.json": samplers}
