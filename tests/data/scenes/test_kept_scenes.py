"""Frozen sets in the cache: the same bytes, drawn once."""

from pathlib import Path

import numpy as np
import pytest

from pellucid.core.errors import WriteError
from pellucid.data.pack import file as pack_file
from pellucid.data.scenes import kept as module
from pellucid.data.scenes.frozen import frozen
from pellucid.data.scenes.kept import kept
from pellucid.data.scenes.options import Options

OPTIONS = Options("16", "medium", train=5, val=2, test=3, seed=4)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PELLUCID_CACHE", str(tmp_path))
    monkeypatch.setattr(module, "WORTH_KEEPING", 1)
    return tmp_path / "packs"


@pytest.mark.parametrize("purpose", ["segment", "classify", "detect"])
def test_what_is_kept_is_what_was_drawn(cache: Path, monkeypatch: pytest.MonkeyPatch, purpose: str) -> None:
    options = Options("16x24", "hard", train=5, val=2, test=3, seed=4, purpose=purpose)
    drawn, first = frozen(options), kept(options)
    assert [path.suffix for path in cache.iterdir()] == [".pack"]
    monkeypatch.setattr(module, "draw_into", lambda *_: pytest.fail("drawn a second time"))
    for source in (first, kept(options)):
        for name in ("images", "masks", "labels", "roles"):
            mine, theirs = getattr(source, name), getattr(drawn, name)
            assert (mine is None) == (theirs is None) and (mine is None or np.array_equal(mine, theirs))
        assert source.card == drawn.card and source.names == drawn.names and source.classes == drawn.classes
        assert (source.objects is None) == (purpose == "classify")
        assert source.objects is None or list(source.objects) == list(drawn.objects or ())


def test_every_option_has_a_file_of_its_own(cache: Path) -> None:
    kept(OPTIONS)
    kept(Options("16", "medium", train=5, val=2, test=3, seed=5))
    kept(Options("16", "easy", train=5, val=2, test=3, seed=4))
    assert len(list(cache.iterdir())) == 3


def test_a_damaged_file_is_drawn_again(cache: Path) -> None:
    kept(OPTIONS)
    path = next(cache.iterdir())
    path.write_bytes(path.read_bytes()[:100])
    assert np.array_equal(kept(OPTIONS).images, frozen(OPTIONS).images)
    assert path.stat().st_size > 5 * 16 * 16 * 3


def test_without_a_place_to_keep_it_a_set_is_drawn_all_the_same(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise WriteError("no space")

    monkeypatch.setattr(pack_file, "write_arrays", full)
    assert np.array_equal(kept(OPTIONS).images, frozen(OPTIONS).images)
    cache.parent.joinpath("file").write_text("")
    monkeypatch.setenv("PELLUCID_CACHE", str(cache.parent / "file"))
    assert np.array_equal(kept(OPTIONS).images, frozen(OPTIONS).images)


def test_small_sets_are_not_kept(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WORTH_KEEPING", 10 * 16 * 16 + 1)
    kept(OPTIONS)
    assert not cache.exists()
