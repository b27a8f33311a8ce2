"""JPEGs of every layout: `python layouts.py` (Pillow 13, NumPy, libjpeg-turbo 2.1's cjpeg and djpeg).

Each `SAMPLING-SCANS.jpg` has what djpeg makes of it beside it, as `SAMPLING-SCANS.png`. The sides
are no multiples of any block, so that scans of one component have fewer blocks than interleaved ones.
"""

import subprocess
from pathlib import Path

import numpy as np
from PIL import Image

FOLDER = Path(__file__).parent / "layouts"
WIDTH, HEIGHT = 33, 17
SCANS = {
    "together": None,
    "apart": "0;\n1;\n2;\n",
    "luma-chroma": "0;\n1 2;\n",
    "last-apart": "0 1;\n2;\n",
    "progressive": "progressive",
    "restarts": "restarts",
}
ALL = ["apart", "luma-chroma", "last-apart"]
FILES = {
    "2x2": [*ALL, "together", "progressive", "restarts"],  # 4:2:0
    "1x2": ALL,  # 4:4:0
    "4x1": ALL,  # 4:1:1
    "4x2": ALL,  # 4:1:0
    "2x2,2x1,1x2": ALL,
    "2x1,1x2,1x1": ALL,
    "1x1,2x1,2x1": ["together", "apart", "progressive"],  # luma coarser than chroma
    "1x1,2x2,2x2": ["together"],
    "3x1": ["together", "apart", "progressive"],
    "3x2": ["together"],
    "4x1,2x1,1x1": ["together", "apart"],  # the latter is one that no decoder here reads right
}

y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(float)
waves = [127.5 + 110 * np.sin(x * 0.09 + c * 1.3) * np.cos(y * 0.07 + c * 0.7) for c in range(3)]
source = Image.fromarray(np.stack(waves, -1).round().astype("uint8"))
FOLDER.mkdir(exist_ok=True)
ppm, script = FOLDER / "source.ppm", FOLDER / "scans.txt"
source.save(ppm)
for sampling, layouts in FILES.items():
    for layout in layouts:
        jpeg = FOLDER / f"{sampling.replace(',', '+')}-{layout}.jpg"
        command = ["cjpeg", "-quality", "92", "-sample", sampling, "-outfile", jpeg]
        if layout == "progressive":
            command.append("-progressive")
        elif layout == "restarts":
            command += ["-restart", "2B"]
        elif SCANS[layout]:
            script.write_text(SCANS[layout])
            command += ["-scans", script]
        subprocess.run([*command, ppm], check=True)
        pixels = subprocess.run(["djpeg", jpeg], check=True, capture_output=True).stdout
        ppm_out = FOLDER / "out.ppm"
        ppm_out.write_bytes(pixels)
        Image.open(ppm_out).save(jpeg.with_suffix(".png"), optimize=True)
        ppm_out.unlink()

# RGB without a transform to YCbCr, said by Adobe's segment alone: cjpeg's component names say it
# too, so they become 1, 2 and 3.
rgb = FOLDER / "rgb-together.jpg"
subprocess.run(["cjpeg", "-rgb", "-quality", "92", "-outfile", rgb, ppm], check=True)
pixels = subprocess.run(["djpeg", rgb], check=True, capture_output=True).stdout
(FOLDER / "out.ppm").write_bytes(pixels)
Image.open(FOLDER / "out.ppm").save(rgb.with_suffix(".png"), optimize=True)
(FOLDER / "out.ppm").unlink()
renamed = bytearray(rgb.read_bytes())
frame, scan = renamed.index(b"\xff\xc0"), renamed.index(b"\xff\xda")
for component in range(3):
    renamed[frame + 10 + 3 * component] = component + 1
    renamed[scan + 5 + 2 * component] = component + 1
(FOLDER / "rgb-by-adobe-together.jpg").write_bytes(renamed)
(FOLDER / "rgb-by-adobe-together.png").write_bytes(rgb.with_suffix(".png").read_bytes())

ppm.unlink()
script.unlink()
