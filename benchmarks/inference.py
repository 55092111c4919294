"""One prediction, side by side with the ways a competent person would run the network.

    python benchmarks/inference.py [--quick] [--rounds 9] [--only resnet18] [--one-thread]

The same network, weights and pictures for all, at 224 px, one picture at a time and eight. One thread on one core is
the verdict; two threads stand beside it. Outputs are compared in the same run.
"""

import argparse
import os
import sys
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import timing
import torch
from torch import Tensor, nn

from pellucid.core.device import cpu_features, has_fast_bf16
from pellucid.models import create
from pellucid.nn.convert.for_inference import for_inference

SIDE, CLASSES = 224, 1000
BATCHES = (1, 8)
FLOORS = {1: 4.0, 8: 3.0}  # batch -> how many times faster than eager ours has to be, of the networks marked
NETWORKS = {"resnet18": True, "resnet50": True, "mobilenet_v2": False, "vgg16": False}  # name -> whether floors hold
PLAIN = "eager float32 NCHW"
OURS = "ours, `for_inference(model)`"
EIGHT = 'ours, `precision="int8"`'
TOLERANCE = 1e-3  # of a variant in float32: difference over size of the outputs, both root mean squares

Runner = Callable[[Tensor], Tensor]


# -------------------------------------------------------------------------------------------------- the variants


def eager(model: nn.Module, x: Tensor) -> Runner:
    """The call a competent person writes first."""
    return model


def channels_last(model: nn.Module, x: Tensor) -> Runner:
    """The same, weights and pictures channels last."""
    model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return lambda x: model(x.contiguous(memory_format=torch.channels_last))


def frozen(model: nn.Module, x: Tensor) -> Runner:
    """Traced, frozen and optimised for inference by TorchScript, channels last."""
    model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    x = x.contiguous(memory_format=torch.channels_last)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TorchScript says that it will go one day
        traced = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(model, x)))
        for _ in range(3):
            traced(x)  # it compiles in its first calls
    return lambda x: traced(x.contiguous(memory_format=torch.channels_last))


def onnx_runtime(model: nn.Module, x: Tensor) -> Runner:
    """ONNX Runtime, float32, as it comes."""
    import onnxruntime

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.onnx"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(model, (x,), path, dynamo=False, input_names=["x"])
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        session = onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    return lambda x: torch.from_numpy(session.run(None, {"x": x.numpy()})[0])


def ours(model: nn.Module, x: Tensor) -> Runner:
    """What the package does by itself."""
    return for_inference(model, x)


def ours_eight_bits(model: nn.Module, x: Tensor) -> Runner:
    """What the package does when asked for eight bits; ranges come from the pictures themselves."""
    return for_inference(model, x, precision="int8")


VARIANTS: dict[str, Callable[[nn.Module, Tensor], Runner]] = {
    PLAIN: eager,
    "eager float32 channels last": channels_last,
    "traced + frozen float32 channels last": frozen,
    "ONNX Runtime float32": onnx_runtime,
    OURS: ours,
    EIGHT: ours_eight_bits,
}


# ------------------------------------------------------------------------------------------ turns and the table


@dataclass(frozen=True)
class Result:
    """Times of all variants of a network at a batch size, and how far their outputs are from the plain ones."""

    network: str
    batch: int
    threads: int
    times: dict[str, timing.Timed]
    apart: dict[str, float]
    allowed: dict[str, float]
    notes: tuple[str, ...]

    def fold(self, variant: str) -> float:
        """How many times faster than plain; by processor time at one thread, by wall time at more."""
        clock: Any = "cpu" if self.threads == 1 else "wall"
        return timing.ratio(self.times[PLAIN], self.times[variant], clock)


def measure(network: str, batch: int, threads: int, rounds: int) -> Result:
    """Let all variants of a network take turns."""
    print(f"{network}, batch {batch}, {threads} thread(s)", file=sys.stderr)
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    x = torch.randn(batch, 3, SIDE, SIDE)
    runners: dict[str, Runner] = {}
    left_out: list[str] = []
    for name, make in VARIANTS.items():
        torch.manual_seed(0)
        try:
            runners[name] = make(create(network, CLASSES).eval().requires_grad_(False), x)
        except ImportError as error:
            left_out.append(f"{name} left out: {error.name} is not installed")
    turns = {name: _turn(runner, x) for name, runner in runners.items()}
    with torch.inference_mode():
        times = timing.interleave(turns, rounds, say=False)
    wanted = times[PLAIN].output
    apart = {name: _apart(timed.output, wanted) for name, timed in times.items()}
    allowed = {name: getattr(runner, "tolerance", TOLERANCE) for name, runner in runners.items()}
    for name, share in apart.items():
        if not share <= allowed[name]:  # NaN too
            sys.exit(f"{network}: {name} differs from eager by {share:.2g} of the outputs, {allowed[name]} is allowed.")
    notes = getattr(runners[OURS], "notes", ())
    return Result(network, batch, threads, times, apart, allowed, (*notes, *left_out))


def _turn(runner: Runner, x: Tensor) -> Callable[[], Tensor]:
    return lambda: runner(x)


def _apart(got: Tensor, wanted: Tensor) -> float:
    return float((got - wanted).square().mean().sqrt() / wanted.square().mean().sqrt())


def judge(result: Result) -> str:
    """The floor, and what was found."""
    found, eight = result.fold(OURS), result.fold(EIGHT)
    if not NETWORKS[result.network] or not has_fast_bf16("cpu"):
        why = "no floor" if not NETWORKS[result.network] else "floors are for fast bf16, which this processor has not"
        return f"Batch {result.batch}: ours is {found:.2f} times as fast as eager, in eight bits {eight:.2f} ({why})."
    floor = FLOORS[result.batch]
    said, eight_said = ("met" if fold >= floor else "MISSED" for fold in (found, eight))
    return (
        f"**Batch {result.batch}, floor {floor:g} times eager: ours {found:.2f}, {said}; in eight bits {eight:.2f},"
        f" {eight_said}.**"
    )


def section(network: str, one: list[Result], two: list[Result]) -> str:
    """A network: table, floors, check."""
    rows = []
    for name in VARIANTS:
        if name not in one[0].times:
            continue
        cells: list[str] = []
        for result, beside in zip(one, two or [None] * len(one), strict=True):  # type: ignore[list-item]
            timed = result.times[name]
            cells += [f"{1e3 * timed.median() / result.batch:.1f}", f"{result.fold(name):.2f}"]
            cells += [f"{beside.fold(name):.2f}" if beside else "-"]
        rows.append([name, *cells, f"{max(result.apart[name] for result in one):.1e}"])
    header = ["variant"]
    for result in one:
        header += [f"batch {result.batch}: CPU ms a picture", "times eager", "times eager, 2 threads (wall)"]
    header.append("outputs differ by")
    turns = [timed for result in one for timed in result.times.values()]
    disturbed, number = sum(timed.disturbed for timed in turns), sum(len(timed.cpu) for timed in turns)
    about = (
        f"Ours: {'; '.join(one[0].notes)}. {disturbed} of {number} turns of one thread were disturbed (wall over CPU by"
        " more than 15 %)."
    )
    return "\n\n".join([f"## {network}", about, timing.table(header, rows), *map(judge, one)])


ABOUT = f"""\
Medians over the rounds, variants taking turns; ratios are medians of the rounds' ratios. The verdict is one thread on \
one core, by processor time. Two threads are information, by wall time, and mean little while other work shares the \
cores. {SIDE} px, {CLASSES} classes, weights as drawn. Outputs are compared with those of eager float32: root mean \
square of the difference over that of the outputs, at most {TOLERANCE:g} for float32 and what `for_inference` states \
for ours (0.05 in bf16, 0.2 in eight bits). One thread of this processor multiplies about twice as fast in bf16 as in \
float32, so folding, layout and packing have to give what is more than that."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--quick", action="store_true", help="two rounds of ResNet-18, one picture; no result file")
    parser.add_argument("--only", choices=NETWORKS, help="one network; no result file")
    parser.add_argument("--one-thread", action="store_true", help="leave two threads out, as on a busy machine")
    asked = parser.parse_args()
    networks = ["resnet18"] if asked.quick else [asked.only] if asked.only else list(NETWORKS)
    batches, rounds = ((1,), 2) if asked.quick else (BATCHES, asked.rounds)
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    results: dict[tuple[str, int], list[Result]] = {}
    if len(cores) > 1 and not asked.quick and not asked.one_thread:
        for name in networks:
            results[name, 2] = [measure(name, batch, 2, max(3, rounds // 2)) for batch in batches]
    timing.use_one_core()
    for name in networks:
        results[name, 1] = [measure(name, batch, 1, rounds) for batch in batches]
    found = sorted({"avx512_bf16", "amx_bf16", "bf16"} & cpu_features())
    bf16 = f"Fast bf16 of this processor: {', '.join(found) or 'none, so ours runs in float32'}."
    parts = [bf16, ABOUT, *(section(name, results[name, 1], results.get((name, 2), [])) for name in networks)]
    print("\n\n".join(parts))
    if not asked.quick and not asked.only:
        command = f"python benchmarks/inference.py --rounds {rounds}{' --one-thread' if asked.one_thread else ''}"
        timing.write_result("inference", "Inference", command, ["torch", "numpy", "onnxruntime"], parts)


if __name__ == "__main__":
    main()
