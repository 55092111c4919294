"""What a segmenter says of one picture."""

import html
import io
import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin

from pellucid.core.choose import choose
from pellucid.core.errors import ConfigError
from pellucid.plots.palette import palette
from pellucid.tasks.segment.prediction.regions import Region, coco

BACKGROUND = "background"  # a class of this name is drawn clear, and is no region
NAMES = "classes"  # of the text inside a class map that holds the class names, a JSON list


@dataclass(frozen=True)
class SegmentResult:
    """What the model says of one picture, all in the picture's own size, upright.

    Attributes:
        name: file name, or "picture 3" for a picture that has none.
        mask: (H, W) uint8, the class of every pixel; 255 where the model did not look.
        classes: class names.
        probabilities: (K, H, W) float16, 0 where the model did not look; None where they were not asked for.
        regions: the connected regions of every class but the background; None where they were not asked for.
        note: what is odd about the picture, in one sentence; mostly nothing.
    """

    name: str
    mask: np.ndarray = field(repr=False)
    classes: tuple[str, ...]
    probabilities: np.ndarray | None = field(default=None, repr=False)
    regions: tuple[Region, ...] | None = field(default=None, repr=False)
    note: str = ""

    @property
    def shares(self) -> dict[str, float]:
        """Class name -> share of the picture, largest first, absent classes left out."""
        counts = np.bincount(self.mask.ravel(), minlength=256)[: len(self.classes)]
        order = np.argsort(-counts, kind="stable")
        return {self.classes[k]: float(counts[k] / self.mask.size) for k in order if counts[k]}

    def probability(self, name: str) -> np.ndarray:
        """(H, W) float16: the probability of a class in every pixel.

        Raises:
            ConfigError: there is no such class, or the probabilities were not asked for.
        """
        k = choose(name, {each: k for k, each in enumerate(self.classes)}, "class")
        if self.probabilities is None:
            raise ConfigError("The probabilities were not kept: ask for them, run.predict(..., probabilities=True).")
        return self.probabilities[k]

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON: the shares, and the regions where they were asked for; without mask and probabilities."""
        shares = {name: round(share, 6) for name, share in self.shares.items()}
        content = {"image": self.name, "height": self.mask.shape[0], "width": self.mask.shape[1], "shares": shares}
        if self.regions is not None:
            each = [
                {"label": self.classes[one.label], "area": one.area, "box_xywh": list(one.box_xywh)}
                | {"segmentation": one.segmentation}
                for one in self.regions
            ]
            content["regions"] = each
        return content

    def row(self) -> dict[str, str]:
        """One line of a table."""
        shown = ", ".join(f"{name} {share:.1%}" for name, share in list(self.shares.items())[:4])
        found = {} if self.regions is None else {"regions": str(len(self.regions))}
        return {"image": self.name, "size": f"{self.mask.shape[1]}x{self.mask.shape[0]}", "shares": shown, **found}

    def files(self) -> dict[str, bytes]:
        """What is kept beside the drawing when results are saved: `mask.png` always, the rest as asked for.

        `mask.png` holds class numbers as palette indices, and the class names as text "classes" (a JSON list);
        `probabilities.npz` the arrays `probabilities` (K, H, W) float16 and `classes` (K,); `regions.json` a COCO file.
        """
        found = {"mask.png": self._palette_png()}
        if self.probabilities is not None:
            found["probabilities.npz"] = self._npz(self.probabilities)
        if self.regions is not None:
            content = coco(self.name, (self.mask.shape[0], self.mask.shape[1]), self.classes, self.regions)
            found["regions.json"] = json.dumps(content).encode()
        return found

    def common_files(self) -> dict[str, bytes]:
        """What is kept once for all results: `classes.txt`, a name a line, as readers of masks expect it."""
        return {"classes.txt": "".join(f"{' '.join(name.split())}\n" for name in self.classes).encode()}

    def map(self) -> Image.Image:
        """The class map as a palette picture: pixel values are class numbers."""
        image = Image.fromarray(self.mask, "P")
        image.putpalette(palette(len(self.classes)).tobytes())
        return image

    def _palette_png(self) -> bytes:
        text = PngImagePlugin.PngInfo()
        text.add_text(NAMES, json.dumps(self.classes))
        file = io.BytesIO()
        self.map().save(file, format="PNG", pnginfo=text)
        return file.getvalue()

    def _npz(self, probabilities: np.ndarray) -> bytes:
        file = io.BytesIO()
        np.savez_compressed(file, probabilities=probabilities, classes=np.array(self.classes))
        return file.getvalue()

    def _repr_html_(self) -> str:
        cells = "".join(f"<tr><td>{html.escape(name)}</td><td>{s:.1%}</td></tr>" for name, s in self.shares.items())
        return f"<table><caption>{html.escape(self.name)}</caption>{cells}</table>"
