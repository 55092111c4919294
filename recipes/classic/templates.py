"""How many templates does a linear classifier have for a class?

One, however many looks the class has: a row of the weights, laid over the picture like a stencil. In photographs of
horses, some looking left and some right, the template grows two heads. Here all ankle boots of the training set point
to the left; then half of them are mirrored, so that the class has two modes.

Before, the template is a boot that points left: it is like the mean left boot and unlike the right one, and unlike its
own mirror image. After, it is nearly its own mirror image: a boot with two tips, about as like the one mode as the
other, and like neither as much as it was like the one. It pays for that: fewer boots are found. (The numbers are
correlations of pixels; a mean boot is taken less the mean of all other pictures.)

    python recipes/classic/templates.py
"""

import numpy as np
from PIL import Image

from pellucid.classic.linear.softmax import SoftmaxRegression
from pellucid.data.assets import fashion_mini
from pellucid.plots import svg
from pellucid.plots.classic.templates import as_pictures, templates
from pellucid.report.embed import data_uri

BOOT, N, SIDE = fashion_mini.CLASSES.index("Ankle boot"), 3000, 14


def pictures(role: str, n: int, mirrored: bool) -> tuple[np.ndarray, np.ndarray]:
    """Fashion pictures (n, 14, 14) in 0..1 and their classes; if `mirrored`, every second boot is."""
    images, labels = (part[:n] for part in fashion_mini.read()[role])
    small = images.reshape(-1, SIDE, 2, SIDE, 2).mean(axis=(2, 4)) / 255
    turned = np.flatnonzero(labels == BOOT)[::2] if mirrored else []
    small[turned] = small[turned, :, ::-1]
    return small, labels


def left_boot() -> np.ndarray:
    """The mean boot less the mean of all others, (14, 14)."""
    X, y = pictures("train", N, mirrored=False)
    return X[y == BOOT].mean(axis=0) - X[y != BOOT].mean(axis=0)


def alike(a: np.ndarray, b: np.ndarray) -> float:
    """Correlation of the pixels of two pictures."""
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def fitted(mirrored: bool) -> tuple[np.ndarray, float]:
    """All templates (10, 14, 14), and the share of the test set's boots that are found."""
    X, y = pictures("train", N, mirrored)
    model = SoftmaxRegression(reg=0.01).fit(X.reshape(N, -1), y)
    seen, truth = pictures("test", 2000, mirrored)
    found = model.predict(seen[truth == BOOT].reshape(-1, SIDE**2)) == BOOT
    return model.coef_.reshape(-1, SIDE, SIDE), float(found.mean())


def drawing(before: np.ndarray, after: np.ndarray) -> str:
    """Boots and their templates, and below them the templates of all classes."""
    boot = left_boot()
    shown = {"boots less others": boot, "mirrored": boot[:, ::-1], "template before": before[BOOT]}
    shown["template after"] = after[BOOT]
    parts = [svg.text(0, 18, "The template of boots that point both ways", "title")]
    for n, (name, values) in enumerate(shown.items()):
        picture = Image.fromarray(as_pictures(values.reshape(1, -1), (SIDE, SIDE))[0])
        parts.append(svg.image(122 * n, 32, 112, 112, data_uri(picture, exact=True), name))
        parts.append(svg.text(122 * n + 56, 162, name, "soft", "middle"))
    names = [name.split("/")[0] for name in fashion_mini.CLASSES]
    sheet = templates(after.reshape(10, -1), (SIDE, SIDE), names)
    tall = 480 * sheet.height / sheet.width
    parts.append(svg.text(0, 194, "All ten after half of the boots were mirrored", "soft"))
    parts.append(svg.image(0, 204, 480, tall, data_uri(sheet, exact=True), "templates of ten classes"))
    spoken = "The template of boots has one tip while all point left, and two after half of them were mirrored."
    return svg.document(480, 208 + tall, spoken, parts)


def experiment() -> tuple[list[str], list[list[str]], str]:
    """The boots' template before and after half of them were mirrored."""
    rows, found, left = [], [], left_boot()
    for name, mirrored in (("all point left", False), ("half are mirrored", True)):
        weights, recall = fitted(mirrored)
        own = weights[BOOT]
        numbers = [alike(own, left), alike(own, left[:, ::-1]), alike(own, own[:, ::-1])]
        rows.append([name, *(f"{number:.2f}" for number in numbers), f"{recall:.3f}"])
        found.append(weights)
    header = ["boots", "like left ones", "like right ones", "like its mirror image", "boots found"]
    return header, rows, drawing(*found)


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(22) for cell in row))
