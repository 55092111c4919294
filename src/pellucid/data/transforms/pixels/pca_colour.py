"""AlexNet's colour noise: light that is a little stronger, weaker, or of another colour.

Krizhevsky, Sutskever, Hinton 2012 (https://papers.nips.cc/paper/4824), section 4.1: to every pixel of a picture
the same [p1 p2 p3] [a1 l1, a2 l2, a3 l3]^T is added, where p and l are eigenvectors and eigenvalues of the covariance
of RGB pixels, and a is drawn once a picture from a normal distribution of deviation 0.1.

Letters: N pictures, C channels, H x W pixels.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from pellucid.core.errors import DataError
from pellucid.data.transforms.batch import Batch
from pellucid.data.transforms.pixels.colour import LUMA, recoloured

# of ImageNet, pixels in [0, 1], as fb.resnet.torch publishes them (https://github.com/facebookarchive/fb.resnet.torch)
VALUES = (0.2175, 0.0188, 0.0045)
VECTORS = ((-0.5675, -0.5808, -0.5836), (0.7192, -0.0045, -0.6948), (0.4009, -0.8140, 0.4203))  # one a row: R, G, B


@dataclass(frozen=True)
class PcaColour:
    """Add one colour a picture, drawn along the principal colours; grey pictures get that colour's brightness.

    Attributes:
        std: deviation of a; 0.1 in the paper.
        values: eigenvalues, largest first, for pixels in [0, 1].
        vectors: their eigenvectors, one a row.
    """

    std: float = 0.1
    values: tuple[float, ...] = VALUES
    vectors: tuple[tuple[float, ...], ...] = VECTORS

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        image = batch["image"]
        strength = self.std * torch.randn(len(image), 3, generator=generator)  # (N, 3)
        colour = 255 * (strength * torch.tensor(self.values)) @ torch.tensor(self.vectors)  # (N, 3), in pixel values
        if image.shape[1] != 3:
            colour = (colour @ torch.tensor(LUMA))[:, None]  # (N, 1)
        colour = colour.to(image.device)[:, None]  # (N, 1, C)

        def change(pixels: Tensor, part: slice) -> Tensor:
            return pixels.add_(colour[part])

        return {**batch, "image": recoloured(image, change)}


def principal_colours(image: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvalues (3,), largest first, and eigenvectors (3, 3), one a row, of the covariance of all pixels.

    Args:
        image: (N, 3, H, W) uint8; pixels are taken as [0, 1].

    Raises:
        DataError: the pictures are not RGB, or there are fewer than two pixels.
    """
    if image.dim() != 4 or image.shape[1] != 3 or image.numel() < 6:
        raise DataError(f"image must be (N, 3, H, W) with two pixels or more, got {tuple(image.shape)}.")
    pixels = image.to(torch.float64).transpose(0, 1).flatten(1) / 255  # (3, N*H*W)
    values, vectors = torch.linalg.eigh(torch.cov(pixels))
    return values.flip(0).float(), vectors.T.flip(0).float()
