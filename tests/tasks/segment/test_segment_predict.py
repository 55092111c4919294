"""Masks and probabilities have the picture's size whatever it is, and say what the network says."""

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from pellucid.core.errors import ConfigError, ImageError
from pellucid.core.facts import DataFacts
from pellucid.core.preprocess import Preprocess
from pellucid.data.images import read_mask
from pellucid.models.from_batch import FromBatch
from pellucid.models.segment.fcn_small import fcn_small
from pellucid.ops.masks import rle
from pellucid.tasks.segment.prediction.predict import predict
from pellucid.tasks.segment.prediction.result import SegmentResult
from pellucid.tasks.segment.prediction.wishes import SegmentWishes

NAMES = ("background", "bright", "red")
SIZES = [(1, 1), (1, 50), (50, 1), (7, 9), (32, 32), (33, 97), (100, 64), (3, 700)]


class Threshold(nn.Module):
    """Knows the answer pixel by pixel: 2 where red is far above blue, else 1 where it is bright, else 0."""

    def __init__(self) -> None:
        super().__init__()
        self.device_of_this = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        red, _, blue = x.unbind(1)  # 0..1
        bright = x.mean(1)
        return torch.stack([torch.full_like(red, 2.0), 8 * (bright - 0.5) + 2, 40 * (red - blue - 0.5)], dim=1)


def made(net: nn.Module, **changes: Any) -> tuple[nn.Module, DataFacts]:
    preprocess = Preprocess((32, 32), fit="pad", mode="unit")
    facts = replace(DataFacts("segment", "made", NAMES, (1, 1, 1), preprocess), **changes)
    return FromBatch(net, facts.preprocess).eval(), facts


def ask(images: Sequence[Any], net: nn.Module | None = None, **wishes: Any) -> list[SegmentResult]:
    model, facts = made(net or Threshold())
    return predict(model, images, facts, SegmentWishes(**wishes))


def blocks(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """A picture whose upper left is red, lower right white, and the rest black, with its mask."""
    image = np.zeros((height, width, 3), np.uint8)
    mask = np.zeros((height, width), np.uint8)
    image[: (height + 1) // 2, : (width + 1) // 2] = (255, 0, 0)
    mask[: (height + 1) // 2, : (width + 1) // 2] = 2
    image[(height + 1) // 2 :, (width + 1) // 2 :] = 255
    mask[(height + 1) // 2 :, (width + 1) // 2 :] = 1
    return image, mask


@pytest.mark.parametrize("size", SIZES)
def test_native_says_of_every_pixel_what_the_network_says(size: tuple[int, int]) -> None:
    image, mask = blocks(*size)
    for wishes in ({}, {"tile": 8}, {"tile": 16, "overlap": 0.5}, {"tile": 500, "overlap": 0.0}):
        (found,) = ask([image], size="native", **wishes)
        np.testing.assert_array_equal(found.mask, mask)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("how", ["fit", "native"])
def test_masks_and_probabilities_have_the_size_of_the_picture(size: tuple[int, int], how: str) -> None:
    image, _ = blocks(*size)
    (found,) = ask([image], size=how, probabilities=True)
    assert found.mask.shape == size and found.mask.dtype == np.uint8
    assert found.probabilities is not None
    assert found.probabilities.shape == (3, *size) and found.probabilities.dtype == np.float16
    np.testing.assert_allclose(found.probabilities.astype(float).sum(0), 1, atol=2e-3)
    best = np.sort(found.probabilities.astype(float), axis=0)
    clear = best[-1] - best[-2] > 2e-3
    np.testing.assert_array_equal(found.probabilities.argmax(0)[clear], found.mask[clear])
    assert found.row()["size"] == f"{size[1]}x{size[0]}"


def test_a_picture_of_the_training_size_is_seen_alike_in_both_ways() -> None:
    torch.manual_seed(0)
    net, image = fcn_small(3, 3, (32, 32)), np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    (fit,) = ask([image], net, probabilities=True)
    (native,) = ask([image], net, size="native", probabilities=True)
    assert fit.probabilities is not None and native.probabilities is not None
    np.testing.assert_allclose(fit.probabilities, native.probabilities, atol=1e-3)


def test_wide_pictures_are_seen_as_tall_ones() -> None:
    """They go through the tiles column by column; a net that is not symmetric would notice if they were turned."""
    torch.manual_seed(0)
    net = nn.Conv2d(3, 3, (1, 3), padding=(0, 1)).eval()
    image = np.random.default_rng(1).integers(0, 256, (40, 300, 3), dtype=np.uint8)
    with torch.inference_mode():
        x = torch.from_numpy(image).permute(2, 0, 1)[None] / 255
        expected = net(x)[0].softmax(0).numpy()
    (found,) = ask([image], net, size="native", tile=24, probabilities=True)
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-3)


def test_things_are_shown_as_large_as_in_training() -> None:
    """A network that says how large the picture is that it sees."""

    seen: list[tuple[int, int]] = []

    class Look(Threshold):
        def forward(self, x: Tensor) -> Tensor:
            seen.append((x.shape[2], x.shape[3]))
            return x

    image = blocks(40, 60)[0]
    model, facts = made(Look(), zoom=0.5)
    (found,) = predict(model, [image], facts, SegmentWishes(size="native", tile=500))
    assert seen.pop() == (20, 30) and found.mask.shape == (40, 60)
    predict(model, [image], facts, SegmentWishes(size="native", tile=500, scale=1.0))
    assert seen.pop() == (40, 60)
    predict(model, [image], facts, SegmentWishes(size="native", tile=500, scale=0.02))
    assert seen.pop() == (1, 1)
    predict(model, [image], facts, SegmentWishes())
    assert seen.pop() == (32, 32)


def test_another_scale_comes_back_to_the_right_pixels() -> None:
    image, mask = blocks(64, 90)
    model, facts = made(Threshold())
    for scale in (0.5, 2.0, 1.37):
        (found,) = predict(model, [image], facts, SegmentWishes(size="native", scale=scale))
        wrong = found.mask != mask
        wrong[30:34], wrong[:, 43:47] = False, False  # at borders, colours mix
        assert not wrong.any()


def test_what_the_canvas_does_not_show_is_255_and_has_no_probability() -> None:
    image, mask = blocks(32, 96)
    model, facts = made(Threshold(), preprocess=Preprocess((32, 32), fit="crop", mode="unit"))
    (found,) = predict(model, [image], facts, SegmentWishes(probabilities=True))
    np.testing.assert_array_equal(found.mask[:, 32:64], mask[:, 32:64])
    assert (found.mask[:, :32] == 255).all() and (found.mask[:, 64:] == 255).all()
    assert found.probabilities is not None and not found.probabilities[:, :, :32].any()
    (whole,) = predict(model, [image], facts, SegmentWishes(size="native"))
    np.testing.assert_array_equal(whole.mask, mask)


def test_grey_transparent_and_turned_pictures(tmp_path: Any) -> None:
    """All come through one door: upright, without opacity, with the channels of the network."""
    image, mask = blocks(20, 30)
    turned = Image.fromarray(image).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned right
    turned.save(tmp_path / "turned.png", exif=exif)
    clear = Image.fromarray(np.dstack([image, np.zeros((20, 30), np.uint8)]))  # nothing to be seen: white paper
    clear.save(tmp_path / "clear.png")
    grey = Image.fromarray(np.full((9, 11), 250, np.uint8))
    for how in ("fit", "native"):
        first, second, third = ask([tmp_path / "turned.png", tmp_path / "clear.png", grey], size=how)
        if how == "native":
            np.testing.assert_array_equal(first.mask, mask)
        assert first.mask.shape == (20, 30)
        assert second.mask.shape == (20, 30) and (second.mask == 1).all()
        assert third.mask.shape == (9, 11) and (third.mask == 1).all()


def test_regions_are_listed_but_the_background() -> None:
    image, mask = blocks(20, 30)
    (found,) = ask([image], size="native", regions="rle")
    content = found.as_dict()
    assert [each["label"] for each in content["regions"]] == ["bright", "red"]
    for each in content["regions"]:
        pixels = rle.decode(rle.from_coco(each["segmentation"]))
        np.testing.assert_array_equal(pixels, mask == NAMES.index(each["label"]))
    assert found.row()["regions"] == "2"
    (none,) = ask([image], size="native", regions="polygons", min_area=1000)
    assert none.regions == () and none.as_dict()["regions"] == []
    (plain,) = ask([image])
    assert "regions" not in plain.as_dict() and "regions" not in plain.row()


def test_files_hold_what_was_said(tmp_path: Any) -> None:
    image, mask = blocks(20, 30)
    (found,) = ask([image], size="native", probabilities=True, regions="polygons")
    files = found.files()
    assert list(files) == ["mask.png", "probabilities.npz", "regions.json"]
    np.testing.assert_array_equal(read_mask(files["mask.png"]), mask)
    with Image.open(io.BytesIO(files["mask.png"])) as written:
        assert written.mode == "P" and json.loads(written.text["classes"]) == list(NAMES)  # type: ignore[attr-defined]
    with np.load(io.BytesIO(files["probabilities.npz"])) as arrays:
        np.testing.assert_array_equal(arrays["probabilities"], found.probabilities)
        assert arrays["classes"].tolist() == list(NAMES)
    assert [each["category_id"] for each in json.loads(files["regions.json"])["annotations"]] == [1, 2]
    assert found.common_files() == {"classes.txt": b"background\nbright\nred\n"}
    assert list(ask([image])[0].files()) == ["mask.png"]


def test_probability_of_a_class_by_name() -> None:
    image, mask = blocks(20, 30)
    (found,) = ask([image], size="native", probabilities=True)
    assert (found.probability("red")[mask == 2] > 0.9).all()
    with pytest.raises(ConfigError, match=r"^Unknown class 'blue'\."):
        found.probability("blue")
    with pytest.raises(ConfigError, match=r"^The probabilities were not kept: ask for them"):
        ask([image])[0].probability("red")


def test_wishes_out_of_range_are_refused_in_one_line() -> None:
    refused = {
        "tile must be 0 (as in training) or at least 8 pixels, got 7.": {"size": "native", "tile": 7},
        "tile must be 0 (as in training) or at least 8 pixels, got -1.": {"size": "native", "tile": -1},
        "overlap must be in 0..0.5, got 0.6.": {"size": "native", "overlap": 0.6},
        "overlap must be in 0..0.5, got -0.1.": {"size": "native", "overlap": -0.1},
        "scale must be 0 (as in training) or in 1/64..64, got 100.0.": {"size": "native", "scale": 100.0},
        "min_area must be at least 1, got 0.": {"min_area": 0},
        "tile, overlap and scale belong to native size: add --size native (size='native').": {"tile": 64},
    }
    for message, wishes in refused.items():
        with pytest.raises(ConfigError) as caught:
            SegmentWishes(**wishes)  # type: ignore[arg-type]
        assert str(caught.value) == message


def test_pictures_that_scale_would_make_too_large() -> None:
    model, facts = made(Threshold())
    with pytest.raises(
        ImageError, match=r"^the given image has 300x400 pixels, which at scale 64 are more than .*scale"
    ):
        predict(model, [np.zeros((300, 400, 3), np.uint8)], facts, SegmentWishes(size="native", scale=64.0))


def test_a_mean_image_allows_no_tiles() -> None:
    mean = np.zeros((3, 32, 32), np.float32)
    model, facts = made(Threshold(), preprocess=Preprocess((32, 32), mode="mean-image", mean_image=mean))
    image = np.zeros((40, 40, 3), np.uint8)
    assert predict(model, [image], facts, SegmentWishes())[0].mask.shape == (40, 40)
    with pytest.raises(ConfigError, match=r"^This network subtracts a mean image of 32x32 pixels, .* use size fit\.$"):
        predict(model, [image], facts, SegmentWishes(size="native"))


def test_large_results_are_made_one_at_a_time() -> None:
    assert SegmentWishes().together > 1
    assert SegmentWishes(size="native").together == 1
    assert SegmentWishes(probabilities=True).together == 1
