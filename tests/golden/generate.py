"""Writes the golden files next to this script; see README.md. `--check` compares instead."""

import argparse
import sys
from pathlib import Path

import torch

import gen_checkpoints
import gen_diffusers
import gen_features
import gen_generators
import gen_kl
import gen_layers
import gen_losses
import gen_metrics
import gen_models
import gen_params
import gen_pickles
import gen_priors
import gen_quantizers
import gen_vqvae2

HERE = Path(__file__).resolve().parent
FAMILIES = [
    gen_layers,
    gen_quantizers,
    gen_models,
    gen_params,
    gen_checkpoints,
    gen_diffusers,
    gen_kl,
    gen_vqvae2,
    gen_metrics,
    gen_losses,
    gen_features,
    gen_priors,
    gen_generators,
    gen_pickles,
]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare with the files, write none")
    check = parser.parse_args().check

    torch.set_num_threads(1)  # Sums in one order.
    torch.use_deterministic_algorithms(True)
    makers = {
        f"{name}.safetensors": make for family in FAMILIES for name, make in family.GOLDENS.items()
    }
    stale = []
    for name, make in (makers | gen_pickles.PICKLES | gen_priors.PLAIN).items():
        # Each file has its own seed, so that adding one leaves the others as they are.
        torch.manual_seed(sum(name.removesuffix(".safetensors").encode()))
        made = make()
        path = HERE / name
        if check:
            if not (path.exists() and made.same(path)):
                stale.append(name)
        else:
            made.save(path)
        size = path.stat().st_size if path.exists() else 0
        print(f"{name:38} {len(made.tensors):4} tensors {size:8} bytes")
    if stale:
        print("differ:", ", ".join(stale), file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
