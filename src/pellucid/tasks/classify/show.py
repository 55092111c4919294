"""Predicting and drawing, the same for command line, report and explanation."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image, ImageDraw
from torch import Tensor, nn

from pellucid.core.facts import DataFacts
from pellucid.data.single import as_batch
from pellucid.nn.precision import device_of
from pellucid.plots.things.letters import with_letters
from pellucid.tasks.classify.config import ClassifyWishes


@dataclass(frozen=True)
class ClassifyResult:
    """What the model says of one picture.

    Attributes:
        name: file name, or "picture 3" for a picture that has none.
        label: the most probable class.
        probability: of that class, in [0, 1].
        top: (class, probability) of the most probable classes, best first; as many as were asked for.
        note: what is odd about the picture; nothing.
    """

    name: str
    label: str
    probability: float
    top: tuple[tuple[str, float], ...]
    note: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        top = [{"label": label, "probability": round(p, 6)} for label, p in self.top]
        return {"image": self.name, "label": self.label, "probability": round(self.probability, 6), "top": top}

    def row(self) -> dict[str, str]:
        """One line of a table."""
        others = ", ".join(f"{label} {p:.1%}" for label, p in self.top[1:3])
        return {"image": self.name, "label": self.label, "probability": f"{self.probability:.1%}", "then": others}

    def files(self) -> dict[str, bytes]:
        """What is kept beside the drawing when results are saved: nothing."""
        return {}

    def common_files(self) -> dict[str, bytes]:
        """What is kept once for all results that are saved: nothing."""
        return {}

    def _repr_html_(self) -> str:
        cells = "".join(f"<tr><td>{html.escape(label)}</td><td>{p:.1%}</td></tr>" for label, p in self.top)
        return f"<table><caption>{html.escape(self.name)}</caption>{cells}</table>"


def predict(model: nn.Module, images: Sequence[Any], facts: DataFacts, wishes: ClassifyWishes) -> list[ClassifyResult]:
    """Classify pictures of any kind. Computes in fp32, so that the numbers repeat on other machines.

    Raises:
        ImageError: a picture cannot be opened.
    """
    device = device_of(model)
    with torch.inference_mode():
        probabilities = model(as_batch(images, facts.preprocess, device))["logits"].float().softmax(1).cpu()  # (N, K)
    best, order = probabilities.topk(min(wishes.top, facts.n_classes), dim=1)
    results = []
    for number, (image, values, places) in enumerate(zip(images, best.tolist(), order.tolist(), strict=True)):
        top = tuple((facts.classes[place], value) for place, value in zip(places, values, strict=True))
        name = str(image) if isinstance(image, (str, Path)) else f"picture {number + 1}"
        results.append(ClassifyResult(name, top[0][0], top[0][1], top))
    return results


def draw(image: Image.Image, result: ClassifyResult) -> Image.Image:
    """The picture (at least 320 px wide) with its most probable classes written below."""
    scale = max(1.0, 320 / image.width)
    resample = Image.Resampling.NEAREST if scale >= 4 else Image.Resampling.BICUBIC
    picture = image.convert("RGB").resize((round(image.width * scale), round(image.height * scale)), resample)
    lines = result.top[:3]
    font, names = with_letters([" ".join(label.split()) for label, _ in lines], 16)
    sheet = Image.new("RGB", (picture.width, picture.height + 26 * len(lines) + 8), "white")
    sheet.paste(picture)
    pen = ImageDraw.Draw(sheet)
    for place, (label, (_, probability)) in enumerate(zip(names, lines, strict=True)):
        top = picture.height + 6 + 26 * place
        pen.rectangle((0, top, round(picture.width * probability), top + 22), fill=(205, 225, 250))
        pen.text((6, top + 1), f"{label}  {probability:.1%}", fill=(20, 20, 20), font=font)
    return sheet


def target_score(outputs: Mapping[str, Tensor], index: int) -> Tensor:
    """(N,): the logit of class `index`."""
    return outputs["logits"][:, index]
