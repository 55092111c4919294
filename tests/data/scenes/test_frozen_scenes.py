"""Frozen sets: the seed fixes the bytes, here and in another process, and a scene depends on its place alone."""

import hashlib
import itertools
import subprocess
import sys

import numpy as np
import pytest

from pellucid.core.errors import ConfigError
from pellucid.data.known import KNOWN, content_digest
from pellucid.data.scenes import CLASSES, DIFFICULTIES, catalogue, scene_of, scenes, stream
from pellucid.data.scenes.backgrounds.photographs import photographs
from pellucid.data.scenes.labels import semantic_mask
from pellucid.data.scenes.options import Options

SMALL = {"train": 6, "val": 2, "test": 3, "size": 40, "seed": 5}
# Whoever changes these changes what every number measured on scenes means.
PINNED = {
    "easy": "de6dc22ec370fedc",
    "medium": "78ff5e98385a614c",
    "hard": "a1dd880fcc8abc86",
    "classify": "1bc0a0515f9533da",
}
PHOTOGRAPHS = "99310b92a8963a4b"


def digest(**arguments: object) -> str:
    return content_digest(scenes(**{**SMALL, **arguments}))


def test_the_set_is_what_it_says() -> None:
    source = scenes(train=4, val=1, test=2, size=(32, 48), seed=1)
    assert source.images.shape == (7, 32, 48, 3) and source.masks.shape == (7, 32, 48)
    assert source.images.dtype == source.masks.dtype == np.uint8
    assert source.kind == "segment" and source.labels is None
    assert source.classes == CLASSES == ("background", *KNOWN["fashion-mnist"].classes)
    assert source.roles.tolist() == ["train"] * 4 + ["val"] + ["test"] * 2
    assert source.names == ["train/0", "train/1", "train/2", "train/3", "val/0", "test/0", "test/1"]


def test_pictures_to_classify_show_one_thing_and_have_its_label() -> None:
    source = scenes(train=30, test=5, size=32, purpose="classify")
    assert source.kind == "classify" and source.masks is None
    assert source.classes == KNOWN["fashion-mnist"].classes
    options = Options("32", train=30, test=5, purpose="classify")
    for place, (role, i) in {0: ("train", 0), 29: ("train", 29), 34: ("test", 4)}.items():
        scene = scene_of(options, role, i)
        assert np.array_equal(source.images[place], scene.image)
        assert source.labels[place] == scene.things[0].label
    assert len(set(source.labels)) > 5


@pytest.mark.parametrize("how", list(PINNED))
def test_the_bytes_are_pinned(how: str) -> None:
    if how != "easy":  # the photographs are JPEGs: a decoder that rounds otherwise changes them, and nothing else
        pixels = b"".join(levels[0].tobytes() for levels in photographs())
        assert hashlib.sha256(pixels).hexdigest()[:16] == PHOTOGRAPHS
    asked = {"purpose": how, "difficulty": "medium"} if how == "classify" else {"difficulty": how}
    assert digest(**asked)[:16] == PINNED[how]


def test_another_process_draws_the_same_bytes() -> None:
    code = (
        "from pellucid.data.scenes import scenes; from pellucid.data.known import content_digest;"
        "print(content_digest(scenes(6, 2, 3, 40, 'hard', seed=5)))"
    )
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert digest(difficulty="hard") == there


def test_every_option_changes_the_bytes() -> None:
    asked = [{}, {"seed": 6}, {"size": 41}, {"difficulty": "medium"}, {"purpose": "classify"}, {"test": 4}]
    assert len({digest(**each) for each in asked}) == len(asked)


def test_a_scene_depends_on_its_place_alone() -> None:
    few = scenes(train=2, test=2, size=24)
    many = scenes(train=5, val=3, test=3, size=24)
    assert np.array_equal(few.images[:2], many.images[:2]) and np.array_equal(few.masks[2:], many.masks[8:10])
    assert not np.array_equal(few.images[0], few.images[2])


def test_any_split_may_be_empty() -> None:
    assert len(scenes(train=0, test=2, size=16)) == 2
    assert set(scenes(train=2, test=0, size=16).roles) == {"train"}
    assert set(scenes(train=0, val=2, test=0, size=16).roles) == {"val"}


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_the_stream_goes_on_where_the_frozen_set_ends(split: str) -> None:
    source = scenes(**{**SMALL, "difficulty": "medium"})
    rows = np.flatnonzero(source.roles == split)
    streamed = list(itertools.islice(stream(40, "medium", split=split, seed=5), len(rows) + 3))
    for row, scene in zip(rows, streamed, strict=False):
        assert np.array_equal(source.images[row], scene.image)
        assert np.array_equal(source.masks[row], semantic_mask(scene))
    later = next(stream(40, "medium", split=split, seed=5, start=len(rows) + 1))
    assert np.array_equal(later.image, streamed[len(rows) + 1].image)


def test_a_stream_takes_ranges_of_ones_own_and_refuses_what_it_cannot_use() -> None:
    scene = next(stream(32, DIFFICULTIES["hard"], seed=1))
    assert np.array_equal(scene.image, next(stream(32, "hard", seed=1)).image)
    with pytest.raises(ConfigError, match=r"^Unknown split 'dev'\. Choose from: test, train, val\.$"):
        stream(split="dev")
    with pytest.raises(ConfigError, match=r"^start must be 0 or positive, got -1\.$"):
        stream(start=-1)
    with pytest.raises(ConfigError, match=r"^seed must be 0 or positive, got -2\.$"):
        stream(seed=-2)
    with pytest.raises(ConfigError, match=r"^Unknown difficulty 'hrd'\. Did you mean 'hard'\?"):
        stream(difficulty="hrd")


def test_things_are_drawn_when_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    source = scenes(train=3, val=2, test=2, size=40, difficulty="hard")
    monkeypatch.setattr("pellucid.data.scenes.frozen.make_scene", lambda *_: pytest.fail("drawn for nothing"))
    taken = source.take(np.array([6, 3, 0]))  # no thing is drawn for that
    assert len(taken.objects) == 3 and len(source.objects[2:]) == 5
    monkeypatch.undo()
    for row, things in enumerate(taken.objects):
        drawn = np.zeros((40, 40), dtype=np.uint8)
        for label, mask in zip(things.labels, things.dense(), strict=True):
            drawn[mask] = label
        assert np.array_equal(drawn, taken.masks[row])
        assert things == source.objects[(6, 3, 0)[row]]
    with pytest.raises(IndexError):
        _ = source.objects[7]


def test_the_splits_share_no_clothes() -> None:
    parts = {role: catalogue("fashion").sprites(role) for role in ("train", "val", "test")}
    assert [len(part.labels) for part in parts.values()] == [11_000, 1_000, 2_000]
    shown = [{shade.tobytes() for shade in part.shade} for part in parts.values()]
    assert not shown[0] & shown[2] and not shown[1] & shown[2]
    assert len(shown[0] & shown[1]) <= 2  # a few pictures of Fashion-MNIST occur twice
    for part in parts.values():
        assert len(set(np.bincount(part.labels)[1:])) == 1  # as many of each class


def test_all_classes_occur_and_background_is_most_of_it() -> None:
    share = np.bincount(scenes(train=150, test=0, size=32).masks.ravel(), minlength=11) / (150 * 32 * 32)
    assert len(share) == 11 and (share > 0).all()
    assert 0.5 < share[0] < 0.95


def test_the_named_set_is_the_default_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """That it has the digest of its card is checked whenever it is loaded."""
    known = KNOWN["scenes"]
    assert known.card.title and "MIT" in known.card.licence and len(known.card.digest) == 64
    asked: list[Options] = []
    monkeypatch.setattr("pellucid.data.known.kept", lambda options: asked.append(options) or scenes(2, 0, 1))
    assert np.array_equal(known.read(known, None).images, scenes(2, 0, 1).images) and asked == [Options()]
