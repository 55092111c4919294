"""What a detector says of one picture. Letters: n things, P keypoints, H x W pixels of the file."""

import html
import io
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from pellucid.core.errors import ConfigError, DataError
from pellucid.data.images import read_image
from pellucid.data.readers.detect.coco import MIDDLE
from pellucid.ops.masks import rle
from pellucid.ops.masks.rle import Rle

FIRST_ID = 1  # of categories, images and instances, as COCO counts them
SHOWN = 6  # kinds of things named in a line of a table


@dataclass(frozen=True, eq=False)
class DetectResult:
    """The n things that the model found in one picture, the surest first, in pixels of the file, upright.

    Attributes:
        name: file name, or "picture 3" for a picture that has none.
        size: (H, W) of the picture.
        classes: names of all classes that the model knows.
        boxes_xyxy: (n, 4) float32: left, top, right, bottom, where pixel i covers [i, i + 1].
        labels: (n,) int64, indices into `classes`.
        scores: (n,) float32 in 0..1, falling.
        masks: n run-length codes of the whole picture; None where the model has none, or they were not asked for.
        keypoints: (n, P, 3) float32: x, y and the score of each point; None where the model has none.
        note: what is odd about the picture, in one sentence; mostly nothing.
    """

    name: str
    size: tuple[int, int]
    classes: tuple[str, ...]
    boxes_xyxy: np.ndarray = field(repr=False)
    labels: np.ndarray = field(repr=False)
    scores: np.ndarray = field(repr=False)
    masks: tuple[Rle, ...] | None = field(default=None, repr=False)
    keypoints: np.ndarray | None = field(default=None, repr=False)
    note: str = ""

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def names(self) -> tuple[str, ...]:
        """The class of each thing."""
        return tuple(self.classes[label] for label in self.labels.tolist())

    @property
    def counts(self) -> dict[str, int]:
        """Class name -> how many of it were found, most first; absent classes left out."""
        counts = np.bincount(self.labels, minlength=len(self.classes))
        return {self.classes[k]: int(counts[k]) for k in np.argsort(-counts, kind="stable") if counts[k]}

    def instance_ids(self) -> np.ndarray:
        """(H, W) uint16: 0 is background, i the pixels of thing i, from 1 on in the order of this result.

        Where things overlap, the surer one lies on top; one that surer ones cover wholly has no pixel.

        Raises:
            ConfigError: there are no masks.
        """
        if self.masks is None:
            raise ConfigError("This result has no masks: the model has none, or they were switched off.")
        ids = np.zeros(self.size, dtype=np.uint16)
        for number in range(len(self), 0, -1):
            rle.paint(ids, self.masks[number - 1], number)
        return ids

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return {"image": self.name, "height": self.size[0], "width": self.size[1], "things": self._things()}

    def row(self) -> dict[str, str]:
        """One line of a table."""
        counts = list(self.counts.items())
        told = ", ".join(f"{count} {name}" for name, count in counts[:SHOWN])
        told += f" and {len(counts) - SHOWN} other kinds" if len(counts) > SHOWN else ""
        surest = f"{self.names[0]} {self.scores[0]:.2f}" if len(self) else ""
        size = f"{self.size[1]}x{self.size[0]}"
        return {"image": self.name, "size": size, "things": told or "nothing", "surest": surest}

    def files(self) -> dict[str, bytes]:
        """What is kept beside the drawing: `found.json`, and with masks `instances.png`, numbers as `instance_ids`."""
        found = {"found.json": json.dumps(self.as_dict()).encode()}
        if self.masks is not None:
            ids = self.instance_ids()
            file = io.BytesIO()
            Image.fromarray(ids.astype(np.uint8) if len(self) < 256 else ids).save(file, format="PNG")
            found["instances.png"] = file.getvalue()
        return found

    def common_files(self) -> dict[str, bytes]:
        """What is kept once for all results: `classes.txt`, a name a line."""
        return {"classes.txt": "".join(f"{' '.join(name.split())}\n" for name in self.classes).encode()}

    def coco_results(self, image_id: int, category_ids: Sequence[int] = ()) -> list[dict[str, Any]]:
        """The things as COCO lists results, keypoints as numbers of pixels.

        Args:
            image_id: of the picture.
            category_ids: of the K classes; k + 1 unless told.
        """
        entries = []
        for i, (box, label) in enumerate(zip(self.boxes_xyxy.tolist(), self.labels.tolist(), strict=True)):
            x1, y1, x2, y2 = box
            category = category_ids[label] if category_ids else label + FIRST_ID
            entry: dict[str, Any] = {"image_id": image_id, "category_id": category}
            entry["bbox"] = [round(value, 3) for value in (x1, y1, x2 - x1, y2 - y1)]
            entry["score"] = round(float(self.scores[i]), 6)
            if self.masks is not None:
                entry["segmentation"] = rle.to_coco(self.masks[i])
            if self.keypoints is not None:
                points = self.keypoints[i] - (MIDDLE, MIDDLE, 0)
                entry["keypoints"] = [round(value, 3) for value in points.ravel().tolist()]
            entries.append(entry)
        return entries

    def crops(self, image: Any) -> list[Image.Image]:
        """The n things cut out of their picture, whole pixels of it, the surest first.

        Args:
            image: the picture that was predicted: a path, PIL image, array or tensor.

        Raises:
            DataError: it has another size.
            ImageError: it cannot be opened.
        """
        pixels = read_image(image)  # (H, W, 3)
        if pixels.shape[:2] != self.size:
            raise DataError(f"This result is of a picture of {self.size[0]}x{self.size[1]}, got {pixels.shape[:2]}.")
        cut = []
        for x1, y1, x2, y2 in self.boxes_xyxy.tolist():
            left, top = min(int(x1), self.size[1] - 1), min(int(y1), self.size[0] - 1)
            right, bottom = max(left + 1, math.ceil(x2)), max(top + 1, math.ceil(y2))
            cut.append(Image.fromarray(pixels[top:bottom, left:right]))
        return cut

    def _things(self) -> list[dict[str, Any]]:
        things = []
        for i, name in enumerate(self.names):
            thing: dict[str, Any] = {"label": name, "score": round(float(self.scores[i]), 6)}
            thing["box_xyxy"] = [round(value, 3) for value in self.boxes_xyxy[i].tolist()]
            if self.masks is not None:
                thing["segmentation"] = rle.to_coco(self.masks[i])
            if self.keypoints is not None:
                thing["keypoints"] = [[round(value, 3) for value in point] for point in self.keypoints[i].tolist()]
            things.append(thing)
        return things

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(name)}</td><td>{score:.2f}</td>"
            f"<td>{', '.join(f'{value:.0f}' for value in box)}</td></tr>"
            for name, score, box in zip(self.names, self.scores.tolist(), self.boxes_xyxy.tolist(), strict=True)
        )
        return f"<table><caption>{html.escape(self.name)}</caption>{rows}</table>"
