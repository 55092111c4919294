"""The small segmenter."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from pellucid.models import create
from pellucid.models.segment.fcn_small import FcnSmall


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (7, 5), (31, 33), (64, 64), (97, 40)])
def test_output_has_exactly_the_pictures_size(size: tuple[int, int]) -> None:
    model = create("fcn_small", 4, 3, size).eval()
    assert model(torch.zeros(2, 3, *size)).shape == (2, 4, *size)


def test_it_is_small() -> None:
    assert sum(parameter.numel() for parameter in create("fcn_small", 21, 3, (64, 64)).parameters()) < 500_000


def test_moving_the_picture_moves_the_answer() -> None:
    """By 8 px, the coarsest step: away from the borders the logits move along, bit for bit or nearly so."""
    torch.manual_seed(0)
    model = FcnSmall(3, 1).eval()
    picture = torch.randn(1, 1, 256, 256)
    still, moved = model(picture), model(picture.roll(8, dims=3))
    inside = slice(112, 144)  # 104 px of field reach no border from here
    torch.testing.assert_close(moved[..., inside, 120:152], still[..., inside, 112:144])


def test_rare_classes_are_told_apart() -> None:
    """Two stripes of different directions on much background: a classifier started too small stays at background."""
    torch.manual_seed(0)
    model = FcnSmall(3, 1)
    masks = torch.zeros(16, 32, 32, dtype=torch.int64)
    masks[::2, 6:10, 4:16], masks[1::2, 4:16, 6:10] = 1, 2
    pictures = (masks > 0).float()[:, None] + 0.1 * torch.randn(16, 1, 32, 32)
    optimiser = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(80):
        optimiser.zero_grad()
        F.cross_entropy(model(pictures), masks).backward()
        optimiser.step()
    found = model(pictures).argmax(1)
    for k in (1, 2):
        assert ((found == k) & (masks == k)).sum() > 0.5 * (masks == k).sum()


@pytest.mark.parametrize(("coarser", "after"), [("narrow8", "mix4"), ("narrow4", "mix2")])
def test_finer_maps_skip_the_coarser_ones(coarser: str, after: str) -> None:
    """With the way up from below cut, the layer that joins both still sees the picture."""
    torch.manual_seed(0)
    model = FcnSmall(3, 1).eval()
    nn.init.zeros_(getattr(model, coarser).weight)
    seen: list[torch.Tensor] = []
    getattr(model, after).register_forward_hook(lambda module, inputs, output: seen.append(output))
    model(torch.randn(2, 1, 16, 16))
    assert not torch.allclose(seen[0][0], seen[0][1])
