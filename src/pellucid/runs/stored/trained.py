"""A trained model from its weights file alone: task, classes and preprocessing lie beside the weights."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from pellucid.core import config as settings
from pellucid.core.errors import RunError, WeightsError
from pellucid.core.facts import DataFacts
from pellucid.core.task import Task
from pellucid.models.weights import digest, load_into, read_weights
from pellucid.nn.precision import place_model
from pellucid.runs.stored.folder import WEIGHTS
from pellucid.tasks import get_task


@dataclass(frozen=True)
class Trained:
    """Everything needed to predict.

    Attributes:
        task, cfg, facts: what it does, how it was made, what data it knows.
        model: in evaluation mode.
        about: all that was written beside the weights.
        digest: checksum of the weights.
    """

    task: Task
    cfg: Any
    facts: DataFacts
    model: nn.Module
    about: dict[str, Any]
    digest: str


def load_trained(path: Path, device: torch.device | str = "cpu") -> Trained:
    """Load a run folder or a weights file.

    Raises:
        RunError: the run has no weights yet.
        WeightsError: the file is damaged, or was made by another program or for another model.
    """
    path = Path(path)
    if path.is_dir():
        if not (path / WEIGHTS).exists():
            raise RunError(
                f"{path} has no {WEIGHTS} yet: its training has not finished an epoch, or it is no run folder."
            )
        path = path / WEIGHTS
    elif not path.exists():
        raise RunError(
            f"{path} does not exist. Give a run folder or a model.safetensors file; `pellucid runs` lists runs."
        )
    weights = read_weights(path)
    try:
        about = weights.about
        task = get_task(about["task"])
        cfg: Any = settings.from_dict(task.config, about["config"], str(path))
        facts = DataFacts.from_dict(about["facts"])
    except (KeyError, TypeError) as error:
        raise WeightsError(f"{path} does not say what it was trained for ({error}). Use another copy of it.") from error
    model = task.make_model(cfg, facts)
    load_into(model.net, weights.tensors, str(path))  # type: ignore[arg-type]
    model = place_model(model, torch.device(device)).eval()
    return Trained(task, cfg, facts, model, about, digest(weights.tensors))
