"""Layers written by hand in NumPy, side by side with PyTorch's.

    python benchmarks/numpy_layers.py [--quick] [--rounds 7] [--only WORD]

Forward and backward in float32, with the gradients of inputs, weights and biases; one thread on one core; a process
for each variant, which take turns. Before a layer is timed, all its variants are computed once and compared.
"""

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"  # NumPy reads them when it is imported

import argparse
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import timing
import torch
import torch.nn.functional as F
from torch import Tensor
from workers import Turn, Worker, serve, take_turns

from pellucid.scratch.convolution.fast import conv_backward_fast, conv_forward_fast
from pellucid.scratch.convolution.fft import conv_backward_fft, conv_forward_fft
from pellucid.scratch.convolution.im2col import conv_backward_im2col, conv_forward_im2col
from pellucid.scratch.convolution.loops import conv_backward_naive, conv_forward_naive
from pellucid.scratch.normalisation.layer import layernorm_backward, layernorm_forward
from pellucid.scratch.normalisation.spatial_batch import spatial_batchnorm_backward, spatial_batchnorm_forward
from pellucid.scratch.pooling.average import average_pool_backward, average_pool_forward
from pellucid.scratch.pooling.max import max_pool_backward_fast, max_pool_forward_fast
from pellucid.scratch.recurrent.lstm import lstm_backward, lstm_forward

TORCH, LOOPS = "torch", "loops"
TOLERANCE = 1e-4  # of the largest entry, in float32
SECONDS = 0.3  # of one turn, at least
CONV_FLOOR, CONV_AIM = 0.5, 1.0  # times torch's speed
KERNELS = (3, 5, 7, 9, 11, 15, 19, 23, 27, 31)

Arrays = tuple[np.ndarray, ...]
Pass = tuple[Callable[..., Any], Callable[..., Any]]  # forward and backward


@dataclass(frozen=True)
class Case:
    """A layer with its inputs.

    Attributes:
        title: what it is.
        shapes: of the arrays that have gradients, the inputs first.
        twin: PyTorch's layer, on tensors of these shapes.
        ours: variants by hand; forward takes the arrays, and the settings if there are any.
        settings: the last argument of forward.
        macs: multiply-adds of the forward pass; 0 where they are not what takes the time.
        floor: how many times torch's speed the last variant has to reach; 0 asks for nothing.
        compared: how many of the results are compared: the output and then the gradients, in their order.
    """

    title: str
    shapes: tuple[tuple[int, ...], ...]
    twin: Callable[..., Tensor]
    ours: Mapping[str, Pass]
    settings: dict[str, Any] = field(default_factory=dict)
    macs: int = 0
    floor: float = 0.0
    compared: int = 9

    def arrays(self) -> Arrays:
        """The same for all variants: noise, weights scaled so that outputs are about 1."""
        rng = np.random.default_rng(0)
        first, *others = self.shapes
        scaled = [rng.standard_normal(shape) / np.sqrt(max(1, np.prod(shape[1:]))) for shape in others]
        return rng.standard_normal(first).astype(np.float32), *(array.astype(np.float32) for array in scaled)


# ------------------------------------------------------------------------------------------------------ the cases

CONV_WAYS: dict[str, Pass] = {
    LOOPS: (conv_forward_naive, conv_backward_naive),
    "im2col": (conv_forward_im2col, conv_backward_im2col),
    "FFT": (conv_forward_fft, conv_backward_fft),
    "fast": (conv_forward_fast, conv_backward_fast),
}


def convolution(
    n: int, c: int, size: int, f: int, kernel: int, stride: int = 1, ways: Sequence[str] = tuple(CONV_WAYS)
) -> Case:
    """Square pictures and kernels, padding of half the kernel."""
    pad = kernel // 2
    out = (size + 2 * pad - kernel) // stride + 1
    strided = f", stride {stride}" if stride > 1 else ""
    return Case(
        f"Convolution {kernel}x{kernel}, {c} to {f} channels, {size}x{size}, batch {n}{strided}",
        ((n, c, size, size), (f, c, kernel, kernel), (f,)),
        partial(F.conv2d, stride=stride, padding=pad),
        {way: CONV_WAYS[way] for way in ways},
        {"stride": stride, "pad": pad},
        macs=n * f * out * out * c * kernel * kernel,
        floor=CONV_FLOOR,
    )


def pooling(name: str, forward: Callable[..., Any], backward: Callable[..., Any], twin: Any, window: int) -> Case:
    return Case(
        f"{name} pooling {window}x{window}, stride 2, 32 channels, 32x32, batch 64",
        ((64, 32, 32, 32),),
        partial(twin, kernel_size=window, stride=2),
        {"fast": (forward, lambda dout, cache: (backward(dout, cache),))},
        {"pool_height": window, "pool_width": window, "stride": 2},
    )


def spatial_batch_norm(x: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
    return F.batch_norm(x, torch.zeros_like(gamma), torch.ones_like(gamma), gamma, beta, training=True)


def layer_norm(x: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
    return F.layer_norm(x, gamma.shape, gamma, beta)


def lstm(x: Tensor, h0: Tensor, wx: Tensor, wh: Tensor, b: Tensor) -> Tensor:
    """PyTorch's own, with its layout of weights: gates i, f, g, o, one row a unit."""
    weights = [wx, wh, b, torch.zeros_like(b)]
    start = (h0[None], torch.zeros_like(h0)[None])
    return torch.lstm(x, start, weights, True, 1, 0.0, True, False, True)[0]


def lstm_by_hand(
    x: np.ndarray, h0: np.ndarray, wx: np.ndarray, wh: np.ndarray, b: np.ndarray, settings: Any
) -> tuple[Any, Any]:
    """The course's layout of the same weights: gates i, f, o, g, one column a unit."""
    return lstm_forward(x, h0, wx, wh, b)


CASES: dict[str, Case] = {
    "conv-3x3-32-64": convolution(64, 32, 16, 64, 3),
    "conv-3x3-64-64": convolution(16, 64, 32, 64, 3),
    "conv-3x3-3-32": convolution(64, 3, 32, 32, 3),
    "conv-5x5-3-32": convolution(64, 3, 32, 32, 5),
    "conv-1x1-64-128": convolution(64, 64, 16, 128, 1, ways=(LOOPS, "im2col", "fast")),
    "conv-3x3-32-64-stride-2": convolution(64, 32, 16, 64, 3, 2),
    "conv-1x1-64-128-stride-2": convolution(64, 64, 16, 128, 1, 2, ways=(LOOPS, "im2col", "fast")),
    "max-pool-2x2": pooling("Max", max_pool_forward_fast, max_pool_backward_fast, F.max_pool2d, 2),
    "max-pool-3x3": pooling("Max", max_pool_forward_fast, max_pool_backward_fast, F.max_pool2d, 3),
    "average-pool-2x2": pooling("Average", average_pool_forward, average_pool_backward, F.avg_pool2d, 2),
    "average-pool-3x3": pooling("Average", average_pool_forward, average_pool_backward, F.avg_pool2d, 3),
    "batch-norm": Case(
        "Spatial batch norm, 64 channels, 16x16, batch 64",
        ((64, 64, 16, 16), (64,), (64,)),
        spatial_batch_norm,
        {"fast": (spatial_batchnorm_forward, spatial_batchnorm_backward)},
        {"mode": "train"},
    ),
    "layer-norm": Case(
        "Layer norm, 256 numbers, 1280 of them",
        ((1280, 256), (256,), (256,)),
        layer_norm,
        {"fast": (layernorm_forward, layernorm_backward)},
        {"eps": 1e-5},
    ),
    "lstm": Case(
        "LSTM, 20 steps, 256 inputs, 256 units, batch 64",
        ((64, 20, 256), (64, 256), (1024, 256), (1024, 256), (1024,)),
        lstm,
        {"fast": (lstm_by_hand, lstm_backward)},
        macs=20 * 64 * 2 * 256 * 1024,
        compared=3,  # weights are laid out differently
    ),
    **{f"kernel-{k}": convolution(8, 8, 64, 8, k, ways=("FFT", "fast")) for k in KERNELS},
}


# ---------------------------------------------------------------------------------------------------- the variants


def by_torch(case: Case) -> Callable[[], list[np.ndarray]]:
    """Forward and backward as PyTorch does them: eager, NCHW."""
    tensors = [torch.from_numpy(array).requires_grad_() for array in case.arrays()]
    dout = torch.from_numpy(_dout(tuple(case.twin(*tensors).shape)))

    def step() -> list[np.ndarray]:
        out = case.twin(*tensors)
        return [each.detach().numpy() for each in (out, *torch.autograd.grad(out, tensors, dout))]

    return step


def by_hand(case: Case, variant: str, batch: int | None = None) -> Callable[[], list[np.ndarray]]:
    """The same in NumPy; of the first `batch` inputs alone, if it is given."""
    forward, backward = case.ours[variant]
    first, *others = case.arrays()
    arrays = [first[:batch], *(_as_in_the_course(array) if forward is lstm_by_hand else array for array in others)]
    dout = _dout(forward(*arrays, dict(case.settings))[0].shape)

    def step() -> list[np.ndarray]:
        out, cache = forward(*arrays, dict(case.settings))
        return [out, *backward(dout, cache)]

    return step


def _dout(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(1).standard_normal(shape).astype(np.float32)


def _as_in_the_course(array: np.ndarray) -> np.ndarray:
    """Weights of the LSTM from gates i, f, g, o to i, f, o, g, and from rows to columns; h0 as it is."""
    if len(array) != 1024:
        return array
    i, f, g, o = np.split(array, 4)
    return np.ascontiguousarray(np.concatenate([i, f, o, g]).T)


def work(name: str, variant: str) -> None:
    """The process of one variant. Loops take one input of the batch: all of them would take minutes."""
    timing.use_one_core()
    case = CASES[name]
    step = by_torch(case) if variant == TORCH else by_hand(case, variant, 1 if variant == LOOPS else None)
    serve(lambda: len(step()))


# ------------------------------------------------------------------------------------------------ turns and tables


def compare(case: Case) -> str:
    """Largest difference of any variant from torch; ends the program when one is too large."""
    wanted = by_torch(case)()
    worst = 0.0
    for variant in case.ours:
        if variant != LOOPS:
            got = by_hand(case, variant)()
            for ours, theirs in list(zip(got, wanted, strict=True))[: case.compared]:
                worst = max(worst, float(np.abs(ours - theirs).max() / np.abs(theirs).max()))
                if not worst <= TOLERANCE or ours.dtype != np.float32:
                    sys.exit(f"{case.title}: {variant} differs from torch by {worst:.1e}, dtype {ours.dtype}.")
    return f"Outputs and gradients differ from torch's by at most {worst:.0e} of the largest entry."


def measure(name: str, rounds: int) -> dict[str, timing.Timed]:
    """Let all variants of a case take turns; the times of loops are of the whole batch."""
    case = CASES[name]
    print(case.title, file=sys.stderr)
    script, one_thread = str(Path(__file__)), {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with ExitStack() as stack:
        turns: dict[str, Callable[[], Turn]] = {}
        for variant in (TORCH, *case.ours):
            worker = stack.enter_context(Worker([script, "--work", name, variant], one_thread))
            turns[variant] = partial(worker.ask, seconds=SECONDS)
        times = take_turns(turns, rounds, say=False)
    if LOOPS in times:
        batch = case.shapes[0][0]
        times[LOOPS].cpu = [batch * seconds for seconds in times[LOOPS].cpu]
        times[LOOPS].wall = [batch * seconds for seconds in times[LOOPS].wall]
    return times


def section(name: str, times: Mapping[str, timing.Timed]) -> str:
    """A case: table, check, floor."""
    case, peer, rows = CASES[name], times[TORCH], []
    for variant, timed in times.items():
        rate = f"{6 * case.macs / timed.median() / 1e9:.0f}" if case.macs else "-"
        cells = [f"{1e3 * timed.median():.2f}", f"{1e3 * timed.median('wall'):.2f}", rate]
        rows.append([variant, *cells, f"{timing.ratio(peer, timed):.3g}"])
    header = ["variant", "CPU ms", "wall ms", "GFLOP/s of direct sums", "times torch's speed (CPU)"]
    parts = [f"## {case.title}", timing.table(header, rows), compare(case)]
    if case.floor:
        found = timing.ratio(peer, times["fast"])
        reached = "met" if found >= case.floor else "MISSED"
        aim = "reached" if found >= CONV_AIM else "not reached"
        parts.append(
            f"**Fast:** {found:.2f} times torch's speed; floor {case.floor}: {reached}; aim {CONV_AIM}: {aim}."
        )
    return "\n\n".join(parts)


def crossover(rounds: int) -> str:
    """FFT against direct sums over kernel sizes: where does it begin to pay?"""
    rows, first = [], None
    for k in KERNELS:
        times = measure(f"kernel-{k}", rounds)
        fold = timing.ratio(times["fast"], times["FFT"])
        if fold > 1 and first is None:
            first = k
        rows.append(
            [f"{k}x{k}", *(f"{1e3 * times[way].median():.1f}" for way in ("fast", "FFT", TORCH)), f"{fold:.2f}"]
        )
        differ = compare(CASES[f"kernel-{k}"])
    header = ["kernel", "fast, CPU ms", "FFT, CPU ms", "torch, CPU ms", "FFT, times fast's speed"]
    verdict = f"FFT is the quicker one from {first}x{first} on." if first else "FFT is never the quicker one."
    title = "## FFT against direct sums: 8 to 8 channels, 64x64, batch 8, padding of half the kernel"
    return "\n\n".join([title, timing.table(header, rows), f"{verdict} {differ}"])


ABOUT = """\
Forward and backward, float32, one thread, medians over the rounds; ratios are medians of the rounds' ratios, by \
processor time. *Torch* is eager, NCHW. *GFLOP/s of direct sums* counts two for each multiply-add of the plain \
formula, forward once and backward twice: Winograd's way needs fewer, so it may exceed what the processor can do. \
*Loops* are timed on one picture, times the batch."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="two rounds of two small layers; no result file")
    parser.add_argument("--only", metavar="WORD", help="cases with this word in their name; no result file")
    parser.add_argument("--work", nargs=2, metavar=("CASE", "VARIANT"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.work:
        work(*asked.work)
        return
    timing.use_one_core()
    rounds = 2 if asked.quick else asked.rounds
    names = ["conv-1x1-64-128-stride-2", "layer-norm"] if asked.quick else [n for n in CASES if "kernel" not in n]
    names = [name for name in names if (asked.only or "") in name]
    results = {name: measure(name, rounds) for name in names}
    parts = [ABOUT, *(section(name, times) for name, times in results.items())]
    if not asked.quick and not asked.only:
        folds = [timing.ratio(results[name][TORCH], results[name]["fast"]) for name in names if CASES[name].floor]
        parts.insert(1, f"Convolution: {min(folds):.2f} to {max(folds):.2f}, median {statistics.median(folds):.2f}.")
        parts.append(crossover(rounds))
    print("\n\n".join(parts))
    if not asked.quick and not asked.only:
        command = f"python benchmarks/numpy_layers.py --rounds {rounds}"
        timing.write_result("numpy_layers", "NumPy layers", command, ["torch", "numpy"], parts)


if __name__ == "__main__":
    main()
