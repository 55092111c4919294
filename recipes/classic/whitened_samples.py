"""What does whitening leave of a picture?

Its edges. Neighbouring pixels are nearly equal, so most of what varies from picture to picture is slow shading.
Whitening makes all directions vary equally, and the slow ones no longer drown the fine ones. Two whitenings do this
equally well: no pixel is correlated with another. In PCA's frame the result looks like noise, as each of its values is
the strength of a whole pattern. ZCA turns it back into the frame of the pixels. Of all whitenings it moves the data
least, and a shoe is still a shoe.

The opposite of whitening is to keep only what varies most. Four components in place of hundreds have more than half of
the variance, and show which kind of thing it is; what tells two shirts from each other is in the rest.

Mean and covariance come from the training pictures; those shown are test pictures. In directions that hardly vary
there is mostly noise; a small constant in the division keeps it small in the drawing. The table is without it, and of
pictures of half the size, where no pixel is blank in all of them: a pixel that never varies cannot be given a variance.

    python recipes/classic/whitened_samples.py
"""

from functools import cache

import numpy as np

from pellucid.classic.preprocessing.centre import Centre
from pellucid.classic.preprocessing.pca import PCA
from pellucid.classic.preprocessing.whiten import Whiten
from pellucid.data.assets import fashion_mini
from pellucid.plots import svg
from pellucid.plots.classic.samples import samples
from pellucid.report.embed import data_uri

N, SHOWN, SIDE, KEPT = 4000, 8, 28, (4, 16, 64)
EPS = 0.01  # of pixels from 0 to 1: the variance of what is mostly noise


@cache
def pictures(role: str, n: int) -> np.ndarray:
    """Fashion pictures (n, 784) in 0..1."""
    return np.asarray(fashion_mini.read()[role][0][:n].reshape(n, -1) / 255)


def halved(X: np.ndarray) -> np.ndarray:
    """The mean of each 2 x 2 pixels: (N, 784) becomes (N, 196)."""
    return X.reshape(len(X), SIDE // 2, 2, SIDE // 2, 2).mean(axis=(2, 4)).reshape(len(X), -1)


def largest_correlation(X: np.ndarray) -> float:
    """Largest absolute correlation of two different columns of X (N, D); columns without variance have none."""
    found = np.corrcoef(X[:, X.std(axis=0) > 1e-6].T)
    return float(np.abs(found - np.eye(len(found))).max())


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Correlations and distances after each preparation, and eight pictures of it."""
    train, test = pictures("train", N), pictures("test", SHOWN)
    small = halved(train)
    centred = small - small.mean(axis=0)
    rows, sheet = [], {"as they are": test, "centred": Centre().fit(train).transform(test)}
    rows.append(["as they are", f"{largest_correlation(small):.3f}", "", ""])
    for kind, name in (("pca", "PCA white"), ("zca", "ZCA white")):
        white = Whiten(kind).fit_transform(small)
        away = np.sqrt(((white - centred) ** 2).mean())
        rows.append([name, f"{largest_correlation(white):.1e}", f"{away:.3f}", ""])
        sheet[name] = Whiten(kind, EPS).fit(train).transform(test)
    for k in KEPT:
        few = PCA(k).fit(small)
        lost = np.sqrt(((few.inverse_transform(few.transform(small)) - small) ** 2).mean())
        rows.append([f"{k} components", "", f"{lost:.3f}", f"{few.explained_variance_ratio_.sum():.3f}"])
        few = PCA(k).fit(train)
        sheet[f"{k} components"] = few.inverse_transform(few.transform(test))
    drawn = samples(sheet, (SIDE, SIDE))
    tall = 480 * drawn.height / drawn.width
    title = svg.text(0, 18, "Eight test pictures after each preparation", "title")
    spoken = "ZCA whitening leaves the outlines of clothes; PCA whitening looks like noise; few components are blurred."
    picture = svg.document(
        480, tall + 32, spoken, [title, svg.image(0, 28, 480, tall, data_uri(drawn, exact=True), spoken)]
    )
    return ["preparation", "largest correlation", "away from the data", "variance kept"], rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(20) for cell in row))
