"""Planted copies are found, pictures that only look alike are not."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from doctored import cropped, findings, jpeg, made, mini, prepared, resized, scenes

from pellucid.data.pack.equal import first_equal
from pellucid.doctor.copies.candidates import close_pairs
from pellucid.doctor.copies.descriptor import describe, mirrored, raw
from pellucid.doctor.copies.find import find_copies
from pellucid.doctor.copies.parts import PROMISING, register

CHANGES: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "half the size": lambda picture, seed: resized(picture, 0.5),
    "twice the size": lambda picture, seed: resized(picture, 2),
    "jpeg 50": lambda picture, seed: jpeg(picture, 50),
    "mirrored": lambda picture, seed: picture[:, ::-1],
    "upside down": lambda picture, seed: picture[::-1],
    "cropped to 90 %": lambda picture, seed: cropped(picture, 0.9, seed),
    "cropped to 75 %": lambda picture, seed: cropped(picture, 0.75, seed),
}
N, PLANTED = 120, 30


@pytest.mark.parametrize("change", CHANGES)
def test_changed_copies_are_found_and_nothing_else(change: str) -> None:
    pictures = scenes(N)
    copies = np.stack([CHANGES[change](pictures[row], row) for row in range(PLANTED)])
    splits = prepared(made(np.concatenate([pictures, copies])))
    found, left_out = find_copies(splits.pack, np.arange(N + PLANTED))
    planted = {(row, N + row) for row in range(PLANTED)}
    pairs = {(min(each.first, each.second), max(each.first, each.second)) for each in found}
    assert len(pairs & planted) >= 0.85 * PLANTED
    assert pairs <= planted
    assert left_out == ""


@pytest.mark.parametrize("light", [1.0, 0.12], ids=["bright", "dark"])
def test_a_part_in_other_colours_is_no_part(light: float) -> None:
    """As garments of one cut are none: the same edges, red for green and green for blue."""
    pictures = scenes(60)
    parts = np.stack([cropped(pictures[row], 0.8, row) for row in range(10)])
    for copies, wanted in ((parts, 8), (np.roll(parts, 1, axis=-1), 0)):
        everything = (np.concatenate([pictures, copies]) * light).astype(np.uint8)
        found = find_copies(prepared(made(everything)).pack, np.arange(70))[0]
        assert wanted <= len(found) <= (10 if wanted else 0), found


@pytest.mark.parametrize("quality", [60, 95])
def test_copies_of_tiny_pictures(quality: int) -> None:
    """28 x 28 pictures of clothes that all look alike."""
    source = mini(1_000)
    pictures = np.asarray(source.images)
    copies = np.stack([jpeg(pictures[row], quality) for row in range(0, 1_000, 25)])
    found, left_out = find_copies(prepared(made(np.concatenate([pictures, copies]))).pack, np.arange(1_040))
    planted = {(25 * k, 1_000 + k) for k in range(40)}
    pairs = {(each.first, each.second) for each in found}
    assert len(pairs & planted) >= 36
    assert pairs <= planted
    assert "parts" in left_out


def test_windows_that_all_turn_out_unlike_are_given_up() -> None:
    """Noise around flat squares: some pairs look alike when they are small, none when they are looked at."""
    rng = np.random.default_rng(0)
    pictures = rng.normal(80, 20, (24, 48, 48, 3))
    for picture in pictures:
        top, left = rng.integers(0, 32, 2)
        picture[top : top + 14, left : left + 14] += np.array([50, -20, 30])
    splits = prepared(made(pictures.clip(0, 255).astype(np.uint8)))
    assert find_copies(splits.pack, np.arange(24)) == ([], "")
    fit = register(splits.pack, np.array([0]), np.array([1]), np.array([[0.2, 0.2, 0.5]]))[0]
    assert fit[0] < PROMISING


def test_equal_pictures_are_equal_byte_by_byte() -> None:
    """Against comparing all with all; blank pictures are nobody's copy."""
    rng = np.random.default_rng(0)
    few = rng.integers(0, 256, (40, 3, 3, 1), dtype=np.uint8)
    images = few[rng.integers(0, 40, 200)]
    images[::50] = 7
    expected = [
        next(i for i in range(row + 1) if (images[i] == images[row]).all()) if np.ptp(images[row]) else row
        for row in range(200)
    ]
    assert first_equal(images).tolist() == expected


def test_descriptors_of_a_mirror_image() -> None:
    """Odd cosines change their sign, and nothing else."""
    grey = torch.rand(3, 20, 17, generator=torch.Generator().manual_seed(0)) * 255
    for upside_down, axis in ((False, 2), (True, 1)):
        torch.testing.assert_close(mirrored(raw(grey), 12, upside_down), raw(grey.flip(axis)), atol=1e-5, rtol=0)


def test_a_descriptor_is_the_same_at_any_size_and_contrast() -> None:
    grey = torch.rand(1, 8, 8, generator=torch.Generator().manual_seed(0)) * 200
    larger = grey.repeat_interleave(4, 1).repeat_interleave(4, 2)
    plain = raw(larger, most=3)
    torch.testing.assert_close(raw(0.5 * larger + 20, most=3), plain, atol=1e-5, rtol=0)
    torch.testing.assert_close(raw(larger.repeat_interleave(2, 1), most=3), plain, atol=5e-3, rtol=0)


def test_hashing_finds_what_comparing_all_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = torch.Generator().manual_seed(0)
    vectors = torch.nn.functional.normalize(torch.randn(500, 60, generator=rng), dim=1)
    noisy = torch.nn.functional.normalize(vectors[:200] + 0.015 * torch.randn(200, 60, generator=rng), dim=1)
    both = torch.cat([vectors, noisy])
    exact, _ = close_pairs(both, both, 0.2)
    monkeypatch.setattr("pellucid.doctor.copies.candidates.ALL_PAIRS_UP_TO", 0)
    hashed, again = close_pairs(both, both, 0.2)
    assert exact.tolist() == [[i, 500 + i] for i in range(200)]
    assert len(hashed) >= 198  # each is missed with a probability of 0.002
    assert {tuple(pair) for pair in hashed.tolist()} <= {tuple(pair) for pair in exact.tolist()}
    crossed, _ = close_pairs(noisy, vectors, 0.2)
    assert len(again) == len(hashed)
    assert crossed.tolist() == []  # pairs (i, i) are no pairs of different pictures


def test_leaks_and_contradictions_are_said() -> None:
    pictures = scenes(60)
    roles = np.array(["train"] * 40 + ["val"] * 20)
    pictures = pictures.copy()
    pictures[45], pictures[6] = pictures[2], pictures[5]  # 45 leaks and is labelled otherwise; 6 is only a copy
    found = findings(made(pictures, roles=roles))
    assert set(found) == {"leaked-duplicates", "duplicates"}
    leak = found["leaked-duplicates"]
    assert leak.verdict.status == "fail"
    assert leak.pairs == ((2, 45),)
    assert "2 (train) and 45 (val)" in leak.verdict.evidence
    assert "two different labels (that pair: class 0 and class 1)" in leak.verdict.evidence
    assert found["duplicates"].pairs == ((5, 6),)
    assert found["duplicates"].verdict.status == "warn"


def test_flat_pictures_are_no_copies() -> None:
    flat = np.repeat(np.arange(30, dtype=np.uint8)[:, None], 32 * 32 * 3, axis=1).reshape(30, 32, 32, 3)
    splits = prepared(made(flat))
    assert find_copies(splits.pack, np.arange(30))[0] == []
    assert not describe(splits.pack, np.arange(30)).any()
