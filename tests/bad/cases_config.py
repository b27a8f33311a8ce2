"""Configs that no model can have, in the file or beside it, and files of other projects."""

import json
from collections.abc import Iterator
from dataclasses import replace

from weights import File, Tensor, blank, taming, tensor, vqgan, vqvae

INVALID, MISMATCH, UNKNOWN = "config_invalid", "weights_mismatch", "weights_unknown"
NO_KIND = "any supported model"


def cases() -> Iterator[tuple | dict]:
    yield from own()
    yield from of_others()
    yield from beside()


def own() -> Iterator[tuple]:
    """This project's config, in the header's metadata."""
    file, gan = vqvae(), vqgan()
    config = json.loads(file.metadata["config"])
    typo = {("hiden" if key == "hidden" else key): value for key, value in config.items()}
    quoted = json.dumps(config).replace('"hidden": 2', '"hidden": 1e400')
    deep = '{"kind":' + "[" * 2000 + "]" * 2000 + "}"
    for name, bad, code, says in [
        # Only a config with a kind is this project's; without one the names have to tell.
        ("a config that is not JSON", file.told("a small model"), UNKNOWN, NO_KIND),
        ("a config cut short", file.told(json.dumps(config)[:-9]), UNKNOWN, NO_KIND),
        ("a config nested 2000 arrays deep", file.told(deep), UNKNOWN, NO_KIND),
        ("a config without a kind", file.configured(kind=None), UNKNOWN, NO_KIND),
        ("no config", replace(file, metadata={"format": "pt"}), UNKNOWN, NO_KIND),
        ("a kind that is unknown", file.configured(kind="vqvea"), INVALID, "vqvea"),
        ("a kind with a line break", file.configured(kind="vq\nvae"), INVALID, "unknown variant `vq\ufffdvae`"),
        ("a kind of 2000 letters", file.configured(kind="v" * 2000), INVALID, "vvv…"),
        ("a kind that is a number", file.configured(kind=2), INVALID, "configuration is not valid"),
        ("a field misspelt", file.told(typo), INVALID, "unknown field `hiden`"),
        ("a field missing", file.configured(hidden=None), INVALID, "missing field `hidden`"),
        ("a field of another kind", file.configured(ch=2), INVALID, "unknown field `ch`"),
        ("a field that is text", file.configured(hidden="2"), INVALID, "invalid type: string"),
        ("a field below zero", file.configured(hidden=-2), INVALID, "invalid value: integer `-2`"),
        ("a field that is a fraction", file.configured(hidden=2.5), INVALID, "floating point `2.5`"),
        ("a field past every number", file.told(quoted), UNKNOWN, NO_KIND),
        ("a width of a thousand million", file.configured(hidden=10**9), INVALID, "`hidden` is 1000000000, outside"),
        ("a width of 2^64 - 2", file.configured(hidden=2**64 - 2), INVALID, "18446744073709551614"),
        ("a width that is odd", file.configured(hidden=3), INVALID, "`hidden` must be even"),
        ("no code at all", file.configured(n_embed=0), INVALID, "`n_embed` is 0, outside"),
        ("a thousand million codes", file.configured(n_embed=10**9), INVALID, "`n_embed` is 1000000000, outside"),
        ("a thousand halvings", file.configured(downsamplings=1000), INVALID, "`downsamplings` is 1000, outside"),
        ("pictures of four channels", file.configured(in_channels=4), INVALID, "`in_channels` is 4"),
        ("black that is white", file.configured(input=[1, 1]), INVALID, "`input`"),
        ("groups that do not divide the width", gan.configured(norm_groups=3), INVALID, "`norm_groups` 3 does not divide"),
        ("no group", gan.configured(norm_groups=0), INVALID, "`norm_groups` is 0, outside"),
        ("no level", gan.configured(ch_mult=[]), INVALID, "`ch_mult (its length)` is 0"),
        ("levels whose widths overflow", gan.configured(ch_mult=[2**63]), INVALID, "not valid"),
        ("an epsilon of zero", gan.configured(norm_eps=0), INVALID, "`norm_eps` must be positive"),
        # Valid, and another model's; a giant is refused before anything is made for it.
        ("the config of a giant", file.configured(hidden=16384, n_embed=2**20), MISMATCH, "other tensors do not match"),
        ("the config of a deeper model", file.configured(downsamplings=2), MISMATCH, "`decoder.up.0.bias` has shape"),
        ("the config of more codes", file.configured(n_embed=8), MISMATCH, "has shape [4, 2] where [8, 2]"),
        ("the config of another kind of model", replace(file, metadata=gan.metadata), MISMATCH, "is missing, and"),
    ]:
        yield name, bad.bytes(), code, says


def of_others() -> Iterator[tuple | dict]:
    """Files without a config of this project's, which their names and shapes have to tell."""
    file = taming()
    wide = tensor([0.5] * 3, [3], "F16")

    def other(**tensors: Tensor) -> File:
        return File(tensors, {"format": "pt"})

    bert = {
        "bert.embeddings.word_embeddings.weight": blank("F32", [8, 4]),
        "bert.encoder.layer.0.attention.self.query.weight": blank("F32", [4, 4]),
    }
    unet = {"model.diffusion_model.input_blocks.0.0.weight": blank("F16", [2, 3, 3, 3])}
    query = "encoder.mid_block.attentions.0"
    twice = {f"{query}.{name}.weight": blank("F16", [2, 2]) for name in ("to_q", "query")}
    level = "encoder.down_blocks.0.resnets.0.conv1.weight"
    llamagen = {"encoder.conv_blocks.0.res.0.conv1.weight": blank("F16", [2, 2, 3, 3])}
    levels = {f"encoder.down.{i}.block.0.conv1.weight": blank("F16", [2, 2, 3, 3]) for i in range(9)}
    conv_in, conv1 = "encoder.conv_in.weight", "encoder.down.0.block.0.conv1.weight"
    codebook = "quantize.embedding.weight"
    for name, bad, code, says in [
        ("a language model", other(**bert), UNKNOWN, NO_KIND),
        ("the diffusion model without its autoencoder", other(**unet), UNKNOWN, NO_KIND),
        ("taming without its codebook", file.without(codebook), "no_codebook", "has no codebook"),
        ("taming without its encoder's first layer", file.without(conv_in), MISMATCH, f"`{conv_in}` is missing"),
        ("taming with a first layer of two sides", file.set(conv_in, blank("F16", [2, 27])), MISMATCH, "or misshapen"),
        ("taming of no width", file.set(conv_in, blank("F16", [0, 3, 3, 3])), INVALID, "has a width of zero"),
        ("taming with a level of another width", file.set(conv1, blank("F16", [3, 2, 3, 3])), INVALID, "does not divide the width 3"),
        ("taming with an empty codebook", file.set(codebook, blank("F16", [0, 2])), INVALID, "`n_embed` is 0"),
        ("taming of nine levels", file.put(**levels), INVALID, "`ch_mult (its length)` is 9"),
        ("taming for four channels", file.set(conv_in, blank("F16", [2, 4, 3, 3])), INVALID, "`in_channels` is 4"),
        ("taming without what its shapes cannot tell", file, INVALID, "`norm_groups` 32 does not divide the width 2"),
        ("diffusers with two names for one tensor", other(**twice, **{level: blank("F16", [2, 2, 3, 3])}),
         MISMATCH, "both stand for `encoder.mid.attn_1.q.weight`"),
        ("diffusers with one tensor", other(**{level: blank("F16", [2, 2, 3, 3])}), MISMATCH, f"`{conv_in}` is missing"),
        ("LlamaGen with one tensor", other(**llamagen), MISMATCH, f"`{conv_in}` is missing"),
    ]:  # fmt: skip
        yield name, bad.bytes(), code, says
    fits = b'{"norm_num_groups": 1}'
    for name, bad, code, says in [
        ("taming with a tensor missing", file.without("quant_conv.bias"), MISMATCH, "`quant_conv.bias` is missing"),
        ("taming with a tensor misshapen", file.set("decoder.norm_out.bias", wide), MISMATCH, "has shape [3] where [2]"),
        ("taming with a tensor too many", file.put(logits=wide), MISMATCH, "`logits` is not part of this model"),
        ("taming with a weight in whole numbers", file.set("quant_conv.bias", blank("I64", [2])), MISMATCH, "stored as I64"),
    ]:
        yield {"name": name, "data": bad.bytes(), "code": code, "says": says, "config": fits}
    nan = replace(vqgan(), metadata={}).spoilt("post_quant_conv.weight", float("nan"), "F16")
    yield {
        "name": "taming with a weight that is NaN", "data": nan, "config": fits,
        "code": "weights_not_finite", "says": "`post_quant_conv.weight`",
    }  # fmt: skip


def beside() -> Iterator[dict]:
    """A config.json that comes with a good file."""
    deep = b'{"x":' + b"[" * 4000 + b"]" * 4000 + b"}"
    for name, config, says in [
        ("a config file that is empty", b"", "the config file: EOF"),
        ("a config file that is not JSON", b"norm_num_groups: 1\n", "the config file: expected"),
        ("a config file that is a web page", b"<!DOCTYPE html><title>404</title>", "the config file: expected value"),
        ("a config file that is cut short", b'{"norm_num_groups": ', "the config file: EOF"),
        ("a config file in Latin-1", b'{"norm_num_groups": 0, "author": "Andr\xe9"}', "configuration is not valid"),
        ("a config file nested 4000 arrays deep", deep, "`norm_groups` 32 does not divide"),
        ("a config file that is a list", b"[1]", "configuration is not valid"),
        ("a config file of no use", b"{}", "`norm_groups` 32 does not divide"),
        ("a config file without groups", b'{"norm_num_groups": 0}', "`norm_groups` is 0, outside"),
        ("a config file with groups that do not divide", b'{"norm_num_groups": 3}', "3 does not divide the width 2"),
        ("a config file with a thousand million groups", b'{"norm_num_groups": 1000000000}', "is 1000000000, outside"),
        ("a config file with groups past every number", b'{"norm_num_groups": 1e400}', "the config file: "),
        ("a config file with groups in words", b'{"norm_num_groups": "one"}', "the config file: invalid type"),
        ("a config file with groups twice", b'{"norm_groups": 1, "norm_num_groups": 1}', "duplicate field"),
        ("a config file with an epsilon below zero", b'{"norm_groups": 1, "norm_eps": -1}', "`norm_eps` must be positive"),
        ("a config file with a vast side", b'{"norm_groups": 1, "sample_size": 2147483648}', "`resolution` is"),
        ("a config file with one colour", b'{"norm_groups": 1, "input": [1, 1]}', "`input` must be two"),
        ("a config file with an unknown quantizer", b'{"norm_groups": 1, "quantizer": "lfq"}', "unknown variant `lfq`"),
    ]:
        yield {
            "name": name, "data": None, "file": "good-taming.safetensors", "config": config,
            "code": INVALID, "says": says,
        }  # fmt: skip
