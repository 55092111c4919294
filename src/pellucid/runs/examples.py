"""A few pictures with what the model said of them, kept so that `verify` can ask again."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from pellucid.core.files import write_atomic
from pellucid.data.images import read_image
from pellucid.data.prepare import Splits
from pellucid.data.single import as_batch
from pellucid.data.source import Source
from pellucid.models.weights import write_weights
from pellucid.runs import folder as files
from pellucid.runs.record import Record
from pellucid.runs.trained import Trained

COUNT = 8
OUTPUTS = "outputs.safetensors"


def write_examples(run: Record, splits: Splits, source: Source) -> None:
    """Store up to 8 pictures (of validation, else training) as PNG, and the model's raw outputs in fp32."""
    folder = run.folder / files.EXAMPLES
    rows = splits.split.val if len(splits.split.val) else splits.split.train
    spread = rows[np.unique(np.linspace(0, len(rows) - 1, COUNT).astype(int))]
    pictures = [original(splits, source, int(row)) for row in spread]
    paths = [folder / f"{number:03d}.png" for number in range(len(pictures))]
    for path, picture in zip(paths, pictures, strict=True):
        write_atomic(path, lambda file, picture=picture: picture.save(file, format="PNG"))  # type: ignore[misc]
    outputs = ask(run.trained, paths)
    names = [splits.names[row] for row in spread]
    about = {
        "weights": run.trained.digest,
        "facts": run.facts.as_dict(),
        "names": names,
    }
    write_weights(folder / OUTPUTS, outputs, about)


def original(splits: Splits, source: Source, row: int) -> Image.Image:
    """The picture of a row of the pack as the file has it, not yet resized."""
    preprocess = splits.facts.preprocess
    image = source.images[int(splits.pack.rows[row])]
    array = read_image(image, preprocess.channels, preprocess.background)  # (H, W, C)
    return Image.fromarray(array[:, :, 0] if array.shape[2] == 1 else array)


def ask(trained: Trained, paths: list[Path]) -> dict[str, Tensor]:
    """The raw outputs for stored pictures: always in fp32, so that they repeat on other machines."""
    batch = as_batch(paths, trained.facts.preprocess, next(trained.model.parameters()).device)
    with torch.inference_mode():
        return {name: value.float().cpu() for name, value in trained.model(batch).items()}
