"""Well-formed files whose tensors are not the model's."""

import math
from collections.abc import Iterator
from dataclasses import replace

from weights import File, Tensor, blank, int8, tensor, vqgan, vqvae

MISMATCH, NOT_FINITE = "weights_mismatch", "weights_not_finite"
CODEBOOK = "quantize.embedding.weight"
BIAS, CONV, UP = "encoder.conv_out.bias", "encoder.conv_out.weight", "decoder.up.0.weight"
NARROW = "decoder.conv_in.weight"
SCALE = f"{NARROW}.scale"


def cases() -> Iterator[tuple]:
    yield from values()
    yield from types()
    yield from shapes()
    yield from scales()


def values() -> Iterator[tuple]:
    kinds = [
        ("a convolution", vqvae, CONV),
        ("a transposed convolution", vqvae, UP),
        ("a bias", vqvae, BIAS),
        ("a norm's scale", vqgan, "decoder.norm_out.weight"),
        ("a norm's shift", vqgan, "encoder.mid.block_1.norm2.bias"),
        ("the codebook", vqvae, CODEBOOK),
    ]
    words = {"NaN": math.nan, "+Inf": math.inf, "-Inf": -math.inf}
    dtypes = ["F32", "F16", "BF16"]
    for i, (kind, make, name) in enumerate(kinds):
        for j, (word, value) in enumerate(words.items()):
            # Each kind, each value and each type with each other one.
            dtype = dtypes[(i + j) % 3]
            case = f"{word} in {kind}, in {dtype.lower()}".replace("+", "plus ").replace("-", "minus ")
            yield case, make().spoilt(name, value, dtype), NOT_FINITE, f"`{name}`"


def types() -> Iterator[tuple]:
    for dtype in ["I16", "I64", "I32", "U8", "BOOL", "F8_E4M3"]:
        bad = vqvae().set(BIAS, blank(dtype, [2]))
        yield f"a bias in {dtype}", bad.bytes(), MISMATCH, f"`{BIAS}` is stored as {dtype}"


def shapes() -> Iterator[tuple]:
    file = vqvae()

    def reshaped(name: str, *shape: int) -> File:
        return file.set(name, replace(file.tensors[name], shape=shape))

    def blanked(name: str, *shape: int) -> File:
        return file.set(name, blank("F32", shape))

    single = "encoder.residual.0.conv_1.bias"
    gone = [name for name in file.tensors if name.startswith("encoder.")]
    renamed = replace(file, tensors={f"model.{n}": t for n, t in file.tensors.items()})
    shouted = replace(file, tensors={n.upper(): t for n, t in file.tensors.items()})
    for name, bad, says in [
        ("a tensor missing", file.without(BIAS), f"`{BIAS}` is missing"),
        ("the codebook missing", file.without(CODEBOOK), f"`{CODEBOOK}` is missing"),
        ("the encoder missing", file.without(*gone), f"`{sorted(gone)[0]}` is missing, and"),
        ("no tensor at all", file.without(*file.tensors), "is missing, and"),
        ("a tensor too many", file.put(another=file.tensors[BIAS]), "`another` is not part of this model"),
        ("a third residual layer", file.put(**{"encoder.residual.2.conv_1.bias": file.tensors[BIAS]}),
         "`encoder.residual.2.conv_1.bias` is not part"),
        ("a tensor without a name", file.put(**{"": file.tensors[BIAS]}), "`` is not part of this model"),
        ("names with a beginning of their own", renamed, "is missing, and"),
        ("names in capitals", shouted, "is missing, and"),
        ("a codebook that is transposed", reshaped(CODEBOOK, 2, 4), "has shape [2, 4] where [4, 2] is expected"),
        ("a codebook of one code less", blanked(CODEBOOK, 3, 2), "has shape [3, 2] where [4, 2] is expected"),
        ("a convolution with its sides exchanged", reshaped("encoder.down.0.weight", 3, 2, 4, 4),
         "has shape [3, 2, 4, 4] where [2, 3, 4, 4] is expected"),
        ("a transposed convolution stored as a plain one", reshaped(UP, 3, 2, 4, 4),
         "has shape [3, 2, 4, 4] where [2, 3, 4, 4] is expected"),
        ("a convolution that is flat", reshaped(CONV, 36), "has shape [36] where"),
        ("a convolution of five sides", reshaped(CONV, 2, 2, 3, 3, 1), "has shape [2, 2, 3, 3, 1] where"),
        ("a convolution that is a single number", blanked(CONV), "has shape [] where [2, 2, 3, 3] is"),
        ("a convolution without a value", blanked(CONV, 0, 2, 3, 3), "has shape [0, 2, 3, 3] where"),
        ("a convolution with a side of zero and a vast one", blanked(CONV, 2, 0, 2**31, 2**31),
         "has shape [2, 0, 2147483648, 2147483648] where"),
        ("a bias of one number with no side", reshaped(single), f"`{single}` has shape [] where [1] is expected"),
    ]:  # fmt: skip
        yield name, bad.bytes(), MISMATCH, says
    nobody = replace(file.without(*file.tensors), metadata={})
    yield "a file of nothing", nobody.bytes(), "weights_unknown", "any supported model"


def scales() -> Iterator[tuple]:
    file = int8()
    ones = tensor([1.0] * 2, [2])
    number_each = f"`{NARROW}` does not have exactly one scale per channel"
    for name, bad, code, says in [
        ("8 bits without scales", file.without(SCALE), MISMATCH, f"`{SCALE}` is missing"),
        ("8 bits with a scale too many", file.set(SCALE, tensor([1.0] * 3, [3, 1, 1, 1])), MISMATCH, number_each),
        ("8 bits with flat scales", file.set(SCALE, ones), MISMATCH, number_each),
        ("8 bits with scales in half precision", file.set(SCALE, tensor([1.0] * 2, [2, 1, 1, 1], "F16")),
         MISMATCH, number_each),
        ("8 bits with scales in 8 bits", file.set(SCALE, blank("I8", [2, 1, 1, 1])), MISMATCH, number_each),
        ("8 bits with a scale that is NaN", file.set(SCALE, tensor([1.0, math.nan], [2, 1, 1, 1])),
         NOT_FINITE, f"`{NARROW}`"),
        ("8 bits with a scale past every number", file.set(SCALE, tensor([1.0, 3e38], [2, 1, 1, 1])),
         NOT_FINITE, f"`{NARROW}`"),
        ("8 bits with no side and no scale", file.set(NARROW, Tensor("I8", (), b"\x01")).set(SCALE, blank("F32", [])),
         MISMATCH, number_each),
        ("8 bits without a value", file.set(NARROW, blank("I8", [0, 2**31, 8])).set(SCALE, blank("F32", [0, 1, 1])),
         MISMATCH, "has shape [0, 2147483648, 8] where"),
        ("scales of what is not in 8 bits", vqvae().put(**{SCALE: ones}), MISMATCH, f"`{SCALE}` is not part"),
        ("8 bits without a config", replace(file, metadata={}), "weights_unknown", "any supported model"),
    ]:  # fmt: skip
        yield name, bad.bytes(), code, says
