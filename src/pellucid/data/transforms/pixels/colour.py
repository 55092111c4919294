"""Change what the pixels look like, not where they are."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from pellucid.data.transforms.batch import Batch, draw
from pellucid.ops import buffers
from pellucid.ops.rounding import round_into

LUMA = (0.299, 0.587, 0.114)  # ITU-R 601
CHUNK = 8  # pictures that are floats at a time
ROUNDING = 1 / 12  # variance that rounding to whole numbers adds


@dataclass(frozen=True)
class Jitter:
    """Multiply brightness, contrast and saturation by factors drawn from [1 - x, 1 + x]; 0 changes nothing.

    Brightness scales the pixels, contrast their distance from the picture's mean grey, saturation their distance
    from their own grey. The three are one linear map of the colours, applied at once and clipped once to 0..255.
    """

    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        image = batch["image"]
        n, c = image.shape[:2]
        bright, contrast, saturation = (
            draw(n, 1 - x, 1 + x, generator).view(n, 1, 1) for x in (self.brightness, self.contrast, self.saturation)
        )
        luma = torch.tensor(LUMA if c == 3 else (1.0,))
        to_grey = luma[:, None].expand(c, c)  # row vector @ this = grey in every channel
        mix = contrast * bright * (saturation * torch.eye(c) + (1 - saturation) * to_grey)  # (N, C, C)
        towards = ((1 - contrast) * bright * luma).to(image.device)  # (N, 1, C), times the mean colour

        def change(pixels: Tensor, part: slice) -> Tensor:
            offset = (pixels.mean(1, keepdim=True) * towards[part]).sum(-1, keepdim=True)  # (k, 1, 1)
            return torch.baddbmm(offset, pixels, mix[part].to(image.device))

        return {**batch, "image": recoloured(image, change)}


@dataclass(frozen=True)
class Noise:
    """Add Gaussian noise of standard deviation `std`, in pixel values, to every pixel of every channel.

    Rounding to whole numbers adds a little noise of its own, which is taken off before; below about 0.5 it is all
    the noise there is.
    """

    std: float = 0.0

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        image = batch["image"]
        std = math.sqrt(max(self.std**2 - ROUNDING, 0.0))
        if generator.device != image.device:  # millions of numbers are drawn where they are used
            seed = int(torch.randint(2**62, (1,), generator=generator))
            generator = torch.Generator(device=image.device).manual_seed(seed)

        def change(pixels: Tensor, part: slice) -> Tensor:
            noise = torch.randn(pixels.shape, generator=generator, device=pixels.device)
            return pixels.add_(noise, alpha=std)

        return {**batch, "image": recoloured(image, change)}


def recoloured(image: Tensor, change: Callable[[Tensor, slice], Tensor]) -> Tensor:
    """Apply `change` to (k, H*W, C) float32 pixels, a few pictures at a time; rounded and clipped to 0..255."""
    n, c, height, width = image.shape
    pixels = image.permute(0, 2, 3, 1).reshape(n, height * width, c)
    out = buffers.empty_like(image).permute(0, 2, 3, 1).view(pixels.shape)
    step = CHUNK if image.device.type == "cpu" else max(1, n)
    for start in range(0, n, step):
        part = slice(start, min(start + step, n))
        round_into(out[part], change(pixels[part].to(torch.float32), part))
    return out.view(n, height, width, c).permute(0, 3, 1, 2)
