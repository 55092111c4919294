"""The batch that stopped a run, once more through the weights of that moment, layer by layer."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from pellucid.core.errors import RunError
from pellucid.core.facts import DataFacts
from pellucid.core.seed import seed_everything
from pellucid.core.task import Task
from pellucid.models.weights import load_into, read_weights
from pellucid.nn.precision import as_float32, autocast, place_model
from pellucid.training.health.autopsy.examine import FOLDER
from pellucid.training.health.autopsy.layers import LayerRow, layer_rows


@dataclass(frozen=True)
class Replay:
    """What the second time showed.

    Attributes:
        step, epoch: where the run stopped, counted from 0.
        layers: every layer without parts, in the order they ran.
        losses: by name, NaN and infinities among them.
    """

    step: int
    epoch: int
    layers: list[LayerRow]
    losses: dict[str, float]

    @property
    def first_bad(self) -> LayerRow | None:
        """The first layer with an output that is not finite."""
        return next((row for row in self.layers if row.finite < 1), None)

    def lines(self) -> list[str]:
        """One line a layer, for a terminal; from the first bad one on they are marked."""
        lines = []
        for row in self.layers:
            size = "x".join(map(str, row.shape))
            numbers = f"{row.smallest:.3g} to {row.largest:.3g}" if row.finite else "no finite number"
            mark = "" if row.finite == 1 else f"  <- {1 - row.finite:.0%} not finite"
            lines.append(f"{row.name} ({row.kind})  {size}  {numbers}{mark}")
        return [*lines, *(f"loss {name} = {value:.4g}" for name, value in self.losses.items())]


def replay(folder: Path, task: Task, cfg: Any, facts: DataFacts, device: torch.device | str = "cpu") -> Replay:
    """Build the model of a run anew and put the stored batch through it, as training did.

    Dropout draws other numbers than it did then; all else is the same.

    Args:
        folder: of the run.
        task, cfg, facts: of the run, as its `config.toml` and its checkpoint have them.

    Raises:
        RunError: the run has no stored batch: it did not stop at a number that is not finite.
        WeightsError: what is stored is damaged, or of another model.
    """
    stored = folder / FOLDER
    if not (stored / "batch.safetensors").exists():
        raise RunError(f"{folder} has no {FOLDER}/: it never stopped at a number that is not finite.")
    batch, weights = read_weights(stored / "batch.safetensors"), read_weights(stored / "model.safetensors")
    seed_everything(cfg.train.seed)
    device = torch.device(device)
    model = task.make_model(cfg, facts)
    load_into(model, weights.tensors, str(stored / "model.safetensors"))
    model = place_model(model, device).train()
    tensors = {name: value.to(device) for name, value in batch.tensors.items()}

    def forward() -> dict[str, torch.Tensor]:
        with torch.no_grad(), autocast(device, batch.about.get("precision", "fp32")):
            return as_float32(model(tensors))

    layers, outputs = layer_rows(model, forward)
    with torch.no_grad():
        losses = {name: float(loss) for name, loss in task.compute_loss(outputs, tensors, cfg).items()}
    return Replay(batch.about["step"], batch.about["epoch"], layers, losses)
