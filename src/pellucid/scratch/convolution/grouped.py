"""Grouped convolution: the channels cut into groups, each of which sees itself alone.

Formula:
    y[group] = w[group] * x[group] + b[group],  with C / G channels and F / G filters a group

Derivation:
    A convolution whose weights between different groups are zero, and are not stored: G times fewer weights and
    multiply-adds. Nothing mixes the groups, so forward and backward are those of G convolutions side by side. As
    im2col: the rows of the columns come sorted by channel, so cutting them into G is cutting the groups, and one
    product of stacked matrices does them all. G = 1 is the ordinary layer, G = C the depthwise one. AlexNet's two
    towers are G = 2 (its reason was memory), ResNeXt takes 32, and ShuffleNet shuffles channels in between, lest the
    groups never meet.

Source: Krizhevsky et al., "ImageNet Classification with Deep Convolutional Neural Networks", 2012; Xie et al.,
    "Aggregated Residual Transformations", 2017.
"""

import numpy as np

from pellucid.core.errors import DataError
from pellucid.scratch.convolution.im2col import col2im, im2col
from pellucid.scratch.convolution.size import ConvParam, Window, conv_window

Cache = tuple[np.ndarray, np.ndarray, Window]


def conv_forward_grouped(
    x: np.ndarray, w: np.ndarray, b: np.ndarray, conv_param: ConvParam
) -> tuple[np.ndarray, Cache]:
    """A convolution in groups.

    Args:
        x: (N, C, H, W) inputs; the first C / G channels are the first group.
        w: (F, C / G, HH, WW) kernels; the first F / G belong to the first group.
        b: (F,) biases.
        conv_param: "groups", G; "stride" and "pad"; optional "dilation" and "strict", see `conv_window`.

    Returns:
        out (N, F, H', W'), and what backward needs.

    Raises:
        DataError: the shapes do not fit each other, or a setting is missing or does not fit.
    """
    if "groups" not in conv_param:
        raise DataError('grouped convolution: conv_param must have "groups", it is missing.')
    groups = conv_param["groups"]
    if groups < 1 or len(w) % groups:
        raise DataError(f"grouped convolution: {groups} groups do not divide the {len(w)} kernels of w {w.shape}.")
    window = conv_window(x, w, b, conv_param, groups)
    places = window.out[0] * window.out[1]
    columns = im2col(x, window).reshape(len(x), groups, w[:1].size, places)  # (N, G, C/G·HH·WW, H'·W')
    out = w.reshape(groups, len(w) // groups, w[:1].size) @ columns  # (N, G, F/G, H'·W')
    return out.reshape(len(x), len(w), *window.out) + b[:, None, None], (columns, w, window)


def conv_backward_grouped(dout: np.ndarray, cache: Cache) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients dx, dw and db from dout (N, F, H', W')."""
    columns, w, window = cache
    n, groups, rows, places = columns.shape
    dy = dout.reshape(n, groups, len(w) // groups, places)
    dw = (dy @ columns.swapaxes(2, 3)).sum(axis=0)
    dcolumns = w.reshape(groups, len(w) // groups, rows).swapaxes(1, 2) @ dy  # (N, G, C/G·HH·WW, H'·W')
    return col2im(dcolumns.reshape(n, groups * rows, places), window), dw.reshape(w.shape), dout.sum(axis=(0, 2, 3))
