"""Pickled checkpoints as torch.save writes them, all of one model, and what they hold as a golden.

What a pickle names beside tensors is what real ones name: Lightning's classes and omegaconf's."""

from collections import OrderedDict
from functools import cache
from pathlib import Path

import torch
from omegaconf import OmegaConf
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.utilities.parsing import AttributeDict
from taming.modules.discriminator.model import NLayerDiscriminator
from torch import nn

from gen_checkpoints import expected, taming_model
from golden import Golden, randomise
from priors import HaltonMaskGit

CONFIG = expected(ch=4, norm_groups=2, z_channels=3, embed_dim=3)


class Pickled:
    """What is pickled, and how."""

    def __init__(self, value: dict, zipped: bool = True):
        self.value = value
        self.zipped = zipped
        self.tensors = value.get("state_dict", value)

    def save(self, path: Path) -> None:
        # The older format names storages by their address: a file that is right already stays.
        if path.exists() and self.same(path):
            return
        torch.save(self.value, path, _use_new_zipfile_serialization=self.zipped)
        path.chmod(0o644)

    def same(self, path: Path) -> bool:
        """Whether the file holds this, in whatever bytes."""
        return alike(self.value, torch.load(path, weights_only=False))


def alike(a, b) -> bool:
    if type(a) is not type(b):
        return False
    if isinstance(a, torch.Tensor):
        layout = [(t.dtype, t.shape, t.stride(), t.storage_offset()) for t in (a, b)]
        return layout[0] == layout[1] and torch.allclose(a, b, rtol=1e-6, atol=1e-9)
    if isinstance(a, dict):
        return list(a) == list(b) and all(alike(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(alike(*pair) for pair in zip(a, b, strict=True))
    return a == b


def dtype_of(name: str) -> torch.dtype:
    """Each part in its own precision."""
    parts = {"encoder": torch.float16, "decoder": torch.bfloat16}
    return parts.get(name.split(".")[0], torch.float32)


@cache
def model() -> nn.Module:
    """The same in every file, in single precision: values that `dtype_of` holds too."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(8)
        model = taming_model(CONFIG)
        model.loss = nn.Module()
        model.loss.discriminator = NLayerDiscriminator(ndf=2, n_layers=1)
        randomise(model)
    for name, p in model.named_parameters():
        p.data.copy_(p.data.to(dtype_of(name)))
    return model.float()


def lightning() -> Pickled:
    """A training checkpoint: mixed precision, a tensor that is not in row order, an optimiser's
    state, a class as a key, and hyper-parameters of omegaconf's classes."""
    state = model().state_dict()
    for name, value in state.items():
        if value.is_floating_point():
            state[name] = value.to(dtype_of(name))
    last = "decoder.conv_out.weight"
    state[last] = state[last].to(memory_format=torch.channels_last)
    optimiser = torch.optim.Adam(nn.Linear(3, 2).parameters(), lr=4.5e-6, betas=(0.5, 0.9))
    for p in optimiser.param_groups[0]["params"]:
        p.grad = torch.randn(p.shape)
    optimiser.step()
    callback = {
        "best_model_path": "logs/checkpoints/epoch=000006.ckpt",
        "best_model_score": torch.tensor(0.5),
        "current_score": None,
        "dirpath": Path("logs/checkpoints"),
    }
    settings = AttributeDict(
        base_learning_rate=4.5e-6,
        ch_mult=OmegaConf.create([1, 2]),
        sizes=(16, 24),
        resume=False,
    )
    return Pickled(
        {
            "epoch": 6,
            "global_step": 70_000,
            "pytorch-lightning_version": "1.0.8",
            "state_dict": state,
            "callbacks": {ModelCheckpoint: callback},
            "optimizer_states": [optimiser.state_dict()],
            "lr_schedulers": [],
            "hparams_name": "kwargs",
            "hyper_parameters": settings,
        }
    )


def legacy() -> Pickled:
    """The format before zip: a transposed view, and two views of one storage."""
    state = dict(model().state_dict())
    name = "decoder.conv_in.weight"
    state[name] = state[name].transpose(0, 1).contiguous().transpose(0, 1)
    names = ["encoder.norm_out.weight", "encoder.norm_out.bias"]
    # The storage has a value more at either end than the two need.
    width = len(state[names[0]])
    ends = torch.full((1,), 9.0)
    shared = torch.cat([ends, *(state[name] for name in names), ends])
    for i, name in enumerate(names):
        state[name] = shared[1 + i * width : 1 + (i + 1) * width]
    return Pickled(state, zipped=False)


def parameters() -> Pickled:
    """Parameters in place of tensors, as a plain ordered dictionary."""
    state = OrderedDict(model().state_dict())
    state.update(model().named_parameters())
    return Pickled(state)


def contents() -> Golden:
    """The tensors of all three in row order and single precision; whole numbers only by name."""
    golden = Golden({"model": CONFIG, "config.json": {"norm_groups": 2}, "integers": []})
    for name, value in model().state_dict().items():
        if value.is_floating_point():
            golden.put(f"param.{name}", value)
        else:
            golden.config["integers"].append(name)
    return golden


def prior() -> Pickled:
    """A prior with its training's state, as Halton-MaskGIT saves them, after data parallelism."""
    config = {"codes": 6, "rows": 2, "columns": 2, "classes": 3, "width": 64, "layers": 1}
    model = HaltonMaskGit(config | {"heads": 1, "hidden": 8}).half()
    optimiser = torch.optim.Adam([model.reg_tokens.weight], lr=1e-4)
    model.reg_tokens.weight.grad = torch.ones_like(model.reg_tokens.weight)
    optimiser.step()
    state = {f"module.{name}": value for name, value in model.state_dict().items()}
    pickled = Pickled(
        {
            "iter": 1_500_000,
            "global_epoch": 300,
            "model_state_dict": state,
            "optimizer_state_dict": optimiser.state_dict(),
        }
    )
    pickled.tensors = state
    return pickled


GOLDENS = {"pickle_expected": contents}
PICKLES = {
    "pickle_zip.ckpt": lightning,
    "pickle_legacy.pt": legacy,
    "pickle_model.bin": parameters,
    "pickle_prior.pth": prior,
}
