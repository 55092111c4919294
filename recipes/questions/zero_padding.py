"""Does zero padding add features?

It adds no information: the zeros are the same for every picture. It is there to keep the size. Without it each 3 × 3
layer takes two rows and columns, and the corners have less and less say: a corner pixel is seen by one window, a
middle one by nine. Padding raises that to four.

It does leave a mark. A window at the border averages in zeros: of a picture that is 1 everywhere an averaging layer
makes 1 in the middle, 2/3 at an edge and 4/9 in a corner, and layer by layer the darker rim grows inwards. So a net
can tell from it how near the border is. That is a feature of the position, not of the picture, and the only one added.

    python recipes/questions/zero_padding.py
"""

import numpy as np

from pellucid.plots.curves import curves
from pellucid.scratch.convolution.im2col import conv_backward_im2col, conv_forward_im2col

SIZE, LAYERS = 16, 6
MEAN = np.full((1, 1, 3, 3), 1 / 9)


def through(layers: int, pad: int) -> np.ndarray:
    """A picture (16, 16) of ones after so many averaging layers."""
    x = np.ones((1, 1, SIZE, SIZE))
    for _ in range(layers):
        x, _ = conv_forward_im2col(x, MEAN, np.zeros(1), {"stride": 1, "pad": pad})
    return x[0, 0]


def windows(pad: int) -> np.ndarray:
    """How many windows of one layer see each pixel: the gradient of the sum of its outputs, with weights of 1."""
    x = np.ones((1, 1, SIZE, SIZE))
    out, cache = conv_forward_im2col(x, np.ones((1, 1, 3, 3)), np.zeros(1), {"stride": 1, "pad": pad})
    return conv_backward_im2col(np.ones_like(out), cache)[0][0, 0]


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Sizes without padding, and the rim that padding makes."""
    rows, lines = [], {}
    for layers in range(LAYERS + 1):
        without, padded = through(layers, 0), through(layers, 1)
        middle = SIZE // 2
        rim = int(np.sum(padded[middle, :middle] < 0.999))
        cells = [padded[middle, middle], padded[middle, 0], padded[0, 0]]
        sizes = [f"{len(without)} × {len(without)}", f"{len(padded)} × {len(padded)}"]
        rows.append([str(layers), *sizes, *(f"{cell:.3f}" for cell in cells), str(rim)])
        if layers in (0, 1, 3, 6):
            name = f"{layers} layers" if layers != 1 else "1 layer"
            lines[name] = (np.arange(SIZE), padded[middle])
    picture = curves(lines, "A row through a picture of ones, padded with zeros", "column", "output")
    return ["layers", "size without", "with padding", "middle", "edge", "corner", "rim in pixels"], rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(14) for cell in row))
