"""A trained model from its weights alone: a run, whose file says what it is, or weights that others published."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from pellucid.core import config as settings
from pellucid.core.errors import RunError, WeightsError
from pellucid.core.facts import DataFacts
from pellucid.core.task import Task
from pellucid.models import detect
from pellucid.models.detect.published_rcnn import COCO_KEYPOINTS
from pellucid.models.published import hub, timm
from pellucid.models.published.find import published
from pellucid.models.published.load import Published
from pellucid.models.published.packaged import PACKAGED
from pellucid.models.weights import digest, is_ours, load_into, read_weights
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

    @property
    def published(self) -> bool:
        """Whether others trained it."""
        return "published" in self.about


def load_trained(path: Path, device: torch.device | str = "cpu") -> Trained:
    """Load a run folder or a weights file; or weights that were trained elsewhere, to be used as they are.

    Args:
        path: of a run or its file; else the name of packaged weights (where nothing of that name lies here), a file
            of torchvision or timm that says which network it is, or `hub:OWNER/NAME`.

    Raises:
        RunError: the run has no weights yet, or there is nothing of that name.
        WeightsError: the file is damaged, or was made by another program or for another model, or packaged weights
            are not installed.
    """
    path = Path(path)
    if is_published(path):
        return as_trained(published(str(path), segmenters=True, detectors=True), device)
    if path.is_dir():
        if not (path / WEIGHTS).exists():
            raise RunError(
                f"{path} has no {WEIGHTS} yet: its training has not finished an epoch, or it is no run folder."
            )
        path = path / WEIGHTS
    elif not path.exists():
        raise RunError(
            f"{path} does not exist. Give a run folder or a model.safetensors file; `pellucid runs` lists runs. "
            f"Packaged models: {', '.join(PACKAGED)}."
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


def is_published(path: Path) -> bool:
    """Whether these are weights of others: packaged, on the hub, or in a form that Pellucid does not write."""
    name = str(path)
    if name.startswith(hub.PREFIX):
        return True
    if not path.exists():
        return name in PACKAGED
    foreign = path.suffix in (".pth", ".pt", ".bin") or (path.suffix == ".safetensors" and not is_ours(path))
    return path.is_file() and foreign and (path.suffix != ".safetensors" or timm.read_config(path) is not None)


def as_trained(found: Published, device: torch.device | str = "cpu") -> Trained:
    """Published weights as a model that was never trained here: no data, no split, no history."""
    task = get_task(found.task)
    facts = DataFacts(
        task.name,
        found.source,
        found.classes,
        (0,) * found.n_classes,
        found.preprocess,
        n_keypoints=COCO_KEYPOINTS if found.network in detect.KEYPOINTS else 0,
        has_outlines=found.network in detect.MASKS,
    )
    stated: Any = settings.from_dict(task.config, {"model": {"model": found.network}}, found.source)
    cfg: Any = task.resolve(stated, facts)
    about = {
        "task": task.name,
        "model": found.network,
        "config": settings.as_dict(cfg),
        "facts": facts.as_dict(),
        "published": found.source,
        "licence": found.licence,
    }
    model = place_model(found.model, torch.device(device)).eval()
    return Trained(task, cfg, facts, model, about, digest(found.net.state_dict()))
