"""A few pictures with what the model said of them, kept so that `verify` can ask again."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from pellucid.core.files import sha256, write_atomic
from pellucid.data.images import read_image
from pellucid.data.prepare import Splits
from pellucid.data.single import as_batch
from pellucid.data.source import Source
from pellucid.models.weights import write_weights
from pellucid.nn.precision import device_of
from pellucid.runs.stored import folder as files
from pellucid.runs.stored.record import Record
from pellucid.runs.stored.trained import Trained, load_trained

COUNT = 8
OUTPUTS = "outputs.safetensors"


def write_examples(run: Record, splits: Splits, source: Source) -> None:
    """Store up to 8 pictures (of validation, else training) as PNG, and the model's raw outputs in fp32.

    The model is the one in the weights file, on the CPU, so that what is stored is what anyone gets from the file.
    """
    folder = run.folder / files.EXAMPLES
    rows = splits.split.val if len(splits.split.val) else splits.split.train
    spread = rows[np.unique(np.linspace(0, len(rows) - 1, COUNT).astype(int))]
    paths = [folder / f"{number:03d}.png" for number in range(len(spread))]
    for path, row in zip(paths, spread, strict=True):
        picture = original(splits, source, int(row))
        write_atomic(path, lambda file, picture=picture: picture.save(file, format="PNG"))  # type: ignore[misc]
    trained = load_trained(run.folder)
    about = {
        "weights": trained.digest,
        "facts": trained.facts.as_dict(),
        "names": [splits.names[row] for row in spread],
        "pictures": {path.name: sha256(path.read_bytes()) for path in paths},
    }
    write_weights(folder / OUTPUTS, ask(trained, paths), about)


def original(splits: Splits, source: Source, row: int) -> Image.Image:
    """The picture of a row of the pack, of the file's own shape; large ones shrunk to twice the canvas."""
    preprocess = splits.facts.preprocess
    image = source.images[int(splits.pack.rows[row])]
    array = read_image(image, preprocess.channels, preprocess.background)  # (H, W, C)
    picture = Image.fromarray(array[:, :, 0] if array.shape[2] == 1 else array)
    largest = 2 * max(preprocess.canvas_size)
    picture.thumbnail((largest, largest))  # eight photographs as PNG would take more room than all else in the folder
    return picture


def ask(trained: Trained, paths: list[Path]) -> dict[str, Tensor]:
    """The raw outputs for stored pictures: always in fp32, so that they repeat on other machines."""
    batch = as_batch(paths, trained.facts.preprocess, device_of(trained.model))
    with torch.inference_mode():
        return {name: value.float().cpu() for name, value in trained.model(batch).items()}
