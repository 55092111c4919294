"""Pictures and their masks go through every step together, and no step invents a class."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from pellucid.core.errors import ConfigError
from pellucid.data.policy.read import read_policy
from pellucid.data.policy.steps import STEPS
from pellucid.data.transforms.batch import Batch
from pellucid.data.transforms.compose import make_step

IDS = (0, 3, 7, 255)
GREY = torch.zeros(256, dtype=torch.uint8)  # of each id in a picture that is painted like its mask
GREY[list(IDS)] = torch.tensor([0, 80, 160, 240], dtype=torch.uint8)
LOOKS = ("jitter", "brightness", "contrast", "saturation", "pca_colour", "blur", "noise")  # the mask stays
HIDES = ("cutout", "erase")
MOVES = tuple(name for name in STEPS if name not in (*LOOKS, *HIDES, "mixup"))
STRONG: dict[str, dict[str, Any]] = {  # what each step may do at most, or near it
    "rotate": {"degrees": 180},
    "shear": {"degrees": 60},
    "stretch": {"share": 1},
    "translate": {"share": 1},
    "affine": {"rotate": 180, "shear": 50, "stretch": 0.8, "shift": 0.7},
    "shift": {"share": 1},
    "radial": {"k": 0.3},
    "elastic": {"amount": 0.05},
    "crop": {"area": [0.01, 1], "aspect": [0.2, 5]},
    "scale_crop": {"short_side": [40, 90]},
}


def step(name: str, size: tuple[int, int], **values: Any) -> Callable[[Batch, torch.Generator], Batch]:
    text = "".join(f"{key} = {value!r}\n" for key, value in values.items()).replace("'", '"')
    return make_step(read_policy(f"[[step]]\nname = '{name}'\n{text}", "test")[0], size)


def blocks(n: int, height: int, width: int, generator: torch.Generator, side: int = 7) -> Tensor:
    """(N, H, W) int64 of squares of all four ids."""
    rough = torch.randint(len(IDS), (n, -(-height // side), -(-width // side)), generator=generator)
    fine = rough.repeat_interleave(side, 1).repeat_interleave(side, 2)[:, :height, :width]
    return torch.tensor(IDS)[fine]


def painted(mask: Tensor) -> Batch:
    n, height, width = mask.shape
    image = GREY[mask][:, None].expand(n, 3, height, width).contiguous(memory_format=torch.channels_last)
    hw = torch.tensor([[height, width]]).repeat(n, 1)
    affine = torch.eye(2, 3).repeat(n, 1, 1)
    return {"image": image, "mask": mask, "valid_hw": hw, "original_hw": hw.clone(), "canvas_affine": affine}


def inside(mask: Tensor, margin: int) -> Tensor:
    """(N, H, W) bool: pixels whose square of 2 margin + 1 pixels has one id and lies within the picture."""
    height, width = mask.shape[1:]
    same = torch.zeros(mask.shape, dtype=torch.bool)
    side = 2 * margin + 1
    if min(height, width) < side:
        return same
    around = mask.unfold(1, side, 1).unfold(2, side, 1).flatten(3)  # (N, H', W', side * side)
    same[:, margin : height - margin, margin : width - margin] = (around == around[..., :1]).all(-1)
    return same


def test_the_lists_above_name_every_step() -> None:
    assert {*LOOKS, *HIDES, *MOVES, "mixup"} == set(STEPS)


@pytest.mark.parametrize("name", [name for name in STEPS if name != "mixup"])
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**31), height=st.integers(1, 40), width=st.integers(1, 40), n=st.integers(1, 9))
def test_no_class_is_invented(name: str, seed: int, height: int, width: int, n: int) -> None:
    """Ids of the mask that comes out were in the one that went in, or are 255, down to pictures of one pixel."""
    generator = torch.Generator().manual_seed(seed)
    mask = torch.tensor((0, 3, 7))[torch.randint(3, (n, height, width), generator=generator)]
    mask[:, : height // 2] = torch.where(torch.rand(n, height // 2, width, generator=generator) < 0.2, 255, 3)
    before = mask.clone()
    values = STRONG.get(name, {})
    size = (max(1, height - 2), max(1, width // 2)) if STEPS[name].cuts else (height, width)
    out = step(name, size, **values)(painted(mask), generator)
    assert out["mask"].shape == (n, *size) == (out["image"].shape[0], *out["image"].shape[2:])
    assert out["mask"].dtype == mask.dtype and torch.equal(mask, before)
    if name == "cutmix":  # ids of the partner may come in
        assert set(out["mask"].unique().tolist()) <= {*before.unique().tolist(), 255}
    else:
        for one, was in zip(out["mask"], before, strict=True):
            assert set(one.unique().tolist()) <= {*was.unique().tolist(), 255}
    if name in LOOKS:
        assert torch.equal(out["mask"], before)


@pytest.mark.parametrize("name", MOVES)
@pytest.mark.parametrize("seed", range(3))
def test_picture_and_mask_move_together(name: str, seed: int) -> None:
    """A picture painted like its mask still is, wherever one id fills the neighbourhood, at ordinary strengths too."""
    generator = torch.Generator().manual_seed(seed)
    mask = blocks(8, 63, 84, generator)
    mask[mask == 255] = 3  # so that 255 comes from outside only
    size = (48, 56) if STEPS[name].cuts else (63, 84)
    cuts: dict[str, Any] = {"scale_crop": {"short_side": [56, 120]}, "crop": {"area": [0.3, 1], "aspect": [0.5, 2]}}
    values = cuts.get(name, STRONG.get(name, {}) if seed == 0 else {})
    out = step(name, size, **values)(painted(mask), generator)
    where = inside(out["mask"], 2) & (out["mask"] != 255)
    assert where.float().mean() > 0.02
    wrong = (out["image"][:, 0] != GREY[out["mask"]]) & where
    assert not wrong.any()


@pytest.mark.parametrize("name", MOVES)
def test_they_agree_to_a_fraction_of_a_pixel(name: str) -> None:
    """The middle of a disc in the mask is that of the disc in the picture; a slip of half a pixel would be seen."""
    generator = torch.Generator().manual_seed(1)
    n, side = 48, 96
    y, x = torch.meshgrid(torch.arange(side) + 0.5, torch.arange(side) + 0.5, indexing="ij")
    mask = torch.where((y - 46).square() + (x - 52).square() < 15**2, 7, 0)[None].repeat(n, 1, 1)
    size = (80, 80) if STEPS[name].cuts else (side, side)
    values = {"crop": {"area": [0.6, 1], "aspect": [0.8, 1.2]}, "scale_crop": {"short_side": [88, 110]}}
    values["zoom"] = {"factor": [0.84, 1.25]}  # never smaller than the canvas: what lies beside it would shine too
    usual = {"rotate": {"degrees": 90}, "shift": {"share": 0.2}, "translate": {"share": 0.2}}
    out = step(name, size, **values.get(name, usual.get(name, {})))(painted(mask), generator)
    held = (out["mask"] == 7).double()
    bright = out["image"][:, 0].double() / 160
    grid = (y[: size[0], : size[1]].double(), x[: size[0], : size[1]].double())
    border = held.clone()
    border[:, 1:-1, 1:-1] = 0
    whole = border.flatten(1).sum(1) == 0
    assert whole.sum() >= 12
    for axis in grid:
        slip = (_middle(held, axis) - _middle(bright, axis))[whole]
        assert slip.abs().max() < 0.55  # a move by half a pixel leaves the nearest one half a pixel away
        assert slip.mean().abs() < 0.2  # which happens both ways alike


def _middle(weight: Tensor, axis: Tensor) -> Tensor:
    return (weight * axis).flatten(1).sum(1) / weight.flatten(1).sum(1)


@pytest.mark.parametrize("name", ["rotate", "shear", "affine", "translate", "shift", "radial"])
def test_what_comes_from_outside_is_ignored(name: str) -> None:
    """By an independent way: a pixel of the new picture whose place in the old one lies outside has 255."""
    generator = torch.Generator().manual_seed(5)
    mask = torch.full((8, 40, 56), 3)
    values = {"rotate": {"degrees": 60}, "shear": {"degrees": 40}, "translate": {"share": 0.5}, "shift": {"share": 0.4}}
    out = step(name, (40, 56), **values.get(name, STRONG.get(name, {})))(painted(mask), generator)
    assert set(out["mask"].unique().tolist()) == {3, 255}
    if name == "radial":
        return  # no matrix says where its pixels were
    y, x = torch.meshgrid(torch.arange(40) + 0.5, torch.arange(56) + 0.5, indexing="ij")
    centres = torch.stack([x, y, torch.ones_like(x)], -1).double()  # (H, W, 3)
    old = torch.einsum("nij,hwj->nhwi", out["canvas_affine"].double(), centres)
    off = torch.maximum((old - torch.tensor([28.0, 20.0])).abs() - torch.tensor([28.0, 20.0]), torch.zeros(1)).amax(-1)
    near = ((old - torch.tensor([28.0, 20.0])).abs() - torch.tensor([28.0, 20.0])).abs().amin(-1) < 1e-3  # on the edge
    assert torch.equal((out["mask"] == 255)[~near], (off > 0)[~near])


@pytest.mark.parametrize("name", HIDES)
def test_hidden_pixels_are_ignored_and_no_others(name: str) -> None:
    generator = torch.Generator().manual_seed(2)
    batch = painted(torch.full((16, 40, 50), 3))
    out = step(name, (40, 50), p=1.0, fill=200)(batch, generator)
    changed = (out["image"] != batch["image"]).any(1)
    assert changed.any() and torch.equal(changed, out["mask"] == 255)


def test_mixup_refuses_masks() -> None:
    with pytest.raises(ConfigError, match="mixup would give pixels of masks two classes. Use cutmix"):
        step("mixup", (8, 8))(painted(torch.zeros(2, 8, 8, dtype=torch.int64)), torch.Generator())


def test_a_step_for_some_pictures_moves_their_masks_alone() -> None:
    generator = torch.Generator().manual_seed(3)
    batch = painted(blocks(40, 32, 32, generator))
    out = step("rotate", (32, 32), p=0.5, degrees=90)(batch, generator)
    same_image = (out["image"] == batch["image"]).flatten(1).all(1)
    same_mask = (out["mask"] == batch["mask"]).flatten(1).all(1)
    assert same_mask[same_image].all()  # a picture may turn by less than its mask can show
    assert same_image.sum() > 5 and same_mask.sum() < 35
