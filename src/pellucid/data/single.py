"""Pictures of any kind as one batch, by the same steps the training pictures went through."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pellucid.core.preprocess import Preprocess
from pellucid.data.canvas import place
from pellucid.data.config import AugmentConfig
from pellucid.data.images import read_image
from pellucid.data.transforms import build


def as_batch(images: Sequence[Any], preprocess: Preprocess, device: str | torch.device = "cpu") -> dict[str, Tensor]:
    """Paths, PIL images, arrays or tensors as a batch: `image`, `valid_hw`, `original_hw`, `canvas_affine`.

    Networks that resize pictures themselves get them as they are, on a canvas as large as the largest.

    Raises:
        ImageError: one of them cannot be opened; the message names it.
    """
    pictures = [read_image(image, preprocess.channels, preprocess.background) for image in images]
    canvas = preprocess.canvas_size
    if preprocess.resize is not None:
        canvas = (max(each.shape[0] for each in pictures), max(each.shape[1] for each in pictures))
    placed = [
        place(
            picture,
            canvas,
            preprocess.fit,
            preprocess.background,
            interpolation=preprocess.interpolation,
        )
        for picture in pictures
    ]
    stacked = torch.from_numpy(np.stack([each.image for each in placed]))  # (N, H, W, C)
    batch = {
        "image": stacked.permute(0, 3, 1, 2).to(device),  # (N, C, H, W), channels last in memory
        "valid_hw": torch.from_numpy(np.stack([each.valid_hw for each in placed])),
        "original_hw": torch.from_numpy(np.stack([each.original_hw for each in placed])),
        "canvas_affine": torch.from_numpy(np.stack([each.affine for each in placed])),
    }
    middle = build(AugmentConfig(), preprocess.size, preprocess.canvas_size, train=False)
    return middle(batch, torch.Generator()) if middle else batch
