"""Headers that are no header, and ranges that are not the data's."""

import copy
import json
from collections.abc import Callable, Iterator

from weights import raw, text, vqvae

CORRUPT = "weights_corrupt"
LENGTHS = "longer or shorter than its header says"
FIRST, SECOND = "decoder.conv_in.bias", "decoder.conv_in.weight"
ENTRY = b'{"dtype":"F32","shape":[0],"data_offsets":[0,0]}'


def cases() -> Iterator[tuple]:
    yield from lengths()
    yield from texts()
    yield from names()
    yield from entries()
    yield from ranges()


def lengths() -> Iterator[tuple]:
    header, data = vqvae().header()
    good = text(header)
    for name, length, says in [
        ("a header of 2^63 bytes", 2**63, "too long"),
        ("a header of 2^64 - 1 bytes", 2**64 - 1, "too long"),
        ("a header past the limit", 2**24 + 1, "too long"),
        ("a header of the limit, in a small file", 2**24, "ends in the middle of its header"),
        ("a header past the end of the file", len(good) + len(data) + 1, "ends in the middle of its header"),
        ("a header that takes all of the file", len(good) + len(data), "its header"),
        ("a header said to be empty", 0, "its header: EOF"),
        ("a header said to be shorter than it is", len(good) - 16, "its header: EOF"),
    ]:
        yield name, raw(good, data, length), CORRUPT, says
    padded = good + b" " * 8
    yield "eight bytes of the data said to be header", raw(padded, data[8:]), CORRUPT, LENGTHS
    whole = raw(good, data)
    yield "a byte after the end", whole + b"\0", CORRUPT, LENGTHS
    yield "the file twice", whole + whole, CORRUPT, LENGTHS
    yield "a byte missing at the end", whole[:-1], CORRUPT, LENGTHS
    yield "the header without its data", whole[: 8 + len(good)], CORRUPT, LENGTHS


def texts() -> Iterator[tuple]:
    header, data = vqvae().header()
    good = text(header)
    nested = b"[" * 4000
    for name, broken, says in [
        ("a header that is not UTF-8", good.replace(b"decoder", b"decod\xe9r", 1), "not UTF-8 text"),
        ("a header in UTF-16", good.decode().encode("utf-16"), "not UTF-8 text"),
        ("a header with a byte order mark", b"\xef\xbb\xbf" + good, "its header: expected value"),
        ("a header that is not JSON", b"decoder.conv_in.bias: float32", "its header: expected"),
        ("a header in Python's quotes", good.replace(b'"', b"'"), "its header: key must be a string"),
        ("a header cut in its middle", good[: len(good) // 2], "its header: EOF"),
        ("a header with text after it", good.rstrip() + b"{}", "its header: trailing characters"),
        ("a header padded with zeros", good + bytes(8), "its header: trailing characters"),
        ("a header with a trailing comma", good.replace(b"}}", b"},}"), "its header: trailing comma"),
        ("a header that is an array", b"[]", "expected a JSON object"),
        ("a header that is a number", b"3", "expected a JSON object"),
        ("a header that is null", b"null", "expected a JSON object"),
        ("a header nested 4000 arrays deep", nested, "its header"),
        ("a tensor nested 4000 arrays deep", b'{"a":' + nested + b"]" * 4000 + b"}", "its header: recursion"),
        (
            "metadata nested 1000 objects deep",
            b'{"__metadata__":' * 1000 + b"{}" + b"}" * 1000,
            "its header: recursion",
        ),
        ("metadata that are a list", b'{"__metadata__":["config"]}', "its header: invalid type"),
        ("metadata with a number", b'{"__metadata__":{"config":3}}', "its header: invalid type"),
    ]:
        yield name, raw(broken, data), CORRUPT, says


def names() -> Iterator[tuple]:
    header, data = vqvae().header()
    good = text(header).rstrip()
    entry = json.dumps(header[FIRST], separators=(",", ":")).encode()
    first = b'"' + FIRST.encode() + b'":' + entry
    assert first in good
    metadata = b'"__metadata__":' + json.dumps(header["__metadata__"], separators=(",", ":")).encode()
    assert metadata in good
    twice = f"`{FIRST}` occurs twice"
    escaped = first.replace(b'"d', b'"\\u0064', 1)
    for name, broken, says in [
        ("a tensor twice", good.replace(first, first + b"," + first), twice),
        ("a tensor twice, once in escapes", good.replace(first, first + b"," + escaped), twice),
        ("a tensor twice, the first one empty", b'{"' + FIRST.encode() + b'":' + ENTRY + b"," + good[1:], twice),
        ("metadata twice", b"{" + metadata + b"," + good[1:], "`__metadata__` occurs twice"),
        ("two configs", good.replace(b'{"config":', b'{"config":"{}","config":'), "`config` occurs twice"),
        ("a name of 2000 letters", good.replace(FIRST.encode(), b"x" * 2000), "too long a name or too many dimensions"),
        ("a name with a line break", good.replace(FIRST.encode(), b"two\\nlines"), "control characters"),
        ("a shape of 500 sides", good.replace(b'"shape":[2]', b'"shape":[' + b"1," * 499 + b"2]"), "too long a name or too many dimensions"),
    ]:
        assert broken != good, name
        yield name, raw(broken, data), CORRUPT, says


def entries() -> Iterator[tuple]:
    for name, change, says in [
        ("a type that is unknown", ("dtype", "F7"), "unknown variant `F7`"),
        ("a type that is a number", ("dtype", 32), "its header"),
        ("a type that is missing", ("dtype", None), "missing field `dtype`"),
        ("a shape that is missing", ("shape", None), "missing field `shape`"),
        ("a range that is missing", ("data_offsets", None), "missing field `data_offsets`"),
        ("a side below zero", ("shape", [-2]), "invalid value: integer `-2`"),
        ("a side that is a fraction", ("shape", [2.0]), "invalid type: floating point `2.0`"),
        ("a side past 64 bits", ("shape", [2**64]), "its header: "),
        ("a shape that is a number", ("shape", 2), "invalid type: integer `2`"),
        ("an offset below zero", ("data_offsets", [-8, 0]), "invalid value: integer `-8`"),
        ("an offset that is a fraction", ("data_offsets", [0.0, 8.0]), "invalid type: floating point `0.0`"),
        ("an offset past 64 bits", ("data_offsets", [0, 2**64]), "its header: "),
        ("an offset in quotes", ("data_offsets", ["0", "8"]), "invalid type: string"),
        ("a single offset", ("data_offsets", [0]), "invalid length 1"),
        ("three offsets", ("data_offsets", [0, 8, 16]), "invalid length 3"),
    ]:
        yield edited(name, says, lambda header, c=change: put(header[FIRST], *c))
    yield edited("a tensor that is null", "its header: invalid type", lambda header: put(header, FIRST, 0))
    header, data = vqvae().header()
    entry = b'{"dtype":"F32","dtype":"F16","shape":[0],"data_offsets":[0,0]}'
    yield "a type said twice", raw(b'{"a":' + entry + b"}", data), CORRUPT, "duplicate field `dtype`"


def put(entry: dict, field: str, value) -> None:
    if value is None:
        del entry[field]
    else:
        entry[field] = value


def ranges() -> Iterator[tuple]:
    header, _ = vqvae().header()
    start, end = header[SECOND]["data_offsets"]
    first = header[FIRST]["data_offsets"]
    # The first tensor has two values, the second 2×2×3×3.
    huge = 2**62
    for name, offsets, says in [
        ("a range that is reversed", [end, start], "invalid offset"),
        ("a range that overlaps the one before", [start - 4, end - 4], "invalid offset"),
        ("a range that is another's", [*first], "its header: "),
        ("a gap before a range", [start + 4, end + 4], "invalid offset"),
        ("a range that is too long for its shape", [start, end + 4], "shape, data type, or offset"),
        ("a range that is too short for its shape", [start, end - 4], "shape, data type, or offset"),
        ("a range past the file", [2**31, 2**31 + end - start], "invalid offset"),
        # In a browser numbers of more than 32 bits are refused as such.
        ("a range at the end of all numbers", [2**64 - 2, 2**64 - 1], "its header: "),
    ]:
        yield edited(name, says, lambda header, o=offsets: put(header[SECOND], "data_offsets", o))
    for name, shape, says in [
        ("a shape whose product overflows", [2**63, 2, 3, 3], "its header: "),
        ("a shape whose bytes overflow", [huge], "its header: "),
        ("a shape that overflows before its zero", [2**63, 4, 0, 1], "its header: "),
        ("a shape with a value more", [37], "shape, data type, or offset"),
        ("a shape with no side", [], "shape, data type, or offset"),
        ("a shape with a side of zero", [0, 2, 3, 3], "shape, data type, or offset"),
    ]:
        yield edited(name, says, lambda header, s=shape: put(header[SECOND], "shape", s))

    def halves(header: dict) -> None:
        header[FIRST]["dtype"] = "F16"

    yield edited("a type half as wide as its range", "shape, data type, or offset", halves)

    def nibbles(header: dict) -> None:
        header[FIRST] |= {"dtype": "F4", "shape": [15]}

    yield edited("a tensor that ends within a byte", "its header", nibbles)

    def later(header: dict) -> None:
        for entry in header.values():
            if "data_offsets" in entry:
                entry["data_offsets"] = [offset + 8 for offset in entry["data_offsets"]]

    yield edited("a gap at the beginning", "invalid offset", later)
    yield edited("a range that no tensor has", "invalid offset", lambda header: header.pop(SECOND))
    last = max((n for n in header if n != "__metadata__"), key=lambda n: header[n]["data_offsets"])
    yield edited("data of no tensor at the end", LENGTHS, lambda header: header.pop(last))


def edited(name: str, says: str, edit: Callable[[dict], object]) -> tuple:
    header, data = vqvae().header()
    header = copy.deepcopy(header)
    edit(header)
    return name, raw(text(header), data), CORRUPT, says
