"""Gradient flow: how long the gradient of each layer is, epoch after epoch."""

from collections.abc import Mapping, Sequence

import numpy as np

from pellucid.plots import svg
from pellucid.plots.curves import curves


def gradient_flow(norms: Mapping[str, Sequence[float]], title: str = "Gradient flow") -> str:
    """Draw one curve a layer over the epochs, on a logarithmic axis.

    Curves that stay together show gradients that keep their size on the way back. Ever lower ones towards the first
    layers have vanished, ever higher ones exploded; a gap is a gradient of exactly 0.

    Args:
        norms: layer -> lengths of its gradient, one an epoch, the first layer first. Of more layers than there are
            colours, as many are drawn, evenly spread, the first and the last among them.
        title: heading inside the drawing.

    Returns:
        SVG.
    """
    names = list(norms)
    if len(names) > svg.SERIES:
        names = [names[k] for k in np.linspace(0, len(names) - 1, svg.SERIES).round().astype(int)]
    series = {_label(name, norms[name]): (range(1, len(norms[name]) + 1), norms[name]) for name in names}
    return curves(series, title, y_label="length of the gradient", log_y=True)


def _label(name: str, lengths: Sequence[float]) -> str:
    zero = sum(length == 0 for length in lengths)
    return f"{name} (0 in {zero} of {len(lengths)})" if zero else name
