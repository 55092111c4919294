"""Predicting and drawing, the same for command line, report and explanation."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from pellucid.core.facts import DataFacts
from pellucid.data.single import as_batch
from pellucid.nn.precision import device_of
from pellucid.plots.overlay import legend, overlay_mask
from pellucid.plots.palette import palette
from pellucid.tasks.segment.loss import IGNORE
from pellucid.tasks.segment.prediction.wishes import SegmentWishes

SHOWN_WIDTH = 256
STRIP = 1 << 22  # values of a strip of enlarged logits: bounds the memory that a large photograph takes


@dataclass(frozen=True)
class SegmentResult:
    """What the model says of one picture.

    Attributes:
        name: file name, or "picture 3" for a picture that has none.
        mask: (H, W) uint8, the class of every pixel of the picture; 255 where the model did not look.
        classes: class names.
    """

    name: str
    mask: np.ndarray = field(repr=False)
    classes: tuple[str, ...]

    @property
    def shares(self) -> dict[str, float]:
        """Class name -> share of the picture, largest first, absent classes left out."""
        counts = np.bincount(self.mask.ravel(), minlength=256)[: len(self.classes)]
        order = np.argsort(-counts, kind="stable")
        return {self.classes[k]: float(counts[k] / self.mask.size) for k in order if counts[k]}

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON: the shares, without the mask."""
        shares = {name: round(share, 6) for name, share in self.shares.items()}
        return {"image": self.name, "height": self.mask.shape[0], "width": self.mask.shape[1], "shares": shares}

    def row(self) -> dict[str, str]:
        """One line of a table."""
        shown = ", ".join(f"{name} {share:.1%}" for name, share in list(self.shares.items())[:4])
        return {"image": self.name, "size": f"{self.mask.shape[1]}x{self.mask.shape[0]}", "shares": shown}

    def images(self) -> dict[str, Image.Image]:
        """What is kept beside the drawing when results are saved: the mask, as a picture of class numbers."""
        mask = Image.fromarray(self.mask, "P")
        mask.putpalette(palette(len(self.classes)).tobytes())
        return {"mask": mask}

    def _repr_html_(self) -> str:
        cells = "".join(f"<tr><td>{html.escape(name)}</td><td>{s:.1%}</td></tr>" for name, s in self.shares.items())
        return f"<table><caption>{html.escape(self.name)}</caption>{cells}</table>"


def predict(model: nn.Module, images: Sequence[Any], facts: DataFacts, wishes: SegmentWishes) -> list[SegmentResult]:
    """Segment pictures of any kind; masks have the pictures' own sizes. Computes in fp32.

    Raises:
        ImageError: a picture cannot be opened.
    """
    device = device_of(model)
    batch = as_batch(images, facts.preprocess, device)
    with torch.inference_mode():
        logits = model(batch)["logits"].float()  # (N, K, h, w)
        masks = [
            to_file(each, affine, tuple(size))
            for each, affine, size in zip(logits, batch["canvas_affine"], batch["original_hw"].tolist(), strict=True)
        ]
    names = [str(image) if isinstance(image, (str, Path)) else f"picture {n + 1}" for n, image in enumerate(images)]
    return [SegmentResult(name, mask, facts.classes) for name, mask in zip(names, masks, strict=True)]


def to_file(logits: Tensor, affine: Tensor, size: tuple[int, int]) -> np.ndarray:
    """Classes at every pixel of the file, from scores on the canvas.

    Scores are interpolated, not classes, so outlines are smooth when the picture is larger than the canvas.

    Args:
        logits: (K, h, w).
        affine: (2, 3), from canvas to file coordinates, in which pixel i covers [i, i + 1].
        size: (H, W) of the file.

    Returns:
        (H, W) uint8; 255 for pixels that are not on the canvas.
    """
    n_classes, height, width = logits.shape
    affine = affine.to(logits.device, torch.float32)
    xs = (torch.arange(size[1], device=logits.device) + 0.5 - affine[0, 2]) / affine[0, 0] / width  # 0..1 on the canvas
    ys = (torch.arange(size[0], device=logits.device) + 0.5 - affine[1, 2]) / affine[1, 1] / height
    strips = []
    for part in ys.split(max(1, STRIP // (n_classes * size[1]))):
        grid = torch.stack(torch.meshgrid(xs, part, indexing="xy"), dim=-1)  # (rows, W, 2)
        near = F.grid_sample(logits[None], 2 * grid[None] - 1, padding_mode="border", align_corners=False)
        classes = near[0].argmax(0)  # (rows, W)
        outside = ((grid < 0) | (grid > 1)).any(-1)
        strips.append(classes.masked_fill(outside, IGNORE).to(torch.uint8).cpu())
    return torch.cat(strips).numpy()


def draw(image: Image.Image, result: SegmentResult) -> Image.Image:
    """The picture (at least 256 px wide) tinted by class, with a legend. A class called background stays clear."""
    colours = palette(len(result.classes))
    clear = [k for k, name in enumerate(result.classes) if name.lower() == "background"]
    tinted = overlay_mask(image, result.mask, colours, clear=clear)
    factor = max(1, SHOWN_WIDTH // tinted.width)
    tinted = tinted.resize((tinted.width * factor, tinted.height * factor), Image.Resampling.NEAREST)
    present = [k for k, name in enumerate(result.classes) if name in result.shares and k not in clear]
    key = legend([result.classes[k] for k in present], colours[present])
    sheet = Image.new("RGB", (max(tinted.width, key.width), tinted.height + key.height), "white")
    sheet.paste(tinted)
    sheet.paste(key, (0, tinted.height))
    return sheet


def target_score(outputs: Mapping[str, Tensor], index: int) -> Tensor:
    """(N,): the mean logit of class `index` over all pixels."""
    return outputs["logits"][:, index].mean((1, 2))
