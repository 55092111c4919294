"""Convolution with fewer multiplications: four rows of outputs by six products instead of twelve (Winograd).

Formula:
    y = Aᵀ [(G g) ⊙ (Bᵀ d)]:  d six inputs, g three taps, y the four outputs y_i = Σ_u g_u d_{i+u}
    With matrices for numbers: along the height of a 3 x WW kernel, ⊙ is a product of matrices over (v, c).

Derivation:
    Multiplying polynomials p (of degree 2, coefficients g) and q (degree 3) gives one of degree 5, which six values
    fix: take both at 0, 1, -1, 2, -2 and ∞ (the leading coefficient), multiply the values (six products, not twelve),
    interpolate. Evaluation and interpolation are fixed matrices. So for coefficients y of q: s = B [(G g) ⊙ (A y)].
    This is linear in y, and its transpose is the formula above, with d in the place of s: coefficient k of the
    product is Σ g_u y_{k-u}, so its transpose is Σ_u g_u d_{i+u}, the convolution.
    The six products become six matrix products, F x WW·C with WW·C x places, half the work of im2col. Bᵀ and Aᵀ are
    small matrix products over long rows, which cost little. Backward is the transpose of each step:
        dM = A dy;  dU_a = dM_a V_aᵀ, dw = Gᵀ dU;  dV_a = U_aᵀ dM_a, dd = B dV_a   (M = U ⊙ V, U = G g, V = Bᵀ d)
    Column 1 of Aᵀ (the value at 1) is all ones: a bias added to that product reaches all four rows.
    The price is rounding: values at ±2 are larger than what is left in the end. In float32 the error is about 2e-6
    of the largest output, some five times that of direct sums.

Source: Lavin, Gray, "Fast Algorithms for Convolutional Neural Networks", 2016; Winograd, "Arithmetic Complexity of
    Computations", 1980.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from pellucid.core.errors import DataError
from pellucid.scratch.convolution.blocked import blocks, groups_of
from pellucid.scratch.convolution.size import ConvParam, Window, conv_window

# Bᵀ, G and Aᵀ of six points. Rows of G: the values of g at 0, 1, -1, 2, -2, ∞, each over the derivative there of the
# polynomial that vanishes at the five finite points.
INPUTS = (
    (4, 0, -5, 0, 1, 0),
    (0, -4, -4, 1, 1, 0),
    (0, 4, -4, -1, 1, 0),
    (0, -2, -1, 2, 1, 0),
    (0, 2, -1, -2, 1, 0),
    (0, 4, 0, -5, 0, 1),
)
KERNEL = (
    (1 / 4, 0, 0),
    (-1 / 6, -1 / 6, -1 / 6),
    (-1 / 6, 1 / 6, -1 / 6),
    (1 / 24, 1 / 12, 1 / 6),
    (1 / 24, -1 / 12, 1 / 6),
    (0, 0, 1),
)
OUTPUTS = (
    (1, 1, 1, 1, 1, 0),
    (0, 1, -1, 2, -2, 0),
    (0, 1, 1, 4, 4, 0),
    (0, 1, -1, 8, -8, 1),
)
Cache = tuple[list[np.ndarray], np.ndarray, Window]


def conv_forward_winograd(
    x: np.ndarray, w: np.ndarray, b: np.ndarray, conv_param: ConvParam
) -> tuple[np.ndarray, Cache]:
    """As `conv_forward_naive`, for kernels of three rows, stride 1 and no dilation.

    Args:
        x: (N, C, H, W) inputs.
        w: (F, C, 3, WW) kernels.
        b: (F,) biases.
        conv_param: "stride" 1, and "pad": a number or (height, width), less than WW to the sides.

    Returns:
        out (N, F, H + 2 pad - 2, W + 2 pad - WW + 1), and what backward needs.

    Raises:
        DataError: the shapes do not fit each other, a setting is missing, or is not one of these.
    """
    window = conv_window(x, w, b, conv_param)
    if not fits(window):
        raise DataError(
            f"Winograd's convolution needs a kernel of 3 rows, stride 1, no dilation and less padding than the kernel"
            f" is wide, got kernel {window.kernel}, stride {window.stride}, dilation {window.dilation} and padding"
            f" {window.pad}. Use conv_forward_fast, which takes it where it can."
        )
    n, f, (height, width) = len(x), len(w), window.out
    into, out_of = np.array(INPUTS, x.dtype), np.array(OUTPUTS, x.dtype)  # Bᵀ and Aᵀ
    kernels = _transform(w)  # (6, WW, C, F)
    matrices = np.ascontiguousarray(kernels.reshape(6, -1, f).transpose(0, 2, 1))  # (6, F, WW·C)
    out = np.empty((n, f, height, width), x.dtype)
    laid_out = []
    for pictures in groups_of(n, width):
        laid = _lay_out(x[pictures], window)  # (C, 4 T + 2, W + 2 P, N)
        six, together = _six_rows(laid), laid.shape[3]
        for tiles in blocks(six.shape[1], width * together):
            v = _apply(into, six[:, tiles])  # (6, C, tiles, (W + 2 P)·N)
            m = np.empty((6, f, v.shape[2], width * together), x.dtype)
            for point in range(6):
                columns = _beside(v[point], window.kernel[1], together)
                np.matmul(matrices[point], columns, out=m[point].reshape(f, -1))
            m[1] += b[:, None, None]
            y = (out_of @ m.transpose(1, 2, 0, 3)).reshape(f, -1, width, together)  # (F, 4·tiles, W', N)
            rows = out[pictures, :, 4 * tiles.start : 4 * tiles.stop]
            rows[...] = y[:, : rows.shape[2]].transpose(3, 0, 1, 2)
        laid_out.append(laid)
    return out, (laid_out, kernels, window)


def conv_backward_winograd(dout: np.ndarray, cache: Cache) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients dx, dw and db from dout (N, F, H', W')."""
    laid_out, kernels, window = cache
    n, f, _, out_width = dout.shape
    (top, left), (height, width), taps, c = window.pad, window.size, window.kernel[1], kernels.shape[2]
    into, out_of = np.array(INPUTS, dout.dtype), np.array(OUTPUTS, dout.dtype)
    # Sideways the way back to x is an ordinary convolution with the kernel turned and the rest of the padding.
    side = taps - 1 - left
    turned = np.ascontiguousarray(kernels[:, ::-1].transpose(0, 2, 1, 3)).reshape(6, c, taps * f)
    dturned, db = np.zeros((6, taps * f, c), dout.dtype), np.zeros(f, dout.dtype)
    dx = np.empty((n, c, height, width), dout.dtype)
    for pictures, laid in zip(groups_of(n, out_width), laid_out, strict=True):
        six, together = _six_rows(laid[:, :, left : left + width]), laid.shape[3]
        dlaid = np.zeros((*laid.shape[:2], width * together), dout.dtype)
        dsix = _six_rows(dlaid)
        for tiles in blocks(six.shape[1], width * together):
            dy = _four_rows(dout[pictures, :, 4 * tiles.start : 4 * tiles.stop], side)  # (F, tiles, 4, (W' + 2 side)·N)
            dm = _apply(out_of.T, dy)  # (6, F, tiles, (W' + 2 side)·N)
            v = _apply(into, six[:, tiles])  # (6, C, tiles, W·N)
            dv = np.empty_like(v)
            for point in range(6):
                columns = _beside(dm[point], taps, together)  # (WW·F, tiles·W·N)
                np.matmul(turned[point], columns, out=dv[point].reshape(c, -1))
                dturned[point] += columns @ v[point].reshape(c, -1).T
            db += dm[1].sum(axis=(1, 2))
            dinputs = into.T @ dv.transpose(1, 2, 0, 3)  # (C, tiles, 6, W·N)
            dsix[:, tiles, :4] += dinputs[:, :, :4]
            dsix[:, tiles, 4:] += dinputs[:, :, 4:]  # the first two rows of the next tile
        inside = dlaid[:, top : top + height].reshape(c, height, width, together)
        dx[pictures] = inside.transpose(3, 0, 1, 2)
    dw = np.array(KERNEL, dout.dtype).T @ dturned.reshape(6, -1)
    dw = dw.reshape(3, taps, f, c)[:, ::-1].transpose(2, 3, 0, 1)
    return dx, np.ascontiguousarray(dw), db


def fits(window: Window) -> bool:
    """Whether these windows can be had this way."""
    plain = window.stride == (1, 1) and window.dilation == (1, 1)
    return plain and window.kernel[0] == 3 and window.pad[1] < window.kernel[1]


def _transform(w: np.ndarray) -> np.ndarray:
    """The kernels at the six points: (F, C, 3, WW) -> (6, WW, C, F)."""
    f, c, rows, taps = w.shape
    return (np.array(KERNEL, w.dtype) @ w.transpose(2, 3, 1, 0).reshape(rows, -1)).reshape(6, taps, c, f)


def _lay_out(x: np.ndarray, window: Window) -> np.ndarray:
    """Pictures innermost, zeros around: (N, C, H, W) -> (C, 4 T + 2, W + 2 P, N), T tiles of four rows of outputs."""
    (top, left), (height, width), tiles = window.pad, window.size, -(-window.out[0] // 4)
    laid = np.zeros((x.shape[1], 4 * tiles + 2, window.padded[1], len(x)), x.dtype)
    laid[:, top : top + height, left : left + width] = x.transpose(1, 2, 3, 0)
    return laid


def _four_rows(dout: np.ndarray, side: int) -> np.ndarray:
    """Pictures innermost, zeros beside and below: (N, F, rows, W') -> (F, tiles, 4, (W' + 2 side)·N)."""
    n, f, rows, width = dout.shape
    tiles = -(-rows // 4)
    laid = np.zeros((f, 4 * tiles, width + 2 * side, n), dout.dtype)
    laid[:, :rows, side : side + width] = dout.transpose(1, 2, 3, 0)
    return laid.reshape(f, tiles, 4, -1)


def _six_rows(laid: np.ndarray) -> np.ndarray:
    """Each tile with the two rows it shares with the next: (C, 4 T + 2, ...) -> a view (C, T, 6, run)."""
    rows = laid.reshape(*laid.shape[:2], -1)
    return sliding_window_view(rows, 6, axis=1, writeable=True)[:, ::4].swapaxes(2, 3)


def _apply(matrix: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Bᵀ or A along the rows of each tile: (C, tiles, rows, run) -> (6, C, tiles, run)."""
    c, tiles, _, run = rows.shape
    points = np.empty((len(matrix), c, tiles, run), rows.dtype)
    np.matmul(matrix, rows, out=points.transpose(1, 2, 0, 3))
    return points


def _beside(rows: np.ndarray, taps: int, step: int) -> np.ndarray:
    """What each tap sees, one below the other: (C, tiles, run + (taps - 1)·step) -> (taps·C, tiles·run)."""
    c, tiles, length = rows.shape
    run = length - (taps - 1) * step
    seen = np.empty((taps, c, tiles, run), rows.dtype)
    for tap in range(taps):
        seen[tap] = rows[:, :, tap * step : tap * step + run]
    return seen.reshape(taps * c, tiles * run)
