"""PSNR and SSIM of scikit-image on 8-bit pictures."""

import numpy as np
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from golden import Golden


def pictures(height: int, width: int, noise: float):
    """A smooth picture with an edge in it, and the same with noise."""
    y, x = np.mgrid[0:height, 0:width]
    a = np.stack(
        [
            40 + 170 * x / width,
            220 - 180 * y / height,
            120 + 90 * np.sin(x / 5.0) * np.cos(y / 7.0),
        ],
        axis=-1,
    )
    a[height // 3 :, width // 2 :] *= 0.6
    b = a + noise * torch.randn(a.shape, dtype=torch.float64).numpy()
    return [np.clip(np.rint(p), 0, 255).astype(np.uint8) for p in (a, b)]


def luma(picture: np.ndarray) -> np.ndarray:
    return picture.astype(np.float64) @ np.array([0.299, 0.587, 0.114])


def metrics() -> Golden:
    golden = Golden({"window": 11, "sigma": 1.5, "luma": [0.299, 0.587, 0.114]})
    # The window fits once into the last one, and into a single column of the one before.
    cases = {
        "": (40, 48, 12.0),
        "faint.": (32, 24, 1.0),
        "tall.": (21, 11, 30.0),
        "small.": (11, 11, 12.0),
    }
    for name, (height, width, noise) in cases.items():
        a, b = pictures(height, width, noise)
        ssim = structural_similarity(
            luma(a),
            luma(b),
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            data_range=255,
        )
        golden.put(f"{name}a", torch.from_numpy(a))
        golden.put(f"{name}b", torch.from_numpy(b))
        for metric, value in {
            "psnr": peak_signal_noise_ratio(a, b, data_range=255),
            "ssim": ssim,
        }.items():
            value = torch.tensor([value], dtype=torch.float64)
            golden.put(f"{name}{metric}", value, exact=True)
    return golden


GOLDENS = {"metrics": metrics}
