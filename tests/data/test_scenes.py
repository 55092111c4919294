"""Generated scenes: the seed fixes the bytes, and every pixel's class is that of what is drawn there."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pellucid.core.errors import ConfigError
from pellucid.data.scenes import world as module
from pellucid.data.known import KNOWN
from pellucid.data.scenes import (
    Sprites,
    fashion_sprites,
    make_crop,
    make_scene,
    paste,
    resize,
    scenes,
    silhouettes,
    texture,
    tint,
)


def digest(**arguments: object) -> str:
    source = scenes(**{"n_train": 6, "n_test": 3, "size": 40, "seed": 5, **arguments})
    return hashlib.sha256(source.images.tobytes() + source.masks.tobytes()).hexdigest()


def squares(side: int = 8) -> Sprites:
    """Ten full squares: sprite i has class i + 1."""
    full = np.full((10, side, side), 255, dtype=np.uint8)
    return Sprites(full, full, np.arange(1, 11))


def test_the_set_is_what_it_says() -> None:
    source = scenes(n_train=4, n_test=2, size=(32, 48), seed=1)
    assert source.images.shape == (6, 32, 48, 3) and source.masks.shape == (6, 32, 48)
    assert source.images.dtype == source.masks.dtype == np.uint8
    assert source.kind == "segment" and source.labels is None
    assert source.classes == ("background", *KNOWN["fashion-mnist"].classes)
    assert source.roles.tolist() == ["train"] * 4 + ["test"] * 2
    assert source.names == ["train/0", "train/1", "train/2", "train/3", "test/0", "test/1"]


def test_the_seed_fixes_the_bytes_in_another_process_too() -> None:
    code = (
        "import hashlib; from pellucid.data.scenes import scenes; s = scenes(6, 3, 40, 5);"
        "print(hashlib.sha256(s.images.tobytes() + s.masks.tobytes()).hexdigest())"
    )
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert digest() == digest() == there
    assert digest(seed=6) != digest()


def test_a_scene_depends_on_its_place_alone() -> None:
    few, many = scenes(n_train=2, n_test=2, size=24), scenes(n_train=5, n_test=3, size=24)
    assert np.array_equal(few.images[:2], many.images[:2]) and np.array_equal(few.masks[2:], many.masks[5:7])
    assert not np.array_equal(few.images[0], few.images[2])


def test_either_split_may_be_empty() -> None:
    assert len(scenes(n_train=0, n_test=2, size=16)) == 2
    assert set(scenes(n_train=2, n_test=0, size=16).roles) == {"train"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": 7}, r"^size must be at least 8, got 7\.$"),
        ({"size": (64, 4)}, r"^size must be at least 8, got \(64, 4\)\.$"),
        ({"n_test": -1}, r"^n_train and n_test must be 0 or positive, got \(6, -1\)\.$"),
        ({"seed": -1}, r"^seed must be 0 or positive, got -1\.$"),
    ],
)
def test_numbers_out_of_range_are_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        digest(**arguments)


def test_train_and_test_scenes_share_no_clothes() -> None:
    train, test = (module.fashion_sprites(role) for role in ("train", "test"))
    assert len(train.labels) == 12_000 and len(test.labels) == 2_000
    assert not {s.tobytes() for s in train.shade} & {s.tobytes() for s in test.shade}
    assert train.labels.min() == 1 and train.labels.max() == 10


def test_all_classes_occur_and_background_is_most_of_it() -> None:
    share = np.bincount(scenes(n_train=150, n_test=0, size=32).masks.ravel(), minlength=11) / (150 * 32 * 32)
    assert len(share) == 11 and (share > 0).all()
    assert 0.5 < share[0] < 0.95


@given(st.integers(0, 10_000), st.integers(8, 40), st.integers(8, 40))
def test_every_pixel_has_the_class_of_what_is_drawn_there(seed: int, height: int, width: int) -> None:
    """The scene is drawn again, pixel by pixel, from the calls that make_scene makes."""
    sprites, drawn = squares(), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "paste", lambda *args: drawn.append(args[2:]) or paste(*args))
        patch.setattr(module, "texture", lambda rng, h, w: np.zeros((h, w, 3), dtype=np.uint8))
        image, mask = make_scene(np.random.default_rng(seed), sprites, (height, width))
    assert 1 <= len(drawn) <= 4
    expected, visible = np.zeros((height, width), dtype=np.uint8), np.zeros((height, width), dtype=bool)
    for _, coverage, label, top, left in drawn:
        side = len(coverage)
        assert min(height, width) * 30 // 100 <= side <= min(height, width) * 65 // 100
        assert -side / 4 - 1 <= top <= height - side * 3 / 4 + 1
        assert -side / 4 - 1 <= left <= width - side * 3 / 4 + 1
        for y in range(max(0, -top), min(side, height - top)):
            for x in range(max(0, -left), min(side, width - left)):
                visible[top + y, left + x] |= coverage[y, x] > 0
                if coverage[y, x] / 255 > 0.5:
                    expected[top + y, left + x] = label
    assert np.array_equal(mask, expected)
    assert not image[~visible].any()  # nothing but the background where nothing was pasted


def test_a_crop_shows_one_whole_cloth_in_the_colour_that_was_asked_for() -> None:
    full = np.full((1, 10, 10), 255, dtype=np.uint8)
    white = Sprites(full, full, np.array([7]))
    asked = []

    def red(rng: np.random.Generator, label: int) -> np.ndarray:
        asked.append(label)
        return np.array([200, 0, 0])

    for seed in range(20):
        image, label = make_crop(np.random.default_rng(seed), white, 20, red)
        side = np.flatnonzero((image == (200, 0, 0)).all(axis=2).any(axis=0)).size
        assert image.shape == (20, 20, 3) and image.dtype == np.uint8 and label == 7
        assert 14 <= side <= 20 and (image == (200, 0, 0)).all(axis=2).sum() >= side**2
    assert asked == [7] * 20


def test_a_seed_fixes_a_crop() -> None:
    first, second, other = (make_crop(np.random.default_rng(seed), fashion_sprites("test"), 32) for seed in (3, 3, 4))
    assert np.array_equal(first[0], second[0]) and first[1] == second[1]
    assert not np.array_equal(first[0], other[0])


def test_paste_blends_by_coverage_and_cuts_at_the_border() -> None:
    image, mask = np.zeros((3, 3, 3), dtype=np.uint8), np.zeros((3, 3), dtype=np.uint8)
    colour = np.full((2, 2, 3), 255)
    coverage = np.array([[255, 255], [127, 128]])
    paste(image, mask, colour, coverage, 7, top=1, left=-1)
    assert image[1, 0].tolist() == [255] * 3 and mask[1, 0] == 7
    assert abs(int(image[2, 0, 0]) - 128) <= 1 and mask[2, 0] == 7  # 128 of 255 is above one half
    assert mask.sum() == 14 and not image[:, 1:].any() and not image[0].any()
    paste(image, mask, colour, coverage, 3, top=0, left=1)
    assert mask.tolist() == [[0, 3, 3], [7, 0, 3], [7, 0, 0]]  # 127 of 255 is below
    before = image.copy()
    paste(image, mask, colour, coverage, 9, top=3, left=0)
    paste(image, mask, colour, coverage, 9, top=0, left=-2)
    assert np.array_equal(image, before) and 9 not in mask


def test_a_silhouette_closes_holes_and_leaves_gaps_open() -> None:
    ring = np.zeros((5, 5), dtype=np.uint8)
    ring[1:4, 1:4] = 90
    ring[2, 2] = 0
    trousers = np.zeros((5, 5), dtype=np.uint8)
    trousers[0, 1:4] = trousers[:, 1] = trousers[:, 3] = 200
    faint = np.full((5, 5), 7, dtype=np.uint8)
    inside = silhouettes(np.stack([ring, trousers, faint]))
    assert inside[0].sum() == 9 and inside[0, 2, 2]
    assert np.array_equal(inside[1], trousers > 0)
    assert not inside[2].any()


@given(st.integers(2, 12), st.integers(2, 12), st.integers(0, 99))
def test_enlarging_agrees_with_pillow(old: int, grow: int, seed: int) -> None:
    """Pillow's bilinear filter is the same interpolation wherever it does not shrink."""
    plane = np.random.default_rng(seed).integers(256, size=(old, old), dtype=np.uint8)
    new = old + grow
    ours = resize(plane, new, new + 3)
    theirs = np.asarray(Image.fromarray(plane).resize((new + 3, new), Image.Resampling.BILINEAR), dtype=np.int32)
    assert ours.shape == (new, new + 3) and np.abs(ours - theirs).max() <= 2


def test_resizing_keeps_a_constant_a_ramp_and_the_leading_axes() -> None:
    assert (resize(np.full((2, 3, 5), 255, dtype=np.uint8), 11, 2) == 255).all()
    assert resize(np.zeros((2, 3, 5), dtype=np.uint8), 11, 2).shape == (2, 11, 2)
    ramp = np.tile(np.arange(0, 160, 10, dtype=np.uint8), (4, 1))  # 10 a pixel, so 5 a half pixel
    assert np.array_equal(resize(ramp, 4, 32)[0, 1:-1], np.round(np.arange(2.5, 152, 5) + 1e-6))
    assert np.array_equal(resize(ramp, 4, 16), ramp)


def test_tint_is_dark_but_never_black_and_ignores_soft_edges() -> None:
    colour = np.array([255, 128, 0])
    drawn = tint(np.array([[0, 255, 64]]), np.array([[255, 255, 64]]), colour)
    assert drawn[0, 1].tolist() == [255, 128, 0]
    assert drawn[0, 0].tolist() == [80, 80 * 128 // 255, 0]
    assert np.array_equal(drawn[0, 2], drawn[0, 1])  # a quarter covered by the brightest cloth


@pytest.mark.parametrize("field", [module._noise, module._blobs, module._gradient, module._stripes])
@pytest.mark.parametrize("size", [(8, 8), (8, 61), (64, 64)])
def test_fields_stay_in_range_and_vary(field: object, size: tuple[int, int]) -> None:
    fields = [field(np.random.default_rng(seed), *size) for seed in range(20)]
    assert all(f.shape == size and f.min() >= 0 and f.max() <= 255 for f in fields)
    assert np.mean([f.std() for f in fields]) > 20


def test_textures_differ() -> None:
    made = {texture(np.random.default_rng(seed), 16, 16).tobytes() for seed in range(30)}
    assert len(made) == 30


def test_the_named_set_is_the_default_one_and_quick_to_name() -> None:
    known = KNOWN["scenes"]
    assert known.shape == (64, 64, 3) and known.counts == {"train": 2_000, "test": 400}
    assert known.card.title and "MIT" in known.card.licence
