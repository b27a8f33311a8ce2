"""Files of other kinds, named as if they held weights."""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator

NO_HEADER = "its header is too long, or it has none"
TEXT = "Just some words that somebody wrote down, with no tensors in them.\n"
PAGE = """<!DOCTYPE html>
<html><head><title>404 Not Found</title></head>
<body><h1>Not Found</h1><p>The weights that you asked for are not here.</p></body></html>
"""
YAML = "model:\n  target: taming.models.vqgan.VQModel\n  params:\n    embed_dim: 256\n"
POINTER = """version https://git-lfs.github.com/spec/v1
oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393
size 12345
"""


def cases() -> Iterator[tuple | dict]:
    corrupt = "weights_corrupt"
    yield "an empty file", b"", corrupt, "shorter than a header"
    yield "one byte", b"\0", corrupt, "shorter than a header"
    yield "seven bytes", b"\x10" + bytes(6), corrupt, "shorter than a header"
    yield "eight zero bytes", bytes(8), corrupt, "its header: EOF"
    yield "a kilobyte of zeros", bytes(1024), corrupt, "its header: EOF"
    yield "a kilobyte of ones", b"\xff" * 1024, corrupt, NO_HEADER
    yield "a text file", TEXT.encode(), corrupt, "a text file"
    yield "an HTML error page", PAGE.encode(), corrupt, "a web page"
    yield "a pointer of Git LFS", POINTER.encode(), corrupt, "a Git LFS pointer"
    yield "a config file", b'{"kind": "vqvae", "hidden": 2}\n', corrupt, "a JSON file"
    yield "a training config in YAML", YAML.encode(), corrupt, "a YAML file"
    yield "a GGUF", b"GGUF\x03\0\0\0" + bytes(80), corrupt, "a GGUF file"
    yield "a gzip", gzipped(TEXT.encode()), corrupt, "unpack it"
    yield "a PNG", png(), corrupt, "a picture"
    yield "a token file", tokens(), corrupt, "a token file"
    # The page reads no pickle, nor what may hold one: zips, and what begins as pickles do.
    pickle = b"\x80\x02}q\x00."
    archive = zipped({"archive/data.pkl": pickle, "archive/version": b"3\n"})
    before = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03." + pickle
    for name, code, data, says in [
        ("a zip", corrupt, zipped({"readme.txt": TEXT.encode()}), "data.pkl"),
        ("a PyTorch checkpoint of nothing", corrupt, archive, "no named tensors"),
        ("a PyTorch checkpoint that tells no byte order", "pickle_refused", before, "little-endian"),
        ("a pickled number", corrupt, b"\x80\x02K\x07.", ""),
    ]:
        yield {"name": name, "data": data, "code": code, "says": says, "page": "weights_pickle"}


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.create_system = 3
            archive.writestr(entry, data)
    return out.getvalue()


def gzipped(data: bytes) -> bytes:
    # Stored, not deflated: every zlib then writes the same.
    packer = zlib.compressobj(0, zlib.DEFLATED, -15)
    header = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
    end = struct.pack("<II", zlib.crc32(data), len(data))
    return header + packer.compress(data) + packer.flush() + end


def png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    size = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0\xff\x80\0", 0)
    chunks = [(b"IHDR", size), (b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*c) for c in chunks)


def tokens() -> bytes:
    """One grid of 2×2 indices into four codes."""
    content = b"TSRA" + bytes([1, 1, 2, 0]) + struct.pack("<III", 4, 4, 4) + bytes(16)
    content += struct.pack("<II", 2, 2) + bytes([0b11100100])
    return content + struct.pack("<I", zlib.crc32(content))
