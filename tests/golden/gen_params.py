"""Layers whose names or layout differ between Burn and PyTorch: params.safetensors."""

import torch
from golden import WIDE, Golden
from torch import nn


class Layers(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(5, 3)
        self.project = nn.Linear(3, 4)
        self.back = nn.Linear(4, 3, bias=False)
        self.norm = nn.LayerNorm(4)
        self.rms = nn.RMSNorm(3, eps=1e-5)
        self.scale = nn.Parameter(torch.empty(4))
        self.own = nn.Module()
        self.own.gamma = nn.Parameter(torch.empty(2))

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        x = self.norm(self.project(self.table(ids))) * self.scale
        return self.rms(self.back(x))


def params() -> Golden:
    module = Layers().to(WIDE)
    with torch.no_grad():
        for parameter in module.parameters():
            # Random everywhere, norms included; exact in single precision.
            parameter.copy_(torch.randn_like(parameter).float())
    golden = Golden({})
    golden.put_params(module)
    golden.put("output", module(torch.tensor([[0, 3, 4]])))
    return golden


GOLDENS = {"params": params}
