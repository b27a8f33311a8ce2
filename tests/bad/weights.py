"""Weight files by hand: tensors, the safetensors container, and the small models that are damaged."""

import json
import struct
from dataclasses import dataclass, replace

#: Size and struct format of the values of the types whose values are written here.
FLOATS = {"F32": "f", "F16": "e", "F64": "d"}
SIZES = {"BOOL": 1, "I8": 1, "U8": 1, "F8_E4M3": 1, "F16": 2, "BF16": 2, "I16": 2, "I32": 4, "F32": 4, "F64": 8, "I64": 8}


@dataclass(frozen=True)
class Tensor:
    dtype: str
    shape: tuple[int, ...]
    data: bytes

    def values(self) -> list[float]:
        return list(struct.unpack(f"<{len(self.data) // 4}f", self.data))


def product(shape) -> int:
    count = 1
    for side in shape:
        count *= side
    return count


def encode(values, dtype: str) -> bytes:
    if dtype == "BF16":
        # The upper half of an f32; the values here need no rounding, NaN and infinity neither.
        return b"".join(struct.pack("<f", value)[2:] for value in values)
    return struct.pack(f"<{len(values)}{FLOATS[dtype]}", *values)


def tensor(values, shape, dtype: str = "F32") -> Tensor:
    return Tensor(dtype, tuple(shape), encode(list(values), dtype))


def blank(dtype: str, shape) -> Tensor:
    return Tensor(dtype, tuple(shape), bytes(SIZES[dtype] * product(shape)))


class Random:
    """Knuth's MMIX generator, for weights that every Python makes alike."""

    def __init__(self, seed: int):
        self.state = seed

    def small(self) -> float:
        """A multiple of 1/64 in ±0.5: exact in every type that is read."""
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 33) % 65 / 64 - 0.5


def random_tensors(shapes: dict[str, tuple[int, ...]]) -> dict[str, Tensor]:
    # Of the first seeds the one with which the VQ-VAE uses two of its codes most evenly.
    random = Random(12)
    made = {}
    for name, shape in shapes.items():
        scale = name.endswith("weight") and len(shape) == 1
        values = [random.small() + (1.0 if scale else 0.0) for _ in range(product(shape))]
        made[name] = tensor(values, shape)
    return made


@dataclass(frozen=True)
class File:
    """A well-formed weight file, to be changed before it is written."""

    tensors: dict[str, Tensor]
    metadata: dict[str, str]

    def put(self, **tensors: Tensor) -> "File":
        return replace(self, tensors=self.tensors | tensors)

    def set(self, name: str, changed: Tensor) -> "File":
        assert name in self.tensors, name
        return self.put(**{name: changed})

    def without(self, *names: str) -> "File":
        assert all(name in self.tensors for name in names), names
        return replace(self, tensors={n: t for n, t in self.tensors.items() if n not in names})

    def configured(self, **fields) -> "File":
        """The same with other fields in its config; `None` takes one away."""
        config = json.loads(self.metadata["config"]) | fields
        return self.told({key: value for key, value in config.items() if value is not None})

    def told(self, config) -> "File":
        """The same with another config, text or JSON."""
        text = config if isinstance(config, str) else json.dumps(config, separators=(",", ":"))
        return replace(self, metadata=self.metadata | {"config": text})

    def cast(self, dtype: str) -> "File":
        cast = {n: tensor(t.values(), t.shape, dtype) for n, t in self.tensors.items()}
        return replace(self, tensors=cast)

    def spoilt(self, name: str, value: float, dtype: str) -> bytes:
        """The file in `dtype` with its tensor's last value replaced."""
        file = self.cast(dtype)
        found = file.tensors[name]
        data = found.data[: -SIZES[dtype]] + encode([value], dtype)
        return file.set(name, replace(found, data=data)).bytes()

    def header(self) -> tuple[dict, bytes]:
        """The header as JSON, and the data."""
        header: dict = {"__metadata__": self.metadata} if self.metadata else {}
        data = b""
        for name in sorted(self.tensors):
            found = self.tensors[name]
            offsets = [len(data), len(data) + len(found.data)]
            header[name] = {"dtype": found.dtype, "shape": list(found.shape), "data_offsets": offsets}
            data += found.data
        return header, data

    def bytes(self) -> bytes:
        header, data = self.header()
        return raw(text(header), data)


def text(header) -> bytes:
    """A header's bytes, which begin the data at a multiple of eight as the format's writers do."""
    text = json.dumps(header, separators=(",", ":")).encode()
    return text + b" " * (-len(text) % 8)


def raw(header: bytes, data: bytes, length: int | None = None) -> bytes:
    """A file of a header and some data, whatever they are."""
    return struct.pack("<Q", len(header) if length is None else length) + header + data


def vqvae() -> File:
    """This project's VQ-VAE, as small as it gets: 4 codes of width 2, one for 2×2 pixels."""
    config = {
        "kind": "vqvae", "in_channels": 3, "hidden": 2, "residual_hidden": 1, "residual_layers": 1,
        "downsamplings": 1, "embed_dim": 2, "n_embed": 4, "input": [-0.5, 0.5],
    }  # fmt: skip
    shapes: dict[str, tuple[int, ...]] = {}

    def conv(name, to, by, side):
        shapes.update({f"{name}.weight": (to, by, side, side), f"{name}.bias": (to,)})

    conv("encoder.down.0", 2, 3, 4)
    conv("encoder.conv_out", 2, 2, 3)
    conv("pre_quant", 2, 2, 1)
    shapes["quantize.embedding.weight"] = (4, 2)
    conv("decoder.conv_in", 2, 2, 3)
    for part in ("encoder", "decoder"):
        conv(f"{part}.residual.0.conv_1", 1, 2, 3)
        conv(f"{part}.residual.0.conv_2", 2, 1, 1)
    # A transposed convolution has its output channels second.
    shapes |= {"decoder.up.0.weight": (2, 3, 4, 4), "decoder.up.0.bias": (3,)}
    return File(random_tensors(shapes), {}).told(config)


def vqgan() -> File:
    """This project's VQ-GAN with one level and no attention: 4 codes of width 2, one a pixel."""
    config = {
        "kind": "vqgan", "ch": 2, "ch_mult": [1], "num_res_blocks": 1, "attn_resolutions": [],
        "mid_attention": False, "resolution": 8, "in_channels": 3, "out_ch": 3, "z_channels": 2,
        "embed_dim": 2, "n_embed": 4, "norm_groups": 1, "norm_eps": 1e-6, "quantizer": "vq",
        "input": [-1.0, 1.0],
    }  # fmt: skip
    shapes: dict[str, tuple[int, ...]] = {}

    def conv(name, to, by, side):
        shapes.update({f"{name}.weight": (to, by, side, side), f"{name}.bias": (to,)})

    def norm(name):
        shapes.update({f"{name}.weight": (2,), f"{name}.bias": (2,)})

    for part, ends, levels in (
        ("encoder", (2, 3, 2, 2), ["down.0.block.0"]),
        ("decoder", (2, 2, 3, 2), ["up.0.block.0", "up.0.block.1"]),
    ):
        conv(f"{part}.conv_in", ends[0], ends[1], 3)
        for block in [*levels, "mid.block_1", "mid.block_2"]:
            for i in (1, 2):
                norm(f"{part}.{block}.norm{i}")
                conv(f"{part}.{block}.conv{i}", 2, 2, 3)
        norm(f"{part}.norm_out")
        conv(f"{part}.conv_out", ends[2], ends[3], 3)
    conv("quant_conv", 2, 2, 1)
    conv("post_quant_conv", 2, 2, 1)
    shapes["quantize.embedding.weight"] = (4, 2)
    return File(random_tensors(shapes), {}).told(config)


def taming() -> File:
    """The same VQ-GAN as taming-transformers saves it: without its config."""
    return replace(vqgan().cast("F16"), metadata={"format": "pt"})


def int8() -> File:
    """The VQ-VAE with one convolution in 8 bits, a scale for each of its output channels."""
    file = vqvae()
    narrow = Tensor("I8", (2, 2, 3, 3), bytes((7 * i) % 251 for i in range(36)))
    scale = tensor([0.0078125, 0.00390625], (2, 1, 1, 1))
    return file.set("decoder.conv_in.weight", narrow).put(**{"decoder.conv_in.weight.scale": scale})
