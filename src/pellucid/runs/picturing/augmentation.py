"""A picture of what augmentation does: all of it as training draws it, and each transform alone, more and more."""

from collections.abc import Collection, Sequence
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from pellucid.core.errors import ConfigError
from pellucid.core.progress import Progress
from pellucid.core.seed import generator, numpy_generator
from pellucid.data.config import AugmentConfig
from pellucid.data.loader import Loader
from pellucid.data.policy.read import read_policy
from pellucid.data.policy.steps import STEPS
from pellucid.data.prepare import Splits
from pellucid.data.source import Source
from pellucid.data.transforms import (
    Affine,
    Batch,
    Blur,
    Cut,
    Cutout,
    Either,
    Elastic,
    Erase,
    Jitter,
    Noise,
    PcaColour,
    Radial,
    Shift,
    Sometimes,
    Transform,
    build,
)
from pellucid.data.transforms.compose import make_step
from pellucid.plots.overlay import overlay_mask
from pellucid.plots.palette import palette
from pellucid.plots.sheets.strips import Part, Strip, strips
from pellucid.plots.things.boxes import draw_boxes
from pellucid.tasks import get_task

PICTURES, DRAWS = 6, 6
ENDINGS = (".png", ".jpg", ".jpeg", ".webp")
ALPHA = 0.45  # of masks over pictures

# Kind -> what of it says how much: these are raised from nothing to what was asked for. Others have no strength.
AMOUNTS: dict[type, tuple[str, ...]] = {
    Affine: ("rotate", "shear", "stretch", "shift"),
    Radial: ("k",),
    Elastic: ("amount",),
    Shift: ("share",),
    Jitter: ("brightness", "contrast", "saturation"),
    PcaColour: ("std",),
    Blur: ("sigma",),
    Noise: ("std",),
    Cutout: ("share",),
    Erase: ("area",),
}


def draw_augmentation(
    source: Source, cfg: Any, task: str, path: Path, progress: Progress, every: bool = False
) -> list[dict[str, str]]:
    """Draw what the settings do to training pictures, and save it.

    Args:
        cfg: the task's config; its `augment` section is shown.
        path: of the picture: .png, .jpg or .webp.
        every: show every transform there is at its usual strength, in place of those that were asked for.

    Returns:
        One row a transform: `transform` and `parameters`.

    Raises:
        ConfigError: the file's name has another ending.
        PellucidError: the data cannot be used.
    """
    if path.suffix.lower() not in ENDINGS:
        raise ConfigError(f"--save needs a file name that ends in {', '.join(ENDINGS)}, got {path}.")
    splits: Splits = get_task(task).make_data(cfg, source, progress)
    seed = cfg.train.seed
    preprocess = splits.facts.preprocess
    size, canvas = preprocess.size, preprocess.canvas_size
    asked = build(splits.augment, size, canvas, True, preprocess.background, splits.mirror)
    steps = list(asked.steps) if asked else []
    alone = _every_step(size, splits.pack.targets) if every else steps
    batch = some_pictures(splits, seed)
    parts = [] if every else [together(batch, asked, splits, seed)]
    parts.append(each_alone(batch, alone, splits, seed))
    path.parent.mkdir(parents=True, exist_ok=True)
    strips(parts).save(path)
    return [{"transform": row.name, "parameters": row.detail} for row in parts[-1].rows]


def some_pictures(splits: Splits, seed: int) -> Batch:
    """Whole canvases of some training pictures, drawn by the seed, with their labels."""
    rows = splits.split.train
    drawn = np.sort(numpy_generator(seed, "augmentation sheet").permutation(len(rows))[:PICTURES])
    return next(iter(Loader(splits.pack, rows[drawn], len(drawn)).epoch(0)))


def together(batch: Batch, transform: Transform | None, splits: Splits, seed: int) -> Part:
    """One row a picture: as it is, and as training might see it."""
    plain = _middle(batch, splits)
    draws = [transform(batch, generator(seed, "sheet", k)) if transform else plain for k in range(DRAWS)]
    rows = []
    for k in range(len(batch["image"])):
        images = [_shown(each, k, splits) for each in (plain, *draws)]
        captions = ["", *(_mixture(each, k, splits) for each in draws)]
        name = splits.facts.classes[int(batch["label"][k])] if _labelled(batch, k) else ""
        rows.append(Strip(name, "", images, captions if any(captions) else ()))
    columns = ("unchanged", *(f"draw {k + 1}" for k in range(DRAWS)))
    return Part("As training sees them", "All transforms, in their order; each column draws anew.", rows, columns)


def each_alone(batch: Batch, steps: Sequence[Transform], splits: Splits, seed: int) -> Part:
    """One row a transform: from nothing to all of it, or several draws where it has no strength."""
    rows = []
    for number, step in enumerate(_single(steps)):
        amounts = AMOUNTS.get(type(step))
        start, plain = batch if isinstance(step, Cut) else _middle(batch, splits), _middle(batch, splits)
        if amounts:
            step = replace(step, p=1.0) if hasattr(step, "p") else step  # type: ignore[type-var]
            shares = [k / DRAWS for k in range(DRAWS + 1)]
            found = [_at(step, amounts, share)(start, generator(seed, "alone", number)) for share in shares]
            k, captions = _most_changed(found), [f"{share:.0%}" for share in shares]
        else:
            found = [plain, *(step(start, generator(seed, "alone", number, draw)) for draw in range(DRAWS))]
            k = _most_changed(found)
            captions = ["unchanged", *(_mixture(each, k, splits) or f"draw {j}" for j, each in enumerate(found[1:], 1))]
        rows.append(
            Strip(type(step).__name__, _parameters(step), [_shown(each, k, splits) for each in found], captions)
        )
    note = "From nothing to all of it, always the same way; transforms without a strength are drawn anew."
    return Part("Each transform alone", note if rows else "No transform is on.", rows)


def _single(steps: Sequence[Transform]) -> list[Transform]:
    """The transforms themselves, out of those that choose among them."""
    found: list[Transform] = []
    for step in steps:
        inner = step.steps if isinstance(step, Either) else (step.step,) if isinstance(step, Sometimes) else None
        found += [step] if inner is None else _single(inner)
    return found


def _every_step(size: tuple[int, int], targets: Collection[str]) -> list[Transform]:
    """All that keep the size and may be done to pictures with such targets."""
    barred = {"mixup", "cutmix"} if "box_label" in targets else {"mixup"} if "mask" in targets else {"mosaic"}
    names = [name for name, kind in STEPS.items() if not kind.cuts and name not in barred]
    return [make_step(read_policy(f"step = [{{name = '{name}'}}]", name)[0], size) for name in names]


def _at(step: Any, amounts: tuple[str, ...], share: float) -> Transform:
    """The transform with a share of its strength."""
    if share == 0:
        return lambda batch, drawn: batch
    scaled: dict[str, Any] = {}
    for name in amounts:
        value = getattr(step, name)
        scaled[name] = tuple(share * each for each in value) if isinstance(value, tuple) else share * value
    changed: Transform = replace(step, **scaled)
    return changed


def _most_changed(found: Sequence[Batch]) -> int:
    """The picture on which most is to be seen."""
    pixels = torch.stack([each["image"].float() for each in found])  # (D, N, C, H, W)
    return int((pixels - pixels[0]).abs().mean((0, 2, 3, 4)).argmax())


def _middle(batch: Batch, splits: Splits) -> Batch:
    preprocess = splits.facts.preprocess
    middle = build(AugmentConfig(), preprocess.size, preprocess.canvas_size, train=False)
    return middle(batch, torch.Generator()) if middle else batch


def _shown(batch: Batch, k: int, splits: Splits) -> Image.Image:
    """Picture k, with its mask or its boxes over it."""
    array = batch["image"][k].permute(1, 2, 0).contiguous().numpy()
    picture = Image.fromarray(array[..., 0] if array.shape[2] == 1 else array)
    if "box_label" in batch:
        there = batch["box_label"][k] >= 0
        boxes, labels = batch["boxes_xyxy"][k][there].numpy(), batch["box_label"][k][there].numpy()
        return draw_boxes(picture, boxes, labels, splits.facts.classes)
    if "mask" not in batch:
        return picture
    return overlay_mask(picture, batch["mask"][k].numpy(), palette(len(splits.facts.classes)), ALPHA)


def _mixture(batch: Batch, k: int, splits: Splits) -> str:
    """What was mixed into picture k, and how much; "" where nothing was."""
    if "label_mix" not in batch or not _share(batch, k):
        return ""
    return f"{_share(batch, k):.0%} {splits.facts.classes[int(batch['label_mix'][k, 1])]}"


def _share(batch: Batch, k: int) -> float:
    weight: Tensor = batch["label_mix_weight"]
    return float(weight[k])


def _labelled(batch: Batch, k: int) -> bool:
    return "label" in batch and int(batch["label"][k]) >= 0


def _parameters(step: Any) -> str:
    """Those that are not nothing, in words."""
    if not is_dataclass(step):
        return ""
    told = []
    for each in fields(step):
        value = getattr(step, each.name)
        if each.name in ("p", "size", "shapes", "values", "vectors") or value == 0:
            continue
        numbers = "-".join(f"{v:.3g}" for v in value) if isinstance(value, tuple) else value
        told.append(f"{each.name} {numbers:.3g}" if isinstance(numbers, float) else f"{each.name} {numbers}")
    return ", ".join(told)
