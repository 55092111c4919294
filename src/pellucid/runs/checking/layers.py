"""The section of the report that says what the monitor saw in the layers."""

import statistics
from collections.abc import Sequence
from pathlib import Path

from pellucid.core.files import read_lines
from pellucid.plots.curves import curves
from pellucid.plots.networks.layer_map import layer_map
from pellucid.report.blocks import Block, Cell, Figure, Section, Table
from pellucid.runs.stored import folder as files
from pellucid.training.health.monitor.snapshot import Snapshot

MOST_ROWS = 60  # of a table


def layers_section(run: Path) -> list[Section]:
    """One section, or none where nobody looked."""
    needed = ("step", "lr", "input_mean", "input_std", "activations", "weights")
    looks = [Snapshot.from_record(record) for record in read_lines(run / files.LAYERS, *needed)]
    if not looks:
        return []
    last = looks[-1]
    names = list(dict.fromkeys(name for look in looks for name in look.activations))
    steps = [look.step for look in looks]
    blocks: list[Block] = []
    if names:
        spread = {name: [_std(look, name) for look in looks] for name in names}
        caption = "A healthy network stays pale: its layers keep the deviation of a standardised input."
        blocks.append(Figure(layer_map(spread, steps, "Deviation of each layer's output"), caption))
    paces = [(look.step, sorted(w.ratio for w in look.weights.values() if w.rms > 0)) for look in looks]
    paces = [(step, ratios) for step, ratios in paces if ratios]
    if paces:
        at = [step for step, _ in paces]
        series = {
            "median weight": (at, [statistics.median(ratios) for _, ratios in paces]),
            "fastest": (at, [ratios[-1] for _, ratios in paces]),
            "slowest": (at, [ratios[0] for _, ratios in paces]),
        }
        drawn = curves(series, "Step over weight", x_label="step", log_y=True)
        blocks.append(Figure(drawn, "How far a step moves a weight, for its length. About 0.001 is usual."))
    if last.activations:
        blocks.append(_activations(last))
    if last.weights:
        blocks.append(_weights(last))
    lead = f"Measured at {len(looks)} steps, on the first pictures of the batch. The tables are of step {last.step}."
    return [Section("Layers", lead, blocks)]


def _std(look: Snapshot, name: str) -> float:
    return look.activations[name].std if name in look.activations else 1.0  # left out at that step: nothing to tell


def _activations(look: Snapshot) -> Table:
    header = ("layer", "activation", "mean", "std", "always 0", "near an end")
    rows: list[Sequence[Cell]] = []
    if look.input_mean is not None and look.input_std is not None:
        rows.append(("input", "", f"{look.input_mean:.6f}", f"{look.input_std:.6f}", "", ""))
    for name, layer in list(look.activations.items())[:MOST_ROWS]:
        dead, ends = ("" if share is None else f"{share:.0%}" for share in (layer.dead, layer.saturated))
        rows.append((name, layer.kind, f"{layer.mean:.6f}", f"{layer.std:.6f}", dead, ends))
    return Table(header, rows, note=_left_out(len(look.activations)), title="Outputs of the activations")


def _weights(look: Snapshot) -> Table:
    header = ("weight", "root mean square", "gradient", "step over weight")
    rows: list[Sequence[Cell]] = [
        (name, f"{weight.rms:.3g}", f"{weight.gradient:.3g}", f"{weight.ratio:.1e}")
        for name, weight in list(look.weights.items())[:MOST_ROWS]
    ]
    return Table(header, rows, note=_left_out(len(look.weights)), title="Weights and their steps")


def _left_out(n: int) -> str:
    return f"The first {MOST_ROWS} of {n}; the others are in layers.jsonl." if n > MOST_ROWS else ""
