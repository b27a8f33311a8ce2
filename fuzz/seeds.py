"""Small pictures of each format to begin fuzzing with: `python fuzz/seeds.py` (Pillow 13, NumPy,
libwebp's cwebp). They go to `fuzz/seeds/`; JPEGs come from `tests/pictures/layouts` besides.
"""

import subprocess
from pathlib import Path

import numpy as np
from PIL import Image

SEEDS = Path(__file__).parent / "seeds"
for name in ["png", "jpeg", "webp"]:
    (SEEDS / name).mkdir(parents=True, exist_ok=True)


def waves(width, height, channels):
    y, x = np.mgrid[0:height, 0:width].astype(float)
    planes = [127.5 + 110 * np.sin(x * 0.3 + c * 1.3) * np.cos(y * 0.2 + c * 0.7) for c in range(channels)]
    return np.stack(planes, -1).round().astype("uint8")


for width, height in [(1, 1), (20, 13)]:
    size = f"{width}x{height}"
    grey = Image.fromarray(waves(width, height, 1)[..., 0])
    rgb = Image.fromarray(waves(width, height, 3))
    rgba = Image.fromarray(waves(width, height, 4), "RGBA")
    deep = Image.fromarray(waves(width, height, 1)[..., 0].astype("uint16") * 257)
    kinds = {
        "grey": grey,
        "grey-alpha": Image.fromarray(waves(width, height, 2), "LA"),
        "rgb": rgb,
        "rgba": rgba,
        "palette": rgb.quantize(16),
        "one-bit": grey.convert("1"),
        "sixteen-bit": deep,
    }
    for name, picture in kinds.items():
        picture.save(SEEDS / f"png/{size}-{name}.png")

    grey.save(SEEDS / f"jpeg/{size}-grey.jpg")
    rgb.convert("CMYK").save(SEEDS / f"jpeg/{size}-cmyk.jpg")
    rgb.save(SEEDS / f"jpeg/{size}-rgb.jpg", keep_rgb=True)
    rgb.save(SEEDS / f"jpeg/{size}-restarts.jpg", restart_marker_blocks=1)
    rgb.save(SEEDS / f"jpeg/{size}-progressive.jpg", restart_marker_rows=1, progressive=True, subsampling=2)

    def cwebp(picture, name, *options):
        picture.save(SEEDS / "source.png")
        out = SEEDS / f"webp/{size}-{name}.webp"
        subprocess.run(["cwebp", "-quiet", *options, SEEDS / "source.png", "-o", out], check=True)
        (SEEDS / "source.png").unlink()

    for quality in ["10", "90"]:
        cwebp(rgb, f"lossy-{quality}", "-q", quality)
        for index, alpha_filter in enumerate(["none", "fast", "best"]):
            options = ["-alpha_filter", alpha_filter, "-alpha_method", str(index % 2)]
            cwebp(rgba, f"alpha-{quality}-{alpha_filter}", "-q", quality, *options)
    for effort in ["0", "3", "5", "9"]:
        cwebp(rgb, f"lossless-{effort}", "-lossless", "-z", effort)
        cwebp(rgba, f"lossless-alpha-{effort}", "-lossless", "-z", effort)
    for segments in ["1", "2", "4"]:
        options = ["-segments", segments, "-sns", "80", "-f", "60", "-partition_limit", "50"]
        cwebp(rgb, f"segments-{segments}", *options)
    for name, lossless in [("lossy", False), ("lossless", True)]:
        frames = {"save_all": True, "append_images": [rgba.rotate(180)], "lossless": lossless}
        rgba.save(SEEDS / f"webp/{size}-animated-{name}.webp", **frames)
