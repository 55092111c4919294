"""Which filter against which noise?

The median against pixels that are simply wrong, the Gaussian against noise that is a little everywhere. A white pixel
among grey ones is the largest of its neighbours, so the median never sees more of it than of any other; a mean spreads
it over the neighbours. Noise that is drawn from a normal distribution is in every pixel: averaging many cancels it,
and the median, which lets most of the values go unused, does that worse.

The table gives the peak signal-to-noise ratio in dB, more is better, of two photographs after salt and pepper, white
impulses and normal noise, and after each filter; the best of each row is named. On the flower, whose petals are
smooth, the median is 5 dB better against wrong pixels than any Gaussian. On the pagoda, full of detail no wider than a
pixel, it leads by half a dB or less: every filter takes detail away with the noise, and against normal noise only the
weakest Gaussian pays at all.

(The photographs are flower.jpg and china.jpg of scikit-learn, by vultilion and danielbuechele, CC BY 2.0.)

    python recipes/classic/noise_and_filters.py
"""

from collections.abc import Callable

import numpy as np
from PIL import Image
from sklearn.datasets import load_sample_image

from pellucid.ops.filters.gaussian import gaussian_filter
from pellucid.ops.filters.median import median_filter
from pellucid.ops.filters.noise import gaussian_noise, impulse, salt_and_pepper
from pellucid.ops.filters.psnr import psnr
from pellucid.plots import svg
from pellucid.report.embed import data_uri

Change = Callable[[np.ndarray], np.ndarray]

NOISES: dict[str, Change] = {
    "salt and pepper, 5 %": lambda x: salt_and_pepper(x, 0.05),
    "impulses, 5 %": lambda x: impulse(x, 0.05),
    "normal, deviation 20": lambda x: gaussian_noise(x, 20.0),
}
FILTERS: dict[str, Change] = {
    "none": lambda x: x,
    "median 3": lambda x: median_filter(x, 3),
    "median 5": lambda x: median_filter(x, 5),
    "Gaussian 0.7": lambda x: gaussian_filter(x, 0.7),
    "Gaussian 1": lambda x: gaussian_filter(x, 1.0),
    "Gaussian 1.5": lambda x: gaussian_filter(x, 1.5),
}
DRAWN = ("none", "median 3", "Gaussian 1")


PHOTOGRAPHS = {"flower": (150, 50, 450, 350), "china": (150, 30, 450, 330)}  # and which part


def photograph(name: str) -> np.ndarray:
    """(300, 300) uint8, grey."""
    return np.asarray(Image.fromarray(load_sample_image(f"{name}.jpg")).convert("L").crop(PHOTOGRAPHS[name]))


def levels(name: str) -> list[list[str]]:
    """PSNR of one photograph: a row for each noise."""
    clean, rows = photograph(name), []
    for noise, spoil in NOISES.items():
        noisy = spoil(clean)
        found = {kind: psnr(change(noisy), clean) for kind, change in FILTERS.items()}
        best = max(found, key=lambda kind: found[kind])
        rows.append([f"{name}: {noise}", *(f"{level:.1f}" for level in found.values()), best])
    return rows


def experiment() -> tuple[list[str], list[list[str]], str]:
    """PSNR in dB for each photograph, noise and filter; a part of the flower drawn."""
    rows = [row for name in PHOTOGRAPHS for row in levels(name)]
    clean, parts = photograph("flower"), [svg.text(0, 18, "Noise (rows), and what filters make of it", "title")]
    for k, (noise, spoil) in enumerate(NOISES.items()):
        noisy = spoil(clean)
        for column, name in enumerate(DRAWN):
            left, top, result = 162 * column, 52 + 180 * k, FILTERS[name](noisy)
            words = f"{'noisy' if name == 'none' else name}: {psnr(result, clean):.1f} dB"
            part = Image.fromarray(result[90:198, 90:198])
            parts += [svg.image(left, top, 150, 150, data_uri(part, exact=True), f"{noise}, {words}")]
            parts += [svg.text(left, top - 8, words, "soft")]
    label = "The median removes salt, pepper and impulses; the Gaussian smooths normal noise."
    return ["noise", *FILTERS, "best"], rows, svg.document(480, 568, label, parts)


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(20) for cell in row))
