"""Writes the damaged weight files next to this script; see README.md. `--check` compares instead."""

import argparse
import json
import sys
from pathlib import Path

import cases
import weights

HERE = Path(__file__).resolve().parent
#: What each damaged file would be, and what stays in use.
GOOD = {
    "good.safetensors": weights.vqvae,
    "good-vqgan.safetensors": weights.vqgan,
    "good-int8.safetensors": weights.int8,
    "good-taming.safetensors": weights.taming,
}


def made() -> dict[str, bytes]:
    """Every file by its path."""
    files = {name: make().bytes() for name, make in GOOD.items()}
    files["good-taming.json"] = cases.TAMING_CONFIG
    index = []
    for case in cases.all_cases():
        entry = {"name": case.name, "file": case.file or f"files/{case.stem}.safetensors"}
        if case.config is not None:
            entry["config"] = f"files/{case.stem}.json"
            files[entry["config"]] = case.config
        entry |= {"code": case.code, "says": case.says}
        if case.page:
            entry["page"] = case.page
        if case.data is not None:
            assert entry["file"] not in files, case.name
            files[entry["file"]] = case.data
        index.append(entry)
    lines = ",\n".join(f"  {json.dumps(entry, ensure_ascii=False)}" for entry in index)
    files["index.json"] = f"[\n{lines}\n]\n".encode()
    return files


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare with the files, write none")
    check = parser.parse_args().check

    files = made()
    there = {f"files/{path.name}" for path in HERE.glob("files/*")}
    stale = sorted(there - set(files))
    for name, data in files.items():
        path = HERE / name
        if check:
            if not (path.exists() and path.read_bytes() == data):
                stale.append(name)
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
    total = sum(len(data) for data in files.values())
    print(f"{len(files)} files, {total} bytes, the largest {max(map(len, files.values()))}")
    if stale:
        print("stale:", ", ".join(stale), file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
