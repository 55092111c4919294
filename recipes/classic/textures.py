"""Can a filter bank tell textures apart, wherever their stripes and dots lie?

Yes, and pixels cannot. A texture is not where its marks are but what they are like. So each of 48 filters (edges and
bars in six directions and three sizes, spots; Leung and Malik 2001) is laid over the whole picture, and of its answers
only statistics are kept: mean, spread, mean strength. Or every pixel's 48 answers are given to the nearest of 24
prototypes found by k-means (textons), and only how often each occurs is kept. Both forget places.

Below, 60 pictures of stripes and 60 of dots, at random places, directions and periods, with noise; half of them are
known, and each of the others gets the label of the nearest known one. By pixels that is no better than guessing, since
stripes half a period apart are as far from each other as can be; by what the filters answer it is nearly always right.

    python recipes/classic/textures.py
"""

import numpy as np
from PIL import Image

from pellucid.classic import KNearestNeighbors, Textons, filter_bank, response_statistics
from pellucid.plots import svg
from pellucid.plots.classic.kernels import kernels
from pellucid.report.embed import data_uri

N, SIDE = 120, 48


def textures() -> tuple[np.ndarray, np.ndarray]:
    """(N, 1, SIDE, SIDE) uint8; label 0 stripes, 1 dots."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:SIDE, :SIDE]
    pictures = []
    for label in np.arange(N) % 2:
        angle, period, places = rng.uniform(0, np.pi), rng.uniform(5, 10), rng.uniform(0, 10, 2)
        along = 2 * np.pi / period * (x * np.cos(angle) + y * np.sin(angle) + places[0])
        across = 2 * np.pi / period * (y * np.cos(angle) - x * np.sin(angle) + places[1])
        wave = np.cos(along) + label * np.cos(across)
        wave = wave / wave.std() + rng.normal(0, 0.7, wave.shape)
        pictures.append(np.clip(128 + 40 * wave, 0, 255))
    return np.array(pictures, dtype=np.uint8)[:, None], np.arange(N) % 2


def right(features: np.ndarray, labels: np.ndarray) -> float:
    """Share of the second half that the nearest of the first half names rightly."""
    known = KNearestNeighbors(1).fit(features[: N // 2], labels[: N // 2])
    return float(np.mean(known.predict(features[N // 2 :]) == labels[N // 2 :]))


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Accuracy of the nearest neighbour in each space, and the bank."""
    pictures, labels = textures()
    bank = filter_bank(size=25, sigmas=(1.0, 2**0.5, 2.0))
    statistics = np.asarray(response_statistics(pictures, bank))
    textons = Textons(24, bank, n_pixels=20_000, random_state=0).fit(pictures[: N // 2])
    spaces = {
        "pixels": pictures.reshape(N, -1).astype(np.float32),
        "statistics of the answers": (statistics - statistics.mean(0)) / statistics.std(0),
        "histogram of textons": np.asarray(textons.transform(pictures)),
    }
    rows = [[name, str(x.shape[1]), f"{right(x, labels):.3f}"] for name, x in spaces.items()]
    sheet = kernels(bank, columns=12)
    tall = 480 * sheet.height / sheet.width
    parts = [svg.text(0, 18, "Stripes, dots, and the bank that tells them apart", "title")]
    for k, picture in enumerate(pictures[:6, 0]):
        parts.append(svg.image(80 * k, 32, 76, 76, data_uri(Image.fromarray(picture), exact=True), "texture"))
    parts.append(svg.image(0, 120, 480, tall, data_uri(sheet, exact=True), "48 filters"))
    label = "Six textures, and 48 filters: edges and bars in six directions at three scales, and spots."
    return ["space", "numbers", "1-NN accuracy"], rows, svg.document(480, 124 + tall, label, parts)


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(26) for cell in row))
