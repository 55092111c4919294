"""What is decided about the data before training, and that the test split has no say in it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pellucid.core.errors import ConfigError
from pellucid.core.preprocess import Preprocess, Resize
from pellucid.data.config import AugmentConfig, DataConfig
from pellucid.data.prepare import Splits, prepare
from pellucid.data.single import as_batch
from pellucid.data.source import Source
from pellucid.ops.normalise import normalise

HELD = DataConfig(val_fraction=0.2, test_fraction=0.2)


def arrays(n: int = 40, shape: tuple[int, ...] = (12, 10, 3), seed: int = 0) -> Source:
    images = np.random.default_rng(seed).integers(0, 256, (n, *shape), dtype=np.uint8)
    labels = np.arange(n) % 4
    return Source("noise", images, [f"p{k}" for k in range(n)], ("a", "b", "c", "d"), labels=labels)


def ready(source: Source, data: DataConfig = HELD, seed: int = 0, **rest: object) -> Splits:
    return prepare(source, data, AugmentConfig(), seed, "classify", **rest)


def files(folder: Path, sizes: list[tuple[int, int]]) -> Source:
    paths = []
    for k, (height, width) in enumerate(sizes):
        paths.append(folder / f"{k}.png")
        Image.new("RGB", (width, height), (10 * k, 0, 0)).save(paths[-1])
    labels = np.arange(len(sizes)) % 2
    return Source("files", paths, [p.name for p in paths], ("a", "b"), labels=labels)


@pytest.mark.parametrize(
    ("sizes", "size", "canvas"),
    [
        ([(20, 30)] * 8, (20, 30), (20, 30)),
        ([(200, 200)] * 8, (200, 200), (200, 200)),
        ([(300, 300)] * 8, (224, 224), (256, 256)),
        ([(100, 200), (150, 90)] * 4, (224, 224), (256, 256)),
        ([(30, 20), (28, 40)] * 4, (30, 20), (30, 20)),
    ],
)
def test_size_follows_the_pictures(
    tmp_path: Path, sizes: list[tuple[int, int]], size: tuple[int, int], canvas: tuple[int, int]
) -> None:
    preprocess = ready(files(tmp_path, sizes)).facts.preprocess
    assert (preprocess.size, preprocess.canvas_size) == (size, canvas)


def test_stated_size_fit_and_colour_win(tmp_path: Path) -> None:
    data = replace(HELD, image_size="24x16", fit="stretch", colour="grey")
    splits = ready(files(tmp_path, [(40, 40)] * 8), data)
    assert splits.facts.preprocess.size == (24, 16)
    assert splits.facts.preprocess.fit == "stretch"
    assert splits.pack.images.shape[1:] == (24, 16, 1)


def test_grey_arrays_stay_grey_unless_asked() -> None:
    source = arrays(shape=(12, 10))
    assert ready(source).facts.preprocess.channels == 1
    assert ready(source, replace(HELD, colour="rgb")).facts.preprocess.channels == 3


def test_test_and_val_pictures_have_no_say_in_the_statistics() -> None:
    source = arrays()
    splits = ready(source)
    changed = source.images.copy()
    changed[np.concatenate([splits.split.val, splits.split.test])] = 255
    other = ready(replace(source, images=changed))
    assert other.split.digest == splits.split.digest
    assert other.facts.preprocess == splits.facts.preprocess
    changed[splits.split.train[0]] = 255
    assert ready(replace(source, images=changed)).facts.preprocess != splits.facts.preprocess


@pytest.mark.parametrize("mode", ["standardise", "centre"])
def test_training_pixels_come_out_centred(mode: str) -> None:
    splits = ready(arrays(), replace(HELD, preprocess=mode))
    batch = next(splits.loader("train", 1000).epoch(0))
    x = normalise(batch["image"], splits.facts.preprocess)
    assert x.double().mean((0, 2, 3)).abs().max() < 1e-6
    if mode == "standardise":
        torch.testing.assert_close(x.double().std((0, 2, 3), correction=0), torch.ones(3).double(), rtol=1e-5, atol=0)


def test_mean_image_is_subtracted_pixel_by_pixel() -> None:
    splits = ready(arrays(), replace(HELD, preprocess="mean-image"))
    x = normalise(next(splits.loader("train", 1000).epoch(0))["image"], splits.facts.preprocess)
    assert x.double().mean(0).abs().max() < 1e-6


def test_of_a_larger_canvas_the_mean_image_keeps_the_middle_which_evaluation_looks_at(tmp_path: Path) -> None:
    """A canvas of 80 px for an input of 70: the mean over the evaluated training pictures is 0 at every pixel."""
    for k, pixels in enumerate(np.random.default_rng(0).integers(0, 256, (10, 90, 90, 3), dtype=np.uint8)):
        Image.fromarray(pixels).save(tmp_path / f"{k}.png")
    paths = sorted(tmp_path.glob("*.png"))
    source = Source("files", paths, [path.name for path in paths], ("a", "b"), labels=np.arange(10) % 2)
    found = ready(source, replace(HELD, image_size="70", preprocess="mean-image", val_fraction=0.4, test_fraction=0.0))
    preprocess = found.facts.preprocess
    assert (preprocess.canvas_size, preprocess.mean_image.shape) == ((80, 80), (3, 70, 70))
    whole = found.pack.images[found.split.train].astype(np.float64).mean(0).transpose(2, 0, 1)
    np.testing.assert_allclose(preprocess.mean_image, whole[:, 5:75, 5:75], atol=1e-3)
    again = Preprocess.from_dict(preprocess.as_dict())
    assert np.array_equal(again.mean_image, preprocess.mean_image)
    batch = next(found.loader("train", 10).epoch(0))
    pixels = normalise(batch["image"], preprocess)
    assert pixels.shape[1:] == (3, 70, 70) and float(pixels.mean(0).abs().max()) < 1e-5


def test_same_seed_same_split_other_seed_another() -> None:
    assert ready(arrays()).split.digest == ready(arrays()).split.digest
    assert ready(arrays()).split.digest != ready(arrays(), seed=1).split.digest


def test_fraction_takes_a_part_of_training_only() -> None:
    whole, half = ready(arrays()), ready(arrays(), replace(HELD, fraction=0.5))
    assert half.facts.n_train == whole.facts.n_train // 2
    assert set(half.split.train) < set(whole.split.train)
    assert np.array_equal(half.split.test, whole.split.test)


def test_groups_stay_on_one_side() -> None:
    source = arrays()
    source.groups = np.arange(40) // 4
    splits = ready(source, replace(HELD, stratify=False))
    sides = [set(source.groups[splits.split.role(role)]) for role in ("train", "val", "test")]
    assert not (sides[0] & sides[1] or sides[0] & sides[2] or sides[1] & sides[2])


def test_class_counts_are_those_of_training() -> None:
    splits = ready(arrays())
    labels = splits.pack.targets["label"][splits.split.train]
    assert splits.facts.class_counts == tuple(np.bincount(labels, minlength=4))


def test_whole_puts_everything_into_test_with_the_given_preprocessing() -> None:
    first = ready(arrays())
    other = ready(arrays(seed=5), preprocess=first.facts.preprocess, whole=True)
    assert (other.facts.n_train, other.facts.n_val, other.facts.n_test) == (0, 0, 40)
    assert other.facts.preprocess == first.facts.preprocess


def test_training_loader_drops_a_short_last_step_and_evaluation_does_not() -> None:
    splits = ready(arrays())
    assert [len(b["index"]) for b in splits.loader("train", 10, training=True).epoch(0)] == [10, 10]
    assert [len(b["index"]) for b in splits.loader("train", 10).epoch(0)] == [10, 10, 4]
    assert [len(b["index"]) for b in splits.loader("train", 100, training=True).epoch(0)] == [24]


def test_networks_that_resize_themselves_get_the_largest_picture_whole(tmp_path: Path) -> None:
    source = replace(files(tmp_path, [(30, 20), (10, 50)]), labels=np.zeros(2, dtype=np.int64), classes=("a",))
    for rule, room in ((Resize(16, 45), (30, 45)), (Resize(16, 90), (30, 50)), (Resize(to=(9, 9)), (30, 40))):
        own = Preprocess((8, 40), fit="own", resize=rule)
        splits = ready(source, DataConfig(), preprocess=own, whole=True)
        assert splits.facts.preprocess == replace(own, size=room)
        batch = next(iter(splits.loader("test", 2).epoch(0)))
        assert batch["image"].shape == (2, 3, *room)
        assert sorted(batch["valid_hw"].tolist()) == sorted([[30, 20], [round(10 * min(1, room[1] / 50)), room[1]]])


def test_a_single_picture_goes_the_way_of_the_pack(tmp_path: Path) -> None:
    """Prediction must see what evaluation saw: the same pixels to the bit, crop margin and all."""
    rng = np.random.default_rng(0)
    paths = []
    for k in range(8):
        paths.append(tmp_path / f"{k}.png")
        Image.fromarray(rng.integers(0, 256, (90 + 7 * k, 130, 3), dtype=np.uint8)).save(paths[-1])
    source = Source("files", paths, [p.name for p in paths], ("a", "b"), labels=np.arange(8) % 2)
    for data in (replace(HELD, image_size="80"), replace(HELD, image_size="70x90", fit="pad")):
        splits = ready(source, data)
        packed = next(splits.loader("train", 8).epoch(0))
        alone = as_batch([paths[row] for row in splits.split.train], splits.facts.preprocess)
        for key in ("image", "valid_hw", "original_hw", "canvas_affine"):
            assert torch.equal(alone[key], packed[key]), key


def test_augmented_masks_hold_only_classes_that_were_there() -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (20, 16, 12, 3), dtype=np.uint8)
    masks = rng.integers(0, 3, (20, 16, 12), dtype=np.uint8)
    source = Source("masks", images, [str(k) for k in range(20)], ("a", "b", "c"), masks=masks)
    augment = AugmentConfig(flip=0.5, vflip=0.5, shift=0.2, crop=0.5, rotate=20, jitter=0.3, noise=5, cutout=0.3)
    for each in (augment, replace(augment, crop=1.0), AugmentConfig()):
        splits = prepare(source, HELD, each, 0, "segment")
        for batch in splits.loader("train", 4, training=True).epoch(0):
            assert set(batch["mask"].unique().tolist()) <= {0, 1, 2, 255}


def test_split_seed_alone_decides_split_and_fraction() -> None:
    """Runs of other seeds share both; without it each seed draws its own."""
    source, fixed = arrays(), replace(HELD, fraction=0.5, split_seed=3)
    first, second = (prepare(source, fixed, AugmentConfig(), seed, "classify") for seed in (0, 1))
    assert first.facts.split_hash == second.facts.split_hash
    as_seed = prepare(source, replace(fixed, split_seed=-1), AugmentConfig(), 3, "classify")
    assert as_seed.facts.split_hash == first.facts.split_hash
    other = prepare(source, replace(fixed, split_seed=-1), AugmentConfig(), 1, "classify")
    assert other.facts.split_hash != first.facts.split_hash
    with pytest.raises(ConfigError, match=r"^split_seed must be -1 \(that of --seed\), 0 or positive, got -2\.$"):
        DataConfig(split_seed=-2)
