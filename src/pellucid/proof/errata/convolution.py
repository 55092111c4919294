"""Mistakes about convolution and pooling."""

import re
from collections.abc import Callable, Mapping
from itertools import product

import numpy as np
import torch
import torch.nn.functional as F

from pellucid.proof.errata.erratum import Erratum, apart
from pellucid.scratch.convolution.im2col import im2col
from pellucid.scratch.convolution.loops import conv_forward_naive
from pellucid.scratch.convolution.matrix import conv_matrix_1d
from pellucid.scratch.convolution.separable import separable_costs
from pellucid.scratch.convolution.size import conv_window, effective_size, output_size
from pellucid.scratch.pooling.max import max_pool_forward_fast

Array = np.ndarray


def convolve(x: Array, w: Array, pad: int | tuple[int, int] = 0) -> Array:
    """A convolution of stride 1 without biases: x (N, C, H, W), w (F, C, HH, WW)."""
    return conv_forward_naive(x, w, np.zeros(len(w)), {"stride": 1, "pad": pad})[0]


def _off_size(formula: Callable[[int, int, int, int], float]) -> float:
    """The largest difference in outputs from PyTorch, over sizes N, kernels F, strides S and paddings P."""
    found = []
    for N, K, S, P in product((7, 9), (3,), (1, 2), (0, 1)):
        out = F.conv2d(torch.zeros(1, 1, N, N), torch.zeros(1, 1, K, K), stride=S, padding=P)
        found.append(abs(formula(N, K, S, P) - out.shape[2]))
    return max(found)


OUTPUT_SIZE = Erratum(
    title="The size of a convolution's output",
    printed="The notes on separable convolution give H_A = (H_D - H_K + 2 · padding · stride) / stride + 1.",
    right="(H_D - H_K + 2 · padding) / stride + 1: the padding does not grow with the stride.",
    measure="largest difference in rows from PyTorch's output, strides 1 and 2, padding 0 and 1",
    error=_off_size,
    printed_version=lambda N, K, S, P: (N - K + 2 * P * S) / S + 1,
    right_version=output_size,
)


def _off_costs(tables: Mapping[str, Callable[[int, int, int, int], int]]) -> float:
    """The largest difference in parameters from PyTorch's layers, as a share of theirs; pictures of 4 × 4."""
    M, N, K, A = 3, 5, 3, 4
    layers = {
        "standard": torch.nn.Conv2d(M, N, K, bias=False),
        "separable": torch.nn.Sequential(
            torch.nn.Conv2d(M, M, K, groups=M, bias=False), torch.nn.Conv2d(M, N, 1, bias=False)
        ),
    }
    counts = {name: sum(p.numel() for p in layer.parameters()) for name, layer in layers.items()}
    return max(abs(table(M, N, K, A) - counts[name]) / counts[name] for name, table in tables.items())


SEPARABLE_COSTS = Erratum(
    title="Parameters and computation of separable convolution",
    printed="The table in the notes on separable convolution calls the counts with H_A · W_A in them Para, and those"
    " without it Cal.",
    right="The other way round. Parameters know nothing of the picture; computation is parameters times H_A · W_A. The"
    " ratio 1/N + 1/(H_K · W_K) is right for both.",
    measure="largest difference of Para from the parameters of PyTorch's layers for 4 × 4 outputs, as a share",
    error=_off_costs,
    printed_version={
        "standard": lambda M, N, K, A: A * A * N * K * K * M,
        "separable": lambda M, N, K, A: A * A * M * K * K + A * A * N * M,
    },
    right_version={
        "standard": lambda M, N, K, A: separable_costs(M, N, (K, K), (A, A))["standard"].parameters,
        "separable": lambda M, N, K, A: separable_costs(M, N, (K, K), (A, A))["separable"].parameters,
    },
)


def _im2col_rows() -> int:
    x, w = np.zeros((1, 3, 32, 32)), np.zeros((6, 3, 5, 5))
    return im2col(x, conv_window(x, w, np.zeros(6), {"stride": 1, "pad": 0})).shape[1]


IM2COL_ROWS = Erratum(
    title="How long a column of im2col is",
    printed="The example in the notes on im2col, 5 × 5 kernels on 32 × 32 × 3, says f = K = 5.",
    right="K is a whole window, all channels: 5 · 5 · 3 = 75. D = 6 kernels make a 6 × 75 matrix.",
    measure="difference from the rows of PyTorch's unfold",
    error=lambda rows: abs(rows - F.unfold(torch.zeros(1, 3, 32, 32), 5).shape[1]),
    printed_version=5,
    right_version=_im2col_rows(),
)

# ----------------------------------------------------------------------------------------- small kernels for large ones


def _field_by_gradient(layers: int, k: int) -> int:
    """Pixels along one axis that one output of a stack sees, by PyTorch's gradient."""
    x = torch.zeros(1, 1, 15, 15, requires_grad=True)
    y = x
    for _ in range(layers):
        y = F.conv2d(y, torch.ones(1, 1, k, k))
    gradient = torch.autograd.grad(y[0, 0, 0, 0], x)[0]
    return int((gradient[0, 0, 0] != 0).sum())


RECEPTIVE_FIELD = Erratum(
    title="The receptive field of one convolution",
    printed="The notes on receptive fields give k - 1 after one k × k convolution.",
    right="k. It grows by k - 1 a layer, so L layers have 1 + L (k - 1), as the same line goes on to say.",
    measure="largest difference from the pixels that PyTorch's gradient reaches, k = 3 and 5",
    error=lambda field: max(abs(field(k) - _field_by_gradient(1, k)) for k in (3, 5)),
    printed_version=lambda k: k - 1,
    right_version=lambda k: effective_size(k, 1),
)


def _best_5x5_misses() -> float:
    """What the best 5 × 5 kernel with a bias misses of two 3 × 3 with ReLU between, as a share of its deviation."""
    rng = np.random.default_rng(0)
    x, w1, w2 = rng.standard_normal((4, 1, 12, 12)), *rng.standard_normal((2, 1, 1, 3, 3))
    y = convolve(np.maximum(convolve(x, w1), 0), w2).ravel()
    w5 = np.zeros((1, 1, 5, 5))
    columns = im2col(x, conv_window(x, w5, np.zeros(1), {"stride": 1, "pad": 0}))  # (N, 25, places)
    rows = np.concatenate([columns.transpose(0, 2, 1).reshape(-1, 25), np.ones((y.size, 1))], axis=1)
    best = rows @ np.linalg.lstsq(rows, y, rcond=None)[0]
    return float((y - best).std() / y.std())


def _differs(what: str) -> float:
    if what == "size":
        return abs(output_size(output_size(32, 3), 3) - output_size(32, 5))
    if what == "field":
        return abs(_field_by_gradient(2, 3) - _field_by_gradient(1, 5))
    return _best_5x5_misses()


TWO_SMALL_KERNELS = Erratum(
    title="Two 3 × 3 in place of one 5 × 5",
    printed="The notes on small kernels: two 3 × 3 can replace a 5 × 5, with less computation and an unchanged result.",
    right="Size and receptive field stay, with 18 C² parameters for 25 C². The function is another one: a ReLU stands"
    " between, and even without it not every 5 × 5 kernel is two 3 × 3.",
    measure="largest difference in what is said to stay; for results, what the best 5 × 5 kernel misses, as a share",
    error=lambda claims: max(_differs(what) for what in claims),
    printed_version=("size", "field", "result"),
    right_version=("size", "field"),
)


def _off_rank_one(apply: Callable[[Array, Array, Array], Array]) -> float:
    rng = np.random.default_rng(1)
    x, row, column = (
        rng.standard_normal((1, 1, 6, 6)),
        rng.standard_normal((1, 1, 1, 3)),
        rng.standard_normal((1, 1, 3, 1)),
    )
    truth = F.conv2d(torch.tensor(x), torch.tensor(column @ row), padding=1)
    return apart(apply(x, row, column), truth)


ONE_BY_THREE = Erratum(
    title="1 × 3 and 3 × 1 in place of 3 × 3",
    printed="The notes on kernels convolve with 1 × 3 and with 3 × 1, each by itself, then concatenate.",
    right="One after the other. Together they are the 3 × 3 kernel column · row, of rank 1, with 6 weights for 9."
    " Only one block of Inception concatenates.",
    measure="largest difference from PyTorch's convolution with that 3 × 3 kernel",
    error=_off_rank_one,
    printed_version=lambda x, row, column: np.concatenate(
        [convolve(x, row, pad=(0, 1)), convolve(x, column, pad=(1, 0))], axis=1
    ),
    right_version=lambda x, row, column: convolve(convolve(x, row, pad=(0, 1)), column, pad=(1, 0)),
)

# -------------------------------------------------------------------------------------------------------------- pooling

POOL_FORMULAS = "W2 = (W1 - F)/S + 1; H2 = (H1 - F)/S + 1; D2 = D1"
POOL_SETTINGS = set(re.findall(r"[A-Z]\d?", POOL_FORMULAS)) - {"W1", "H1", "D1", "W2", "H2", "D2"}  # F and S


def _pooled_depth() -> int:
    pool_param = {"pool_height": 2, "pool_width": 2, "stride": 2}
    return max_pool_forward_fast(np.zeros((1, 64, 8, 8)), pool_param)[0].shape[1]


POOL_HYPERPARAMETERS = Erratum(
    title="How many hyperparameters pooling has",
    printed='A slide in the notes on pooling says "requires three hyperparameters" and lists two.',
    right="Two: the extent F and the stride S. Its formulas for the output have no other setting in them.",
    measure="difference from the settings in the slide's own formulas",
    error=lambda count: abs(count - len(POOL_SETTINGS)),
    printed_version=3,
    right_version=2,
)

POOL_DEPTH = Erratum(
    title="The depth of a pooled volume",
    printed="The notes on pooling say that the depth of input and output is 64 × 64.",
    right="64. Pooling works on each channel alone and shrinks height and width.",
    measure="difference from PyTorch's max pooling of 64 channels, as a share of its depth",
    error=lambda depth: depth / F.max_pool2d(torch.zeros(1, 64, 8, 8), 2).shape[1] - 1,
    printed_version=64 * 64,
    right_version=_pooled_depth(),
)

# ---------------------------------------------------------------------------------------------- convolution as a matrix

KERNEL, SIGNAL = (1.0, 2.0, 3.0), np.array([4.0, 5.0, 6.0, 7.0])  # (x, y, z) and (a, b, c, d)


def _printed_matrix(kernel: tuple[float, float, float]) -> Array:
    x, y, _ = kernel
    return np.array([[0.0] * k + [x, y, x] + [0.0] * (3 - k) for k in range(4)])


def _printed_transpose(kernel: tuple[float, float, float]) -> Array:
    (x, y, z), (a, b, c, d) = kernel, SIGNAL
    return np.array([a * x, a * y + b * x, a * z + b * y + c * x, b * z + c * y + d * x, d * z + d * y, d * y])


def _tensors(kernel: tuple[float, float, float]) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.tensor(SIGNAL)[None, None], torch.tensor(kernel, dtype=torch.float64)[None, None]


CONVOLUTION_MATRIX = Erratum(
    title="The matrix of a convolution",
    printed="The slide in the notes writes a convolution with (x, y, z) as a matrix with the rows [x y x 0 0 0].",
    right="Its rows are [x y z 0 0 0], each one place further right; the products on the slide do have the z.",
    measure="largest difference from PyTorch's convolution of (4, 5, 6, 7) with (1, 2, 3) and padding 1",
    error=lambda matrix: apart(matrix(KERNEL) @ np.pad(SIGNAL, 1), F.conv1d(*_tensors(KERNEL), padding=1)[0, 0]),
    printed_version=_printed_matrix,
    right_version=lambda kernel: conv_matrix_1d(np.array(kernel), len(SIGNAL) + 2),
)

TRANSPOSED_ENDS = Erratum(
    title="The last two outputs of a transposed convolution",
    printed="The same slide ends the product with the transposed matrix by dz + dy and dy.",
    right="cz + dy and dz: each input stamps the kernel (x, y, z), and z is what the last stamp ends with.",
    measure="largest difference from PyTorch's transposed convolution of (4, 5, 6, 7) with (1, 2, 3)",
    error=lambda product: apart(product(KERNEL), F.conv_transpose1d(*_tensors(KERNEL))[0, 0]),
    printed_version=_printed_transpose,
    right_version=lambda kernel: conv_matrix_1d(np.array(kernel), len(SIGNAL) + 2).T @ SIGNAL,
)

ERRATA = (
    OUTPUT_SIZE,
    SEPARABLE_COSTS,
    IM2COL_ROWS,
    CONVOLUTION_MATRIX,
    TRANSPOSED_ENDS,
    RECEPTIVE_FIELD,
    TWO_SMALL_KERNELS,
    ONE_BY_THREE,
    POOL_HYPERPARAMETERS,
    POOL_DEPTH,
)
