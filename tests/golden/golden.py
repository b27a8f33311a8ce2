"""What every golden file has in common: random weights, gradients, the file itself."""

import json
from contextlib import contextmanager
from pathlib import Path

import taming.modules.diffusionmodules.model as taming_model
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

# The reference runs in double precision on weights that single precision holds exactly, so that
# all the error a test sees is the tested code's own.
WIDE = torch.float64


class Golden:
    """Tensors by name, and a JSON object for the header."""

    def __init__(self, config: dict):
        self.config = config
        self.tensors: dict[str, torch.Tensor] = {}

    def put(self, name: str, value: torch.Tensor, exact: bool = False) -> None:
        """Stores as 32 bits, or as it is where `exact`."""
        assert name not in self.tensors, name
        value = value.detach().clone()
        if value.is_floating_point():
            assert value.isfinite().all(), name
            value = value if exact else value.float()
        elif value.dtype == torch.int64:
            value = value.int()
        self.tensors[name] = value.contiguous()

    def put_params(self, module: nn.Module) -> None:
        for name, value in module.named_parameters():
            self.put(f"param.{name}", value)

    def put_grads(self, module: nn.Module, prefix: str = "grad.") -> None:
        """Gradients of the parameters. One that is zero but for rounding is stored as zero: the
        bias of attention's keys, which shifts all scores of a query alike."""
        largest = max(p.grad.abs().max() for p in module.parameters())
        for name, value in module.named_parameters():
            grad = value.grad
            if grad.abs().max() < 1e-12 * largest:
                grad = torch.zeros_like(grad)
            self.put(prefix + name, grad)

    def save(self, path: Path) -> None:
        save_file(self.tensors, path, metadata={"config": json.dumps(self.config)})
        path.chmod(0o644)


def store_as(golden: Golden, dtype: torch.dtype) -> None:
    """Keeps the parameters in `dtype`, which must hold their values."""
    for name in [name for name in golden.tensors if name.startswith("param.")]:
        narrow = golden.tensors[name].to(dtype)
        assert torch.equal(narrow.float(), golden.tensors[name]), name
        golden.tensors[name] = narrow


def same(golden: Golden, path: Path) -> bool:
    """Whether the file holds this, up to the last bits that another processor may differ in."""
    with safe_open(path, "pt") as file:
        if set(file.keys()) != set(golden.tensors):
            return False
        if json.loads(file.metadata()["config"]) != golden.config:
            return False
        return all(
            torch.allclose(file.get_tensor(name).double(), value.double(), rtol=1e-6, atol=1e-9)
            for name, value in golden.tensors.items()
        )


def randn(*shape: int, scale: float = 1.0, mean: float = 0.0) -> torch.Tensor:
    """Normal values that single precision holds exactly."""
    return (mean + scale * torch.randn(*shape, dtype=torch.float32)).to(WIDE)


@torch.no_grad()
def randomise(module: nn.Module) -> nn.Module:
    """Random parameters, none of them 0 or 1: a forgotten bias or scale must show."""
    module.to(WIDE).eval()
    for name, p in module.named_parameters():
        if p.dim() == 1 and name.endswith("weight"):
            p.copy_(randn(*p.shape, scale=0.25, mean=1.0))
        elif p.dim() == 1:
            p.copy_(randn(*p.shape, scale=0.2))
        else:
            # Queries and keys are larger, or attention would be a plain mean over positions.
            sharp = name.endswith(("q.weight", "k.weight"))
            fan_in = p[0].numel()
            p.copy_(randn(*p.shape, scale=(1.5 if sharp else 1.0) * fan_in**-0.5))
    return module


@contextmanager
def norm_groups(groups: int, eps: float = 1e-6):
    """taming normalises in 32 groups, which asks for wide layers; this is for narrow ones."""
    original = taming_model.Normalize
    taming_model.Normalize = lambda channels: nn.GroupNorm(groups, channels, eps=eps, affine=True)
    try:
        yield
    finally:
        taming_model.Normalize = original


def two_nearest(z: torch.Tensor, codebook: torch.Tensor) -> torch.Tensor:
    """Squared distances of each row of z to its two nearest entries, `[n, 2]`."""
    return torch.cdist(z, codebook).square().topk(2, largest=False).values


def clear(nearest: torch.Tensor, margin: float = 5e-3) -> bool:
    """Whether every choice is so clear that no rounding may turn it."""
    return bool(((nearest[:, 1] - nearest[:, 0]) > margin * nearest[:, 1]).all())
