"""Test-time augmentation: a classifier answers for several views of a picture, and the answers are averaged.

Letters: N pictures, V views, C channels, h x w pixels, K classes.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from pellucid.core.choose import choose
from pellucid.core.errors import ConfigError
from pellucid.data.transforms.geometry.windows import pad
from pellucid.data.transforms.test_crops import many_crops, resnet_scales
from pellucid.runs.stored.trained import Trained

MARGIN = 0.07  # of a side: how far the corners lie from the middle where a canvas has no room; training shifts so far

Views = Callable[[Tensor, tuple[int, int]], Iterator[Tensor]]  # (N, C, H, W) canvases, h and w -> some (N, V, C, h, w)


class ManyViews(nn.Module):
    """`{"logits": ...}` whose softmax is the mean of the softmaxes of all views. `batch["image"]` is the whole canvas.

    Args:
        model: takes a batch, gives `logits` (N, K).
        views: what it is to see.
        size: h, w, as the model takes them.
    """

    whole_canvas = True

    def __init__(self, model: nn.Module, views: Views, size: tuple[int, int]) -> None:
        super().__init__()
        self.model = model
        self.views = views
        self.size = size

    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        total, n = None, 0
        for some in self.views(batch["image"], self.size):  # (N, V, C, h, w)
            for view in some.unbind(1):
                log_p = self.model({**batch, "image": view})["logits"].float().log_softmax(1)  # (N, K)
                total, n = log_p if total is None else torch.logaddexp(total, log_p), n + 1
        if total is None:
            raise ConfigError("Test-time augmentation needs one view of a picture or more.")
        return {"logits": total - math.log(n)}


def mirrored(canvas: Tensor, size: tuple[int, int]) -> Iterator[Tensor]:
    """The middle and its mirror image."""
    (height, width), (h, w) = canvas.shape[2:], size
    top, left = (height - h) // 2, (width - w) // 2
    middle = canvas[:, :, top : top + h, left : left + w]
    yield torch.stack([middle, middle.flip(3)], 1)


def ten(canvas: Tensor, size: tuple[int, int]) -> Iterator[Tensor]:
    """Corners, middle, and their mirror images. A canvas without room gets a margin of its outermost pixels."""
    yield from many_crops(_with_room(canvas, size), size)


def fifty(canvas: Tensor, size: tuple[int, int]) -> Iterator[Tensor]:
    """Ten crops at each of five scales."""
    yield from many_crops(_with_room(canvas, size), size, resnet_scales(size))


def _with_room(canvas: Tensor, size: tuple[int, int]) -> Tensor:
    if tuple(canvas.shape[2:]) != tuple(size):
        return canvas
    return pad(canvas, (max(1, round(MARGIN * size[0])), max(1, round(MARGIN * size[1]))))


VIEWS: dict[str, Views | None] = {"none": None, "mirror": mirrored, "ten": ten, "fifty": fifty}


def seen_through(trained: Trained, tta: str, name: str) -> Trained:
    """A model that answers with the mean over the views that `tta` names; `none` is the model as it is.

    Args:
        name: of the model, for messages.

    Raises:
        ConfigError: no such views, or the model does not classify, or is no network.
    """
    views = choose(tta, VIEWS, "test-time augmentation")
    if views is None:
        return trained
    if trained.task.name != "classify":
        raise ConfigError(f"--tta averages the answers of classifiers; {name} is a run of task {trained.task.name}.")
    if trained.cfg.model.model in trained.task.fitted:
        raise ConfigError(
            f"--tta is for networks; {name} holds a {trained.cfg.model.model}, which sees pictures as they are. Leave "
            "it out."
        )
    return replace(trained, model=ManyViews(trained.model, views, trained.facts.preprocess.size).eval())
